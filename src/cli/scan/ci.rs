//! What a CI's run has to scan: one decision for all CI systems, from what they say of the run in the environment.
//!
//! A run that cannot tell what is new scans all of history: too much is seen at once, and too little by nobody.

use std::path::Path;

use gix::ObjectId;
use serde_json::Value;

use super::super::Failure;
use crate::scan::changes;
use crate::source::repository;

/// Where a clone keeps the branches of the server.
const REMOTE: &str = "refs/remotes/origin/";
/// The server's default branch, where the clone knows it.
const REMOTE_HEAD: &str = "refs/remotes/origin/HEAD";

/// What is scanned.
#[derive(Debug, PartialEq, Eq)]
pub enum Scope {
    /// What the commits of a range add.
    Range(String),
    /// Every object.
    History,
}

/// What a CI says of a run.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    /// A pull request, by its target and its newest commit.
    Proposal { target: String, head: String },
    /// Commits that wait to be merged, tested together.
    Queue { from: String, to: String },
    /// A push. `before` is what the branch or tag was, where the system says it.
    Push { before: Option<String>, after: String, reference: Option<String>, default: Option<String> },
    /// Anything else: a schedule, a person, an interface.
    Other,
}

/// A name of the environment, unless it is empty.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What reads the environment of one system.
type Reader = fn(Env<'_>) -> Result<Run, String>;

/// The systems, each known by a variable that it always sets.
const SYSTEMS: [(&str, &str, Reader); 7] = [
    ("GITHUB_ACTIONS", "GitHub Actions", github),
    ("GITLAB_CI", "GitLab CI", gitlab),
    ("TF_BUILD", "Azure Pipelines", azure),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines", bitbucket),
    ("CIRCLECI", "CircleCI", circle),
    ("BUILDKITE", "Buildkite", buildkite),
    ("JENKINS_URL", "Jenkins", jenkins),
];

/// Decides for the repository at `root`, and says in words what and why.
pub fn decide(root: &Path) -> Result<(Scope, String), Failure> {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let (system, run) = run(&env).map_err(Failure)?;
    let repository = repository::open(root)?;
    changes::readable(&repository)?;
    let base = |spec: &str| changes::base(&repository, spec).ok();
    let (scope, why) = settle(run, &base);
    let what = match &scope {
        Scope::Range(range) => format!("the range {range}"),
        Scope::History => "all of history".to_owned(),
    };
    Ok((scope, format!("{system}: {why}, so {what} is scanned")))
}

fn run(env: Env<'_>) -> Result<(&'static str, Run), String> {
    let Some((_, system, read)) = SYSTEMS.iter().find(|(mark, ..)| env(mark).is_some()) else {
        let known: Vec<&str> = SYSTEMS.iter().map(|(_, system, _)| *system).collect();
        return Err(format!(
            "--ci: the environment is that of none of {}; name what is to be scanned with --range A..B or --history",
            known.join(", ")
        ));
    };
    Ok((system, read(env).map_err(|reason| format!("--ci: {system}: {reason}"))?))
}

/// From what a run is to what is scanned. `base` answers with the commit that a range leaves out, if both of its ends are here.
fn settle(run: Run, base: &dyn Fn(&str) -> Option<ObjectId>) -> (Scope, String) {
    match run {
        Run::Proposal { target, head } => {
            (Scope::Range(format!("{target}...{head}")), "a pull request".to_owned())
        }
        Run::Queue { from, to } => (Scope::Range(format!("{from}..{to}")), "a merge queue".to_owned()),
        Run::Other => (Scope::History, "the run says of no commits that they are new".to_owned()),
        Run::Push { before, after, reference, default } => {
            let commit = |name: &str| base(&format!("{name}..{name}"));
            // A tag by its name, and not by its commit, since it has a message of its own.
            let tag =
                reference.as_ref().filter(|name| name.starts_with("refs/tags/") && commit(name).is_some());
            let after = tag.cloned().unwrap_or(after);
            if let Some(before) = before.filter(|before| commit(before).is_some()) {
                return (Scope::Range(format!("{before}..{after}")), "a push".to_owned());
            }
            let unknown = "a push whose commit before it is not here".to_owned();
            let is_default =
                default.as_ref().is_some_and(|default| reference == Some(format!("refs/heads/{default}")));
            if is_default {
                return (Scope::History, format!("{unknown}, to the default branch"));
            }
            let known = default.is_some();
            let target =
                default.map_or_else(|| REMOTE_HEAD.to_owned(), |default| format!("{REMOTE}{default}"));
            let range = format!("{target}...{after}");
            match base(&range) {
                // Nobody said which branch is the default one: this push may be to it, and be all that there is.
                Some(parted) if !known && Some(parted) == commit(&after) => (Scope::History, unknown),
                Some(_) => (Scope::Range(range), unknown),
                None => (Scope::History, unknown),
            }
        }
    }
}

/// A commit that a system names, unless it is the one of all zeros, which stands for none.
fn commit(name: Option<String>) -> Option<String> {
    name.filter(|name| name.chars().any(|digit| digit != '0'))
}

fn needed(env: Env<'_>, name: &str) -> Result<String, String> {
    env(name).ok_or_else(|| format!("{name} is not set; name the range with --range A..B"))
}

fn github(env: Env<'_>) -> Result<Run, String> {
    let path = needed(env, "GITHUB_EVENT_PATH")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let event: Value = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    of_event(&event, env)
}

/// Forgejo and Gitea write the same.
fn of_event(event: &Value, env: Env<'_>) -> Result<Run, String> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let said = |pointer: &str| {
        text(pointer).ok_or_else(|| format!("the event has no {pointer}; name the range with --range A..B"))
    };
    if event.get("pull_request").is_some() {
        return Ok(Run::Proposal {
            target: said("/pull_request/base/sha")?,
            head: said("/pull_request/head/sha")?,
        });
    }
    if event.get("merge_group").is_some() {
        return Ok(Run::Queue { from: said("/merge_group/base_sha")?, to: said("/merge_group/head_sha")? });
    }
    match (env("GITHUB_EVENT_NAME").as_deref(), commit(text("/after"))) {
        (Some("push"), Some(after)) => Ok(Run::Push {
            before: commit(text("/before")),
            after,
            reference: text("/ref"),
            default: text("/repository/default_branch"),
        }),
        _ => Ok(Run::Other),
    }
}

