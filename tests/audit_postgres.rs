//! Audits in PostgreSQL: several workers, a server that goes away, a disk that is full.
#![cfg(feature = "audit")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::fixture::Mint;
use common::forge::{Repo, bare};
use common::org::{Org, report_of, secrets};
use common::postgres::Postgres;
use common::stderr;
use serde_json::json;

fn org(postgres: &Postgres, count: usize, seed: u64) -> Org {
    let mut org = Org::of(count, seed);
    org.database = Some(postgres.url());
    org
}

#[test]
fn two_machines_share_an_audit_and_each_repository_is_looked_at_once() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 80, 31);
    let mirrors = org.folder.path().join("other");
    let other = org
        .command(&["worker", "--workers", "2", "--wait", "20", "--mirrors", &mirrors.display().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let (report, code) = org.audit(&["--workers", "1"]);
    assert_eq!((secrets(&report), code), (org.leaks.clone(), 1));
    assert_eq!(report["skipped"], json!([]));
    let output = other.wait_with_output().expect("it ends with the audit");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("Joining audit"), "{}", stderr(&output));
    assert_eq!(org.status()["states"], json!({"done": 80}));
    // Both worked, and no repository was asked for twice: once for its references, once for its objects.
    let roots: Vec<String> = report["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["root"].as_str().expect("a root").to_owned())
        .collect();
    assert!(
        roots.iter().any(|root| root.contains("/other/"))
            && roots.iter().any(|root| !root.contains("/other/")),
        "both worked"
    );
    assert_eq!(org.forge.cloned().len(), 160);
    // Unchanged, wherever it was looked at.
    org.audit(&[]);
    assert_eq!(org.status()["states"], json!({"unchanged": 80}));
}

#[test]
fn workers_that_are_killed_and_a_server_that_goes_away_lose_nothing() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 100, 32);
    let source = org.source();
    let mut random = fastrand::Rng::with_seed(32);
    let start = |arguments: &[&str]| {
        org.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
    };
    for _ in 0..5 {
        let mut main = start(&[&source, "--lease", "2", "--hurry", "--format", "json", "--workers", "2"]);
        let mut other = start(&["worker", "--lease", "2", "--hurry", "--workers", "2", "--wait", "5"]);
        std::thread::sleep(Duration::from_millis(random.u64(200..1200)));
        for child in [&mut other, &mut main] {
            let _ = child.kill();
            child.wait().expect("ended");
        }
    }
    // The server crashes in the middle of a run, and comes back.
    let main = org
        .command(&[&source, "--lease", "2", "--hurry", "--format", "json", "--workers", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(Duration::from_millis(700));
    postgres.down();
    std::thread::sleep(Duration::from_millis(1500));
    postgres.up();
    let output = main.wait_with_output().expect("it ends");
    // If it had ended before the server went away, this is what it had told.
    let report = report_of(&output);
    assert_eq!(secrets(&report), org.leaks, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
    let status = org.status();
    assert!(status["finished_at"].is_string());
    assert_eq!(status["repositories"], 100);
}

#[test]
fn a_disk_that_is_full_stops_one_repository_and_not_the_rest() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 6, 33);
    let noise: String = Mint::new(33).base62(3_000_000);
    let path = org.folder.path().join("big");
    bare(&path, &[&[("noise.txt", Some(&noise))]], &[]);
    org.forge.world().repos.push(Repo::new("big", &path));
    // No file may be larger than a MiB: what git says then is what it says on a full disk.
    let run = org.command(&[&org.source(), "--format", "json", "--hurry"]);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"])
        .arg(run.get_program())
        .args(run.get_args())
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(org.folder.path())
        .output()
        .expect("sh runs");
    let report = report_of(&output);
    assert_eq!(secrets(&report), org.leaks, "{}", stderr(&output));
    let skipped = report["skipped"].as_array().expect("a list");
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(skipped[0]["path"].as_str().is_some_and(|path| path.ends_with("/big")), "{skipped:?}");
    // With room again, the next audit looks at it.
    org.audit(&[]);
    assert_eq!(org.status()["states"], json!({"done": 1, "unchanged": 6}));
}

#[test]
fn a_password_is_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = common::run(
        folder.path(),
        &["audit", "dir:.", "--database", "postgres://ada:s3cr3t-pw@127.0.0.1:1/x"],
    );
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("it cannot be reached"), "{told}");
    assert!(told.contains("postgres://ada@127.0.0.1:1/x") && !told.contains("s3cr3t"), "{told}");
}

#[test]
fn a_server_that_stays_away_ends_the_run_and_the_next_goes_on() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 60, 34);
    let source = org.source();
    let child = org
        .command(&[&source, "--lease", "2", "--hurry", "--format", "json", "--workers", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let begin = std::time::Instant::now();
    while org.forge.cloned().len() < 6 && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    postgres.down();
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("is away, or cannot be written"), "{}", stderr(&output));
    postgres.up();
    let (report, _) = org.audit(&["--lease", "2"]);
    assert_eq!(secrets(&report), org.leaks);
}

#[test]
fn a_database_of_an_earlier_version_is_brought_up_to_date_and_all_is_judged_anew() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 6, 35);
    org.audit(&[]);
    postgres.change(&[
        "DELETE FROM _sqlx_migrations WHERE version = 2",
        "DROP TABLE secrets",
        "ALTER TABLE audits DROP COLUMN lister, DROP COLUMN beat, DROP COLUMN number",
        "DELETE FROM findings",
        "UPDATE scans SET credentials = '[]', hits = '[]'",
    ]);
    let (report, code) = org.audit(&[]);
    assert_eq!((secrets(&report), code), (org.leaks.clone(), 1));
    assert_eq!(org.status()["states"], json!({"done": 6}));
    org.audit(&["--check-refs"]);
    assert_eq!(org.status()["states"], json!({"unchanged": 6}));
}

#[test]
fn work_that_is_due_in_the_future_is_done_and_a_lister_that_died_is_replaced() {
    let Some(postgres) = Postgres::start() else { return };
    let org = org(&postgres, 30, 36);
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
    postgres.change(&[
        "UPDATE audits SET listed_at = NULL, finished_at = NULL",
        "DELETE FROM work WHERE repository NOT LIKE '%/repo-00%'",
        "DELETE FROM apalis.jobs WHERE convert_from(job, 'UTF8') NOT LIKE '%/repo-00%'",
        "UPDATE apalis.jobs SET run_at = run_at + interval '1 year'",
        "UPDATE apalis.workers SET last_seen = last_seen + interval '1 year'",
    ]);
    // A worker on another machine knows nothing of the process that was killed.
    let mirrors = org.folder.path().join("other").display().to_string();
    let worker = org.command(&["worker", "--hurry", "--lease", "2", "--mirrors", &mirrors]);
    let output = Command::new("timeout")
        .args(["-s", "KILL", "120"])
        .arg(worker.get_program())
        .args(worker.get_args())
        .envs(worker.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(org.folder.path())
        .output()
        .expect("timeout runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("lists in its place"), "{}", stderr(&output));
    assert_eq!(org.status()["repositories"], 30);
    let report = report_of(&org.run(&["report", "--format", "json"]));
    assert_eq!(secrets(&report), org.leaks);
}
