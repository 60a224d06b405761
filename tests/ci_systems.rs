//! What a run scans under GitLab, by the line of its template, and under the other systems, by their variables.
#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::server::{NONE, Server, runner, set};
use common::{git, stderr, stdout};
use serde_json::Value;

/// Variables of a CI.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// GitLab's line, as it stands in the template.
fn gitlab_line() -> String {
    let text = include_str!("../ci/gitlab.yml");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("- sidsweep ")).unwrap();
    format!("sidsweep {line}")
}

#[test]
fn gitlabs_template_scans_what_each_pipeline_brings() {
    let (server, feature, base) = forked();
    let cases: [(&str, &str, Variables, &[&str]); 6] = [
        (
            "merge request",
            &feature,
            &[
                ("CI_PIPELINE_SOURCE", "merge_request_event"),
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &server.main),
                ("CI_COMMIT_BEFORE_SHA", NONE),
            ],
            &["feature.env"],
        ),
        (
            "push to a new branch",
            &feature,
            &[
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_BRANCH", "feature"),
                ("CI_COMMIT_BEFORE_SHA", NONE),
            ],
            &["feature.env"],
        ),
        (
            "push to main",
            &base,
            &[
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_BRANCH", "main"),
                ("CI_COMMIT_BEFORE_SHA", &server.main),
            ],
            &["mains.env"],
        ),
        (
            "first push to main",
            &base,
            &[("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", "main"), ("CI_COMMIT_BEFORE_SHA", NONE)],
            &ALL,
        ),
        ("schedule", &base, &[("CI_PIPELINE_SOURCE", "schedule"), ("CI_COMMIT_BRANCH", "main")], &ALL),
        ("by hand", &base, &[("CI_PIPELINE_SOURCE", "web"), ("CI_COMMIT_BRANCH", "main")], &ALL),
    ];
    for (case, sha, variables, paths) in cases {
        let at = server.checked_out(sha, 0);
        let output = runner("sh", server.folder.path())
            .args(["-ec", &gitlab_line()])
            .current_dir(&at)
            .envs([
                ("GITLAB_CI", "true"),
                ("CI_COMMIT_SHA", sha),
                ("CI_DEFAULT_BRANCH", "main"),
                ("SIDSWEEP_ARGUMENTS", ""),
            ])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let told = format!("{case}: {}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{told}");
        let report: Value =
            serde_json::from_slice(&std::fs::read(at.join("gl-secret-detection-report.json")).unwrap())
                .unwrap();
        let found = report["vulnerabilities"].as_array().unwrap();
        let found: BTreeSet<String> =
            found.iter().map(|one| one["location"]["file"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, set(paths), "{told}");
        assert!(at.join("sidsweep.xml").exists());
    }
}

/// Scans as a system with these variables would: the exit code, the places, and what was said.
fn scan(server: &Server, variables: Variables, at: &Path) -> (Option<i32>, BTreeSet<String>, String) {
    let mut command = runner("sidsweep", server.folder.path());
    command.args(["scan", "--ci", "--format", "github"]).current_dir(at).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let path = |line: &str| Some(line.strip_prefix("::error file=")?.split_once(',')?.0.to_owned());
    (output.status.code(), stdout(&output).lines().filter_map(path).collect(), stderr(&output))
}

/// A leak on a branch, and another one on main after it: the server and both commits.
fn forked() -> (Server, String, String) {
    let server = Server::new();
    git(&server.work(), &["checkout", "-q", "-b", "feature"]);
    let feature = server.commit("feature.env", 2);
    server.push("feature");
    git(&server.work(), &["checkout", "-q", "main"]);
    let main = server.commit("mains.env", 3);
    server.push("main");
    (server, feature, main)
}

/// All that leaks there.
const ALL: [&str; 3] = ["feature.env", "mains.env", "old.env"];