fn gitlab(env: Env<'_>) -> Result<Run, String> {
    let head = |name: &str| env(name).map_or_else(|| needed(env, "CI_COMMIT_SHA"), Ok);
    let branch = |name: &str| env(name).map(|branch| format!("refs/heads/{branch}"));
    match env("CI_PIPELINE_SOURCE").as_deref() {
        Some("merge_request_event") => Ok(Run::Proposal {
            target: needed(env, "CI_MERGE_REQUEST_DIFF_BASE_SHA")?,
            // Set where the pipeline is one of the merged result, whose commit holds the target's too.
            head: head("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")?,
        }),
        Some("external_pull_request_event") => Ok(Run::Proposal {
            target: needed(env, "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA")?,
            head: head("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA")?,
        }),
        Some("push") => Ok(Run::Push {
            before: commit(env("CI_COMMIT_BEFORE_SHA")),
            after: needed(env, "CI_COMMIT_SHA")?,
            reference: env("CI_COMMIT_TAG")
                .map(|tag| format!("refs/tags/{tag}"))
                .or_else(|| branch("CI_COMMIT_BRANCH")),
            default: env("CI_DEFAULT_BRANCH"),
        }),
        _ => Ok(Run::Other),
    }
}

fn azure(env: Env<'_>) -> Result<Run, String> {
    match env("BUILD_REASON").as_deref() {
        Some("PullRequest") => {
            let target = needed(env, "SYSTEM_PULLREQUEST_TARGETBRANCH")?;
            let branch = target.trim_start_matches("refs/heads/");
            Ok(Run::Proposal {
                target: format!("{REMOTE}{branch}"),
                head: needed(env, "SYSTEM_PULLREQUEST_SOURCECOMMITID")?,
            })
        }
        Some("IndividualCI" | "BatchedCI") => {
            pushed(needed(env, "BUILD_SOURCEVERSION")?, env("BUILD_SOURCEBRANCH"))
        }
        _ => Ok(Run::Other),
    }
}

fn bitbucket(env: Env<'_>) -> Result<Run, String> {
    let after = needed(env, "BITBUCKET_COMMIT")?;
    let branch = env("BITBUCKET_PR_DESTINATION_BRANCH").map(|branch| format!("{REMOTE}{branch}"));
    match env("BITBUCKET_PR_DESTINATION_COMMIT").or(branch) {
        Some(target) => Ok(Run::Proposal { target, head: after }),
        None => pushed(after, reference(env("BITBUCKET_TAG"), env("BITBUCKET_BRANCH"))),
    }
}

fn circle(env: Env<'_>) -> Result<Run, String> {
    pushed(needed(env, "CIRCLE_SHA1")?, reference(env("CIRCLE_TAG"), env("CIRCLE_BRANCH")))
}

fn buildkite(env: Env<'_>) -> Result<Run, String> {
    let after = needed(env, "BUILDKITE_COMMIT")?;
    match (env("BUILDKITE_PULL_REQUEST_BASE_BRANCH"), env("BUILDKITE_SOURCE").as_deref()) {
        (Some(branch), _) => Ok(Run::Proposal { target: format!("{REMOTE}{branch}"), head: after }),
        (None, Some("schedule")) => Ok(Run::Other),
        _ => Ok(Run::Push {
            before: None,
            after,
            reference: reference(env("BUILDKITE_TAG"), env("BUILDKITE_BRANCH")),
            default: env("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        }),
    }
}

fn jenkins(env: Env<'_>) -> Result<Run, String> {
    if let Some(branch) = env("CHANGE_TARGET") {
        return Ok(Run::Proposal { target: format!("{REMOTE}{branch}"), head: "HEAD".to_owned() });
    }
    Ok(Run::Push {
        // Not the last build's: what made that one fail is still there.
        before: env("GIT_PREVIOUS_SUCCESSFUL_COMMIT"),
        after: env("GIT_COMMIT").unwrap_or_else(|| "HEAD".to_owned()),
        reference: None,
        default: None,
    })
}

/// A push of which nothing else is known.
fn pushed(after: String, reference: Option<String>) -> Result<Run, String> {
    Ok(Run::Push { before: None, after, reference, default: None })
}

fn reference(tag: Option<String>, branch: Option<String>) -> Option<String> {
    let tag = tag.map(|tag| format!("refs/tags/{tag}"));
    tag.or_else(|| branch.map(|branch| format!("refs/heads/{branch}")))
}
