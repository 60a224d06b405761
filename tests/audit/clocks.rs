//! Clocks that were set back, and listers that died.

use std::process::Stdio;
use std::time::Duration;

use sidsweep::store::{Database, Store};

use crate::common::org::{Org, report_of, secrets};
use crate::common::{stderr, write};

/// A year, in seconds: by so much the clock was set back.
const YEAR: &str = "31536000";

/// Runs an audit until it has begun to clone, and kills it.
fn kill_early(org: &Org) {
    let source = org.source();
    let mut child = org
        .command(&[&source, "--hurry", "--workers", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let begin = std::time::Instant::now();
    while org.forge.cloned().is_empty() && begin.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// Runs a command that may wait for ever where something is wrong.
fn bounded(org: &Org, arguments: &[&str]) -> std::process::Output {
    let run = org.command(arguments);
    std::process::Command::new("timeout")
        .args(["-s", "KILL", "120"])
        .arg(run.get_program())
        .args(run.get_args())
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(org.folder.path())
        .output()
        .expect("timeout runs")
}

#[test]
fn work_that_is_due_in_the_future_is_done_and_a_worker_of_the_future_is_gone() {
    let org = Org::of(30, 14);
    kill_early(&org);
    // Nobody on this machine knows of the worker that was killed.
    std::fs::remove_dir_all(org.folder.path().join("state/audit.mirrors/.workers")).expect("removed");
    super::change(
        &org,
        &[
            &format!("UPDATE Jobs SET run_at = run_at + {YEAR}"),
            &format!("UPDATE Workers SET last_seen = last_seen + {YEAR}"),
        ],
    );
    let source = org.source();
    let output = bounded(&org, &[&source, "--hurry", "--lease", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(secrets(&report_of(&output)), org.leaks);
    // What was asked in the future is asked again, whatever the forge says of pushes.
    super::change(&org, &["UPDATE scans SET checked_at = '2099-01-01T00:00:00Z'"]);
    let before = org.forge.cloned().len();
    org.audit(&[]);
    assert_eq!(org.forge.cloned().len(), before + 30);
    // The audit that was begun last is the latest, whatever its clock said.
    let latest = org.status()["audit"].clone();
    super::change(&org, &["UPDATE audits SET started_at = '2001-01-01T00:00:00Z' WHERE number = 2"]);
    assert_eq!(org.status()["audit"], latest);
}

#[test]
fn a_worker_lists_in_the_place_of_one_that_died() {
    let org = Org::of(30, 15);
    org.forge.world().page = 5;
    kill_early(&org);
    // As if it had been killed after the first page.
    super::change(
        &org,
        &[
            "UPDATE audits SET listed_at = NULL, finished_at = NULL",
            "DELETE FROM work WHERE repository NOT LIKE '%/repo-00%'",
            "DELETE FROM Jobs",
        ],
    );
    let output = bounded(&org, &["worker", "--hurry", "--lease", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("lists in its place"), "{}", stderr(&output));
    let status = org.status();
    assert_eq!(status["states"], serde_json::json!({"done": 30}));
    assert!(status["finished_at"].is_string());
    let report = report_of(&org.run(&["report", "--format", "json"]));
    assert_eq!(secrets(&report), org.leaks);
}

#[test]
fn what_another_machine_cannot_list_is_said() {
    let org = Org::of(1, 16);
    write(org.folder.path(), "urls.txt", format!("{}/acme/repo-000.git\n", org.forge.address));
    org.run(&["list:urls.txt", "--format", "json", "--hurry"]);
    super::change(&org, &["UPDATE audits SET listed_at = NULL, finished_at = NULL"]);
    let output = bounded(&org, &["worker", "--hurry", "--lease", "2"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("list:urls.txt can be listed only where that ran"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn one_process_lists_at_a_time_and_none_takes_over_from_one_that_lives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let database = Database::File(folder.path().join("a.db"));
        let store = Store::open(database).await.expect("opened");
        let audit = store.begin_audit(&["dir:.".to_owned()], "{}", "1").await.expect("begun");
        store.take_listing(&audit.id, "one").await.expect("taken");
        let seen = store.listing(&audit.id).await.expect("asked").expect("it lists");
        assert_eq!(seen.lister.as_deref(), Some("one"));
        // It lives, so what was seen is not how it is.
        assert!(store.keep_listing(&audit.id, "one").await.expect("kept"));
        assert!(!store.take_over_listing(&audit.id, &seen, "two").await.expect("asked"));
        let seen = store.listing(&audit.id).await.expect("asked").expect("it lists");
        assert!(store.take_over_listing(&audit.id, &seen, "two").await.expect("taken"));
        assert!(!store.take_over_listing(&audit.id, &seen, "three").await.expect("asked"), "two was quicker");
        assert!(!store.keep_listing(&audit.id, "one").await.expect("asked"), "one hears of it");
        store.listed(&audit.id).await.expect("listed");
        assert_eq!(store.listing(&audit.id).await.expect("asked"), None);
    });
}
