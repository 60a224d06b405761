//! A second audit: what it cannot read again, and what an earlier version of the program left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::common::org::{Org, secrets};
use crate::common::{self, git, stdout, write};

/// The repository `repo-000` of an organization as a work tree.
fn work(org: &Org) -> PathBuf {
    let work = org.folder.path().join("work");
    let bare = org.folder.path().join("repo-000");
    git(Path::new("/"), &["clone", "-q", &bare.display().to_string(), &work.display().to_string()]);
    work
}

#[test]
fn what_a_branch_that_was_rewritten_and_a_mirror_that_is_gone_hide_stays_in_the_report() {
    let org = Org::of(1, 11);
    let (first, _) = org.audit(&[]);
    assert_eq!(secrets(&first), org.leaks);
    assert_eq!(org.leaks.len(), 3, "at the head, taken out since, and in a pull request");
    // Somebody rewrites the branch and takes the pull request away; the tag of a secret goes with them.
    let work = work(&org);
    let old = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["checkout", "-q", "--orphan", "clean"]);
    git(&work, &["rm", "-rqf", "."]);
    write(&work, "README.md", "# clean\n");
    common::commit(&work, "clean");
    git(&work, &["push", "-qf", "origin", "HEAD:main"]);
    git(&org.folder.path().join("repo-000"), &["update-ref", "-d", "refs/pull/1/head"]);
    org.forge.world().repos[0].pushed_at = "2026-03-02T00:00:00Z".to_owned();
    // Another machine, which never had the mirror.
    let other = org.folder.path().join("other").display().to_string();
    for round in 0..2 {
        let (again, code) = org.audit(&["--mirrors", &other, "--check-refs"]);
        assert_eq!((secrets(&again), code), (org.leaks.clone(), 1), "round {round}");
        let findings = again["findings"].as_array().expect("a list");
        for finding in findings {
            assert_eq!(finding["not_read_again"], true, "{finding}");
            assert_eq!((&finding["at_head"], &finding["reachable"]), (&false.into(), &false.into()));
        }
        let credentials = again["credentials"].as_array().expect("a list");
        let told: BTreeSet<&str> = credentials
            .iter()
            .flat_map(|one| one["findings"].as_array().expect("a list"))
            .map(|id| id.as_str().expect("an id"))
            .collect();
        assert!(findings.iter().all(|finding| told.contains(finding["id"].as_str().expect("an id"))));
    }
    let text = stdout(&org.run(&["report", "--mirrors", &other, "--fail-on", "never"]));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("it was not read again"), "{text}");

    // The branch comes back: what stands in it is read again.
    git(&work, &["push", "-qf", "origin", &format!("{old}:main")]);
    org.forge.world().repos[0].pushed_at = "2026-03-03T00:00:00Z".to_owned();
    let (back, _) = org.audit(&["--mirrors", &other]);
    assert_eq!(secrets(&back), org.leaks);
    let unread =
        back["findings"].as_array().expect("a list").iter().filter(|one| one["not_read_again"] == true);
    let paths: BTreeSet<&str> = unread.map(|one| one["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, BTreeSet::from(["try/.env"]), "the pull request is gone all the same");

    // The first machine has kept all of it, and reads it where it lies.
    org.forge.world().repos[0].pushed_at = "2026-03-04T00:00:00Z".to_owned();
    write(&work, "more.txt", "more\n");
    git(&work, &["checkout", "-q", "-f", &old]);
    write(&work, "more.txt", "more\n");
    common::commit(&work, "more");
    git(&work, &["push", "-qf", "origin", "HEAD:main"]);
    let (whole, _) = org.audit(&[]);
    assert_eq!(secrets(&whole), org.leaks);
    assert!(!whole.to_string().contains("not_read_again"), "{whole}");
}

/// What makes a database one of the first version: without keys, with the first bytes of ids.
pub const OLDER: [&str; 7] = [
    "DELETE FROM _sqlx_migrations WHERE version = 2",
    "DROP TABLE secrets",
    "ALTER TABLE audits DROP COLUMN lister",
    "ALTER TABLE audits DROP COLUMN beat",
    "ALTER TABLE audits DROP COLUMN number",
    // That of an object which nobody judged is among them.
    "DELETE FROM findings",
    "UPDATE scans SET credentials = '[]', hits = '[]'",
];

#[test]
fn a_database_of_an_earlier_version_is_brought_up_to_date_and_all_is_judged_anew() {
    let org = Org::of(6, 12);
    org.audit(&[]);
    super::change(&org, &OLDER);
    let (report, code) = org.audit(&[]);
    assert_eq!((secrets(&report), code), (org.leaks.clone(), 1));
    let status = org.status();
    assert_eq!(status["states"], serde_json::json!({"done": 6}));
    assert_ne!(status["blobs"], 0);
    // From then on as ever.
    org.audit(&["--check-refs"]);
    assert_eq!(org.status()["states"], serde_json::json!({"unchanged": 6}));
}

#[test]
fn two_databases_keep_different_bytes_of_the_same_objects() {
    let org = Org::of(1, 13);
    org.audit(&[]);
    let first = super::seen(&org);
    std::fs::remove_dir_all(org.folder.path().join("state")).expect("removed");
    org.audit(&[]);
    let second = super::seen(&org);
    assert_eq!(first.len(), second.len());
    let of = |bytes: &[u8]| -> BTreeSet<[u8; 8]> { bytes.as_chunks::<8>().0.iter().copied().collect() };
    assert!(!first.is_empty() && of(&first).is_disjoint(&of(&second)));
}
