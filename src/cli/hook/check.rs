//! The check that a hook makes.

use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use gix::ObjectId;

use super::{Kind, Options};
use crate::cli::{Failure, Outcome, output};
use crate::detect::Detector;
use crate::model::{Confidence, Skipped, Source, SourceMode, Tally, Unit};
use crate::report::hook::{self, Refused};
use crate::scan::policy::{POLICY_NAME, Policy};
use crate::scan::{self, Found, Scanned, accept, changes, gather};
use crate::source::stop::Stop;
use crate::source::{commits, repository, tree};

/// Checks what a hook of this kind has to check.
pub(super) fn check(kind: Kind, options: &Options, arguments: &[String]) -> Result<Outcome, Failure> {
    options.unread.check()?;
    let accepting = &options.accepting;
    let detector = accepting.detector()?;
    let baseline = accepting.read_baseline()?;
    let here = Path::new(".");
    let mut bases = Vec::new();
    let (scanned, mode) = match kind {
        Kind::PreCommit => committed(&detector, here)?,
        Kind::PrePush | Kind::PreReceive => {
            (pushed(&detector, kind, arguments, &mut bases)?, SourceMode::Range)
        }
    };
    let shown = gather::Options { min_confidence: Confidence::Medium, show_secrets: false, repository: None };
    let gathered = gather::gather(detector.rules(), scanned.texts, shown);
    let sources = vec![Source::new(mode, ".", None)];
    let mut report = gathered.report(sources, scanned.stats, scanned.coverage);
    // A server receives from strangers: there the pushed policy has no say.
    let (policies, unread) = match (kind, &accepting.policy) {
        (_, Some(policy)) => (vec![Policy::read(policy, here)?], Vec::new()),
        (Kind::PreReceive, None) => (Vec::new(), Vec::new()),
        (Kind::PrePush, None) if !bases.is_empty() => before_push(here, &bases)?,
        (Kind::PreCommit | Kind::PrePush, None) => Policy::own(&[here.to_owned()]),
    };
    for policy in unread {
        report.coverage.skip(Unit::Settings, policy);
    }
    accept::mark(&mut report, baseline.as_ref(), &policies, accept::today());
    accept::settle(&mut report);
    options.unread.apply(&mut report, &policies)?;
    for skipped in report.coverage.skipped() {
        output::complain(&format!("sidsweep: not read: {}: {}", skipped.path, skipped.reason));
    }
    // On a server no submodule is ever here; that says so, and lets the push pass.
    for opaque in report.coverage.opaque().iter().filter(|opaque| opaque.unit == Unit::Repositories) {
        output::complain(&format!("sidsweep: not opened: {}: {}", opaque.path, opaque.container));
    }
    if report.findings.iter().any(|finding| finding.kind.is_secret()) {
        let refused = match kind {
            Kind::PreCommit => Refused::Commit,
            Kind::PrePush => Refused::Push,
            Kind::PreReceive => Refused::Received,
        };
        let all = match mode {
            SourceMode::Staged => "sidsweep scan --staged",
            SourceMode::Tree => "sidsweep scan",
            _ => "sidsweep scan --history",
        };
        let mut out = BufWriter::new(anstream::stderr().lock());
        let _ = hook::write(&report, refused, all, &mut out).and_then(|()| out.flush());
        return Ok(Outcome::Found);
    }
    Ok(if report.coverage.is_complete() { Outcome::Clean } else { Outcome::Incomplete })
}

/// A variable that is set, and not to nothing.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the pre-commit framework runs the hook.
fn is_framework() -> bool {
    env("PRE_COMMIT").is_some()
}

/// Scans what would be committed. The framework runs its hooks without a commit as well: for a range that it names, or for all files,
/// which it does not tell; git sets `GIT_INDEX_FILE` only for the hooks of a commit.
fn committed(detector: &Detector, here: &Path) -> Result<(Scanned, SourceMode), Failure> {
    let index = env("GIT_INDEX_FILE");
    // In a container, for one, the path of the machine leads nowhere, and the index that lies here is another one.
    if let Some(index) = index.as_ref().filter(|path| {
        !Path::new(path).parent().is_none_or(|folder| folder == Path::new("") || folder.is_dir())
    }) {
        return Err(Failure(format!(
            "{index}: git keeps what is to be committed there, and the folder does not exist here, so nothing was checked"
        )));
    }
    match (env("PRE_COMMIT_FROM_REF"), env("PRE_COMMIT_TO_REF")) {
        (Some(from), Some(to)) if is_framework() => {
            let range = format!("{from}...{to}");
            Ok((changes::range(detector, here, &range, scan::all_cores())?, SourceMode::Range))
        }
        _ if is_framework() && index.is_none() => {
            output::complain("sidsweep: no commit is being made, so all files are checked");
            let options = tree::Options {
                no_ignore: false,
                max_file_size: None,
                jobs: scan::all_cores(),
                stop: Stop::NEVER,
            };
            let roots = [here.to_owned()];
            let scanned = scan::trees(detector, &roots, &options, &scan::Progress::default())?;
            Ok((scanned, SourceMode::Tree))
        }
        _ => Ok((changes::staged(detector, here, false)?, SourceMode::Staged)),
    }
}