#[test]
fn other_systems_scan_the_push_and_not_an_empty_range() {
    let (server, feature, main) = forked();
    let cases: [(&str, Variables, &[&str]); 12] = [
        (
            "Jenkins, a pull request",
            &[("JENKINS_URL", "http://j"), ("CHANGE_TARGET", "main")],
            &["feature.env"],
        ),
        (
            "Jenkins, main",
            &[
                ("JENKINS_URL", "http://j"),
                ("GIT_COMMIT", &main),
                ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", &server.main),
            ],
            &["mains.env"],
        ),
        ("Jenkins, the first build", &[("JENKINS_URL", "http://j"), ("GIT_COMMIT", &main)], &ALL),
        (
            "Azure, a pull request",
            &[
                ("TF_BUILD", "True"),
                ("BUILD_REASON", "PullRequest"),
                ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &feature),
            ],
            &["feature.env"],
        ),
        (
            "Azure, main",
            &[
                ("TF_BUILD", "True"),
                ("BUILD_REASON", "IndividualCI"),
                ("BUILD_SOURCEVERSION", &main),
                ("BUILD_SOURCEBRANCH", "refs/heads/main"),
            ],
            &ALL,
        ),
        (
            "Bitbucket, a pull request",
            &[
                ("BITBUCKET_BUILD_NUMBER", "7"),
                ("BITBUCKET_COMMIT", &feature),
                ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
            ],
            &["feature.env"],
        ),
        (
            "Bitbucket, main",
            &[("BITBUCKET_BUILD_NUMBER", "7"), ("BITBUCKET_COMMIT", &main), ("BITBUCKET_BRANCH", "main")],
            &ALL,
        ),
        (
            "CircleCI, a branch",
            &[("CIRCLECI", "true"), ("CIRCLE_SHA1", &feature), ("CIRCLE_BRANCH", "feature")],
            &ALL,
        ),
        (
            "Buildkite, a pull request",
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_COMMIT", &feature),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
            ],
            &["feature.env"],
        ),
        (
            "Buildkite, a branch",
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_COMMIT", &feature),
                ("BUILDKITE_BRANCH", "feature"),
                ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
            ],
            &["feature.env"],
        ),
        (
            "Buildkite, main",
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_COMMIT", &main),
                ("BUILDKITE_BRANCH", "main"),
                ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
            ],
            &ALL,
        ),
        (
            "Buildkite, a schedule",
            &[("BUILDKITE", "true"), ("BUILDKITE_COMMIT", &main), ("BUILDKITE_SOURCE", "schedule")],
            &ALL,
        ),
    ];
    for (case, variables, paths) in cases {
        let tip = if case.ends_with("request") || case.ends_with("branch") { &feature } else { &main };
        let at = server.checked_out(tip, 0);
        let (code, found, told) = scan(&server, variables, &at);
        assert_eq!((code, found), (Some(1), set(paths)), "{case}: {told}");
    }
}

#[test]
fn a_clone_may_know_the_default_branch_and_an_unknown_system_is_an_error() {
    let (server, feature, main) = forked();
    // A clone of CircleCI's knows which branch is the default one.
    let at = server.checked_out(&feature, 0);
    git(&at, &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    let circle = |sha: &str| scan(&server, &[("CIRCLECI", "true"), ("CIRCLE_SHA1", sha)], &at);
    assert_eq!(circle(&feature).1, set(&["feature.env"]));
    assert_eq!(circle(&main).1, set(&ALL), "main itself is never an empty range");
    // No system at all, and one that leaves out what it always says.
    let (code, _, told) = scan(&server, &[], &at);
    assert!(code == Some(2) && told.contains("--range A..B or --history"), "{told}");
    let (code, _, told) = scan(&server, &[("TF_BUILD", "True"), ("BUILD_REASON", "PullRequest")], &at);
    assert!(code == Some(2) && told.contains("SYSTEM_PULLREQUEST_TARGETBRANCH is not set"), "{told}");
}
