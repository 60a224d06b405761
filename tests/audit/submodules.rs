//! Submodules of repositories that lie in a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::fixture::Mint;
use crate::common::org::{env_of, id, report_of, secrets};
use crate::common::{self, commit, git, stderr, write};

/// Two new repositories, `all/main` and one that becomes its submodule; and a pair to leak.
struct House {
    folder: tempfile::TempDir,
    top: PathBuf,
    sub: PathBuf,
    main: PathBuf,
    account: String,
    token: String,
}

fn house(seed: u64) -> House {
    let mut mint = Mint::new(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path().canonicalize().expect("a folder");
    let (sub, main) = (top.join("sub"), top.join("all/main"));
    for at in [&sub, &main] {
        std::fs::create_dir_all(at).expect("made");
        git(at, &["init", "-q"]);
    }
    let (account, token) = (format!("AC{}", mint.hex(32)), mint.hex(32));
    House { folder, top, sub, main, account, token }
}

/// The report of an audit of the folder `all`, and its exit code.
fn audit(top: &Path) -> (Value, Option<i32>) {
    let database = format!("sqlite:{}", top.join("a.db").display());
    let output = common::run(top, &["audit", "dir:all", "--database", &database, "--format", "json"]);
    assert!(!output.stdout.is_empty(), "{}", stderr(&output));
    (report_of(&output), output.status.code())
}

#[test]
fn a_submodules_history_is_read_once_wherever_it_is_kept() {
    let House { folder: _folder, top, sub, main, account, token } = house(21);
    write(&sub, ".env", env_of(&account, &token));
    commit(&sub, "leak");
    git(&sub, &["rm", "-q", ".env"]);
    commit(&sub, "remove");
    git(&main, &["submodule", "--quiet", "add", &sub.display().to_string(), "lib"]);
    commit(&main, "a submodule");
    let of = |place: &str| BTreeSet::from([id("auth_token", &token, &format!("{}/{place}", main.display()))]);
    // Checked out, it is a repository of its own.
    let (report, code) = audit(&top);
    assert_eq!((secrets(&report), code), (of("lib/.env"), Some(1)), "{}", report["skipped"]);
    assert_eq!(report["skipped"], serde_json::json!([]));

    git(&main, &["submodule", "--quiet", "deinit", "-f", "lib"]);
    std::fs::remove_file(top.join("a.db")).expect("removed");
    let (report, code) = audit(&top);
    assert_eq!((secrets(&report), code), (of("(submodule lib)/.env"), Some(1)), "{}", report["skipped"]);
    assert_eq!(report["skipped"], serde_json::json!([]));

    std::fs::remove_dir_all(main.join(".git/modules")).expect("removed");
    std::fs::remove_file(top.join("a.db")).expect("removed");
    let (report, code) = audit(&top);
    assert_eq!((secrets(&report), code), (BTreeSet::new(), Some(2)));
    assert!(report["skipped"].to_string().contains("a submodule that is not here"), "{}", report["skipped"]);
}

#[test]
fn the_history_of_a_submodule_that_was_removed_is_read() {
    let House { folder: _folder, top, sub, main, account, token } = house(22);
    write(&sub, ".env", env_of(&account, &token));
    commit(&sub, "leak");
    git(&main, &["submodule", "--quiet", "add", &sub.display().to_string(), "lib"]);
    commit(&main, "a submodule");
    git(&main, &["rm", "-q", "-f", "lib"]);
    commit(&main, "removed");
    std::fs::remove_dir_all(&sub).expect("removed");
    let (report, code) = audit(&top);
    let place = format!("{}/(submodule lib)/.env", main.display());
    assert_eq!((secrets(&report), code), (BTreeSet::from([id("auth_token", &token, &place)]), Some(1)));
}

#[test]
fn what_a_folder_lost_to_a_reset_and_a_pruning_stays_in_the_report() {
    let House { folder: _folder, top, main, account, token, .. } = house(23);
    write(&main, "a.txt", "a");
    commit(&main, "first");
    write(&main, ".env", env_of(&account, &token));
    commit(&main, "leak");
    let (report, code) = audit(&top);
    assert_eq!((secrets(&report).len(), code), (1, Some(1)));
    git(&main, &["reset", "-q", "--hard", "HEAD~1"]);
    git(&main, &["reflog", "expire", "--expire=all", "--all"]);
    git(&main, &["gc", "-q", "--prune=now"]);
    let (report, code) = audit(&top);
    assert_eq!((secrets(&report).len(), code), (1, Some(1)), "{report}");
    assert!(report["findings"].to_string().contains("\"not_read_again\":true"), "{}", report["findings"]);
}