/// The policy of what the other side has: what a push brings cannot allow what it brings, as with a range.
fn before_push(here: &Path, bases: &[(ObjectId, ObjectId)]) -> Result<(Vec<Policy>, Vec<Skipped>), Failure> {
    let repository = repository::open(here)?;
    let policy = |commit| commits::blob_at(&repository, commit, POLICY_NAME);
    let [(first, _), others @ ..] = bases else { return Ok((Vec::new(), Vec::new())) };
    if bases.iter().any(|&(base, new)| policy(base) != policy(new)) {
        output::complain(&format!(
            "sidsweep: the push changes {POLICY_NAME}: the one that the other side has is followed"
        ));
    }
    if others.iter().any(|&(base, _)| policy(base) != policy(*first)) {
        output::complain(&format!(
            "sidsweep: the branches that are pushed have {POLICY_NAME} in several versions on the other side: none is followed; \
             push them one by one"
        ));
        return Ok((Vec::new(), Vec::new()));
    }
    Ok(Policy::of_commit(&repository, here, *first))
}

/// The commit of the other side that a pushed one goes on from.
fn base(repository: &gix::Repository, new: ObjectId, hidden: &[ObjectId]) -> Option<ObjectId> {
    hidden.iter().find_map(|&known| Some(repository.merge_base(new, known).ok()??.detach()))
}

/// Scans what a push brings, as git tells the hook on standard input; with what each pushed commit goes on from.
fn pushed(
    detector: &Detector,
    kind: Kind,
    arguments: &[String],
    bases: &mut Vec<(ObjectId, ObjectId)>,
) -> Result<Scanned, Failure> {
    let repository = repository::open_for_walks(Path::new("."))?;
    changes::readable(&repository)?;
    let mut tips = Vec::new();
    let remote = arguments.first().cloned().or_else(|| env("PRE_COMMIT_REMOTE_NAME"));
    let (mut hidden, mut told) = (Vec::new(), Vec::new());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (new, old, name) = match (kind, fields.as_slice()) {
            (Kind::PrePush, [_, new, name, old]) => (*new, *old, *name),
            (Kind::PreReceive, [old, new, name]) => (*new, *old, *name),
            (_, []) => continue,
            _ => return Err(Failure(format!("git gave the hook a line that is none of its own: {line:?}"))),
        };
        let id = |text: &str| {
            ObjectId::from_hex(text.as_bytes()).map_err(|error| Failure(format!("{text:?}: {error}")))
        };
        let (new, old) = (id(new)?, id(old)?);
        told.push(name.to_owned());
        // A deletion brings nothing.
        if new.is_null() {
            continue;
        }
        tips.push(new);
        if !old.is_null() && repository.has_object(old) {
            hidden.push(old);
            bases.push((old, new));
        }
    }
    hidden.extend(known_tips(&repository, kind, remote.as_deref(), &told));
    if tips.is_empty() && kind == Kind::PrePush && is_framework() {
        framework_push(&repository, &mut tips, &mut hidden)?;
    }
    // A server follows no policy, and does not look for what all of its branches have in common.
    if kind == Kind::PrePush {
        let is_based = |new: &ObjectId| bases.iter().any(|(_, based)| based == new);
        let others: Vec<ObjectId> = tips.iter().copied().filter(|new| !is_based(new)).collect();
        bases.extend(others.into_iter().filter_map(|new| Some((base(&repository, new, &hidden)?, new))));
    }
    let tally = Tally::default();
    if tips.is_empty() {
        return Ok(Found::default().covering(tally));
    }
    tally.add(&repository.unread);
    let found =
        scan::pushed::scan(detector, &repository, "the push", (&tips, &hidden), scan::all_cores(), &tally)?;
    Ok(found.covering(tally))
}

/// What the framework says of a push: it has read standard input itself, and names what it pushes, or its branch where all of it is new.
fn framework_push(
    repository: &gix::Repository,
    tips: &mut Vec<ObjectId>,
    hidden: &mut Vec<ObjectId>,
) -> Result<(), Failure> {
    let Some(pushed) = env("PRE_COMMIT_TO_REF").or_else(|| env("PRE_COMMIT_LOCAL_BRANCH")) else {
        return Ok(());
    };
    let find = |name: &str| {
        let id = repository.rev_parse_single(name).map_err(|error| Failure(format!("{name}: {error}")))?;
        Ok::<_, Failure>(id.detach())
    };
    tips.push(find(&pushed)?);
    if let Some(known) = env("PRE_COMMIT_FROM_REF") {
        hidden.push(find(&known)?);
    }
    Ok(())
}

/// What the other side is known to have: the remote's branches as last seen, or all of a server's own references. Of the branches
/// that git has just `told` of, what it said counts.
fn known_tips(
    repository: &gix::Repository,
    kind: Kind,
    remote: Option<&str>,
    told: &[String],
) -> Vec<ObjectId> {
    let prefix = match (kind, remote) {
        (Kind::PrePush, Some(remote)) => format!("refs/remotes/{remote}/"),
        (Kind::PrePush, None) => return Vec::new(),
        _ => "refs/".to_owned(),
    };
    let Ok(platform) = repository.references() else { return Vec::new() };
    let Ok(all) = platform.all() else { return Vec::new() };
    let is_told = |name: &str| {
        let branch = name.strip_prefix(&prefix);
        branch.is_some_and(|branch| told.iter().any(|told| told.strip_prefix("refs/heads/") == Some(branch)))
    };
    all.filter_map(Result::ok)
        .filter(|reference| kind != Kind::PrePush || !is_told(&reference.name().as_bstr().to_string()))
        .filter(|reference| reference.name().as_bstr().starts_with(prefix.as_bytes()))
        .filter_map(|mut reference| reference.peel_to_id().ok().map(gix::Id::detach))
        .collect()
}
