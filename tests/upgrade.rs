//! What an earlier version left is understood by this one: the database of an audit that 0.1.0 made.
#![cfg(feature = "audit")]
#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::path::Path;

use common::fixture::Mint;
use common::{git, run, stderr, stdout, write};
use serde_json::Value;

/// Made by the program of version 0.1.0 from `shop` below, in `/srv/audits`: `sidsweep audit dir:org --database sqlite:0.1.0.db`, then
/// `VACUUM`. It is never made anew; a later version adds its own beside it.
const OLD: &[u8] = include_bytes!("../fixtures/audits/0.1.0.db");

/// The repository that was audited.
fn shop(at: &Path) {
    let shop = at.join("org/shop");
    let token = Mint::new(10).fill("{{token:1}}").0;
    write(&shop, "sms.py", format!("TWILIO_AUTH_TOKEN = \"{token}\"\n"));
    git(&shop, &["init", "-q"]);
    git(&shop, &["add", "-A"]);
    let date = "2026-11-20T10:00:00Z";
    let dated = std::process::Command::new("git")
        .current_dir(&shop)
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "commit",
            "-q",
            "-m",
            "Send messages",
        ])
        .envs([("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date), ("HOME", "/nonexistent")])
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .status();
    assert!(dated.unwrap().success());
}

fn report(at: &Path) -> Value {
    let output = run(at, &["audit", "report", "--format", "json", "--database", "sqlite:0.1.0.db"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Repositories of a folder are known by where they lie: it is as if the folder had lain here from the start.
fn move_to(at: &Path) {
    use sqlx::Connection;
    let here = at.canonicalize().unwrap().display().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = format!("sqlite://{}", at.join("0.1.0.db").display());
        let mut database = sqlx::SqliteConnection::connect(&file).await.unwrap();
        sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut database).await.unwrap();
        let columns = [
            ("repositories", "name"),
            ("repositories", "body"),
            ("work", "repository"),
            ("scans", "repository"),
            ("scans", "root"),
            ("seen", "repository"),
            ("findings", "repository"),
            ("findings", "body"),
        ];
        for (table, column) in columns {
            let sql = format!("UPDATE {table} SET {column} = replace({column}, '/srv/audits', $1)");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&here).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
    });
}

#[test]
fn an_audit_of_0_1_0_is_shown_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "0.1.0.db", OLD);
    move_to(at);
    let status = run(at, &["audit", "status", "--database", "sqlite:0.1.0.db"]);
    assert_eq!(status.status.code(), Some(0), "{}{}", stdout(&status), stderr(&status));
    let old = report(at);
    common::hold_to_schema(&old);
    let findings = |report: &Value| -> Vec<(String, String)> {
        let all = report["findings"].as_array().unwrap().iter();
        all.map(|one| {
            (one["credential"].as_str().unwrap().to_owned(), one["path"].as_str().unwrap().to_owned())
        })
        .collect()
    };
    assert_eq!(findings(&old).len(), 1, "{old}");
    assert_eq!(findings(&old)[0].1, "sms.py");
    let first_seen = &old["findings"][0]["first_seen"];
    assert_eq!(*first_seen, "2026-11-30T16:05:11.583Z", "{old}");
    // The next audit goes into the same database, and finds the same value at the same place.
    shop(at);
    let next = run(at, &["audit", "dir:org", "--database", "sqlite:0.1.0.db"]);
    assert_eq!(next.status.code(), Some(1), "{}{}", stdout(&next), stderr(&next));
    assert_eq!(findings(&report(at)), findings(&old));
    let status = run(at, &["audit", "status", "--format", "json", "--database", "sqlite:0.1.0.db"]);
    assert_eq!(status.status.code(), Some(0), "{}", stderr(&status));
}
