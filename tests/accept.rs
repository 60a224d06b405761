//! Living with findings: lines, baselines and policies accept with a reason, are listed, end, and never hide what works.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::path::Path;

use common::rig::{Rig, token_code};
use common::{commit, git, hold_to, report, run, stderr, stdout, write};
use serde_json::{Value, json};
use twilio_sim::World;

/// A folder with one leak in `.env`: account and token.
fn leaky(seed: u64) -> (tempfile::TempDir, World, String, String) {
    let mut world = World::new(seed);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), ".env", token_code(&account, &token));
    (folder, world, account, token)
}

fn baseline(folder: &Path) -> Value {
    serde_json::from_slice(
        &std::fs::read(folder.join("../baseline.json"))
            .or_else(|_| std::fs::read(folder.join("baseline.json")))
            .unwrap(),
    )
    .unwrap()
}

fn secrets(report: &Value) -> usize {
    report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "auth_token").count()
}

#[test]
fn a_baseline_accepts_values_and_not_places() {
    let (folder, mut world, account, token) = leaky(1);
    let folder = folder.path();
    assert_eq!(
        run(folder, &["scan", "--write-baseline", "baseline.json"]).status.code(),
        Some(2),
        "without a reason"
    );
    let output = run(folder, &["scan", "--write-baseline", "baseline.json", "--reason", "a test account"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 accepted values, 1 of them new"), "{}", stdout(&output));
    let written = baseline(folder);
    hold_to(&written, include_str!("../docs/schema/baseline-1.schema.json"));
    assert!(!written.to_string().contains(&token[..8]), "{written}");
    let scan = || report(folder, &["--baseline", "baseline.json"]);
    let (quiet, code) = scan();
    common::hold_to_schema(&quiet);
    assert_eq!((secrets(&quiet), code), (0, 0), "{quiet}");
    let listed = quiet["suppressed"].as_array().unwrap();
    assert!(listed.iter().any(|s| s["reason"].as_str().unwrap().contains("a test account")), "{quiet}");

    // Moved lines and a renamed file: the same value.
    std::fs::remove_file(folder.join(".env")).unwrap();
    write(folder, "config/renamed.env", format!("# moved\n\n\n{}", token_code(&account, &token)));
    assert_eq!(scan().1, 0);
    // A new value on the accepted line is new.
    let other = world.hex();
    write(folder, "config/renamed.env", format!("# moved\n\n\n{}", token_code(&account, &other)));
    let (loud, code) = scan();
    assert_eq!((secrets(&loud), code), (1, 1));
    // And one beside it too.
    write(folder, "config/renamed.env", token_code(&account, &token));
    write(folder, "more.env", token_code(&account, &other));
    assert_eq!(secrets(&scan().0), 1);
    // Written again it keeps what it knows.
    let output = run(
        folder,
        &["scan", "--baseline", "baseline.json", "--write-baseline", "baseline.json", "--reason", "second"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let reasons: Vec<Value> =
        baseline(folder)["entries"].as_array().unwrap().iter().map(|entry| entry["reason"].clone()).collect();
    assert!(reasons.contains(&json!("a test account")) && reasons.contains(&json!("second")), "{reasons:?}");
}

#[test]
fn what_was_accepted_for_a_time_counts_again_afterwards() {
    let (folder, ..) = leaky(2);
    let folder = folder.path();
    run(folder, &["scan", "--write-baseline", "baseline.json", "--reason", "until we move"]);
    for (until, code) in [("2999-12-31", 0), ("2020-01-01", 1)] {
        let mut written = baseline(folder);
        written["entries"][0]["until"] = json!(until);
        std::fs::write(folder.join("baseline.json"), written.to_string()).unwrap();
        let (report, exit) = report(folder, &["--baseline", "baseline.json"]);
        assert_eq!(exit, code, "{until}");
        if code == 1 {
            assert!(report["findings"].to_string().contains("which is over"), "{report}");
        }
    }
    for (wrong, words) in [
        (json!({"schema": "sidsweep/report/1", "entries": []}), "its schema is"),
        (json!({"schema": "sidsweep/baseline/1", "entries": [], "more": 1}), "not a baseline"),
        (
            json!({"schema": "sidsweep/baseline/1", "entries": [{"credential": "0", "kind": "auth_token", "path": "", "reason": " ", "by": ""}]}),
            "has no reason",
        ),
    ] {
        std::fs::write(folder.join("baseline.json"), wrong.to_string()).unwrap();
        let output = run(folder, &["scan", "--baseline", "baseline.json"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert_eq!(run(folder, &["scan", "--baseline", "nowhere.json"]).status.code(), Some(2));
}

#[test]
fn a_line_is_allowed_with_a_reason_only() {
    let (_, mut world, account, token) = leaky(3);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scan = |text: &str| {
        write(folder, "app.py", text);
        report(folder, &[])
    };
    let code = format!("client = Client('{account}', '{token}')");
    assert_eq!(scan(&format!("{code}  # sidsweep:allow our sandbox\n")).1, 0);
    assert_eq!(scan(&format!("# sidsweep:allow our sandbox\n{code}\n")).1, 0);
    for none in [
        format!("{code}  # sidsweep:allow\n"),
        format!("{code}  # sidsweep:allow   \n"),
        format!("# sidsweep:allow too far away\n\n{code}\n"),
        format!("{code}\n# sidsweep:allow below\n"),
    ] {
        assert_eq!(scan(&none).1, 1, "{none}");
    }
    let other = world.hex();
    let (both, exit) =
        scan(&format!("# sidsweep:allow our sandbox\n{code}\nclient = Client('{account}', '{other}')\n"));
    assert_eq!((secrets(&both), exit), (1, 1), "the other line counts");
    assert!(both["suppressed"].to_string().contains("our sandbox"));
    let (both, exit) =
        scan(&format!("{code}  # sidsweep:allow our sandbox\nclient = Client('{account}', '{other}')\n"));
    assert_eq!((secrets(&both), exit), (1, 1), "a remark behind code does not reach the next line");
}

#[test]
fn a_repositorys_policy_allows_paths_and_nothing_else() {
    let (folder, mut world, account, token) = leaky(4);
    let folder = folder.path();
    git(folder, &["init", "-q"]);
    write(folder, "tests/fixtures/a.env", token_code(&account, &world.hex()));
    let scan = |policy: &str, arguments: &[&str]| {
        write(folder, ".sidsweep.toml", policy);
        report(folder, arguments)
    };
    let allow = "[[allow]]\npath = \"tests/fixtures/\"\nreason = \"made-up values\"\nby = \"ada\"\n";
    let (part, exit) = scan(allow, &[]);
    assert_eq!((secrets(&part), exit), (1, 1), "{part}");
    assert!(part["suppressed"].to_string().contains(".sidsweep.toml: made-up values (ada)"), "{part}");
    // From a folder below, the policy of the repository holds too.
    assert_eq!(report(&folder.join("tests"), &[]).1, 0);
    // By kind, and for a time.
    let (all, _) = scan("[[allow]]\npath = \"*\"\nkind = \"api_key_secret\"\nreason = \"x\"\n", &[]);
    assert_eq!(secrets(&all), 2);
    assert_eq!(scan("[[allow]]\npath = \"*\"\nreason = \"x\"\nuntil = 2020-01-01\n", &[]).1, 1);
    assert_eq!(scan("[[allow]]\npath = \"*\"\nreason = \"x\"\nuntil = \"2999-01-01\"\n", &[]).1, 0);
    // History is searched all the same, and its findings are listed.
    commit(folder, "All");
    std::fs::remove_file(folder.join(".env")).unwrap();
    commit(folder, "Take it out");
    let (history, exit) = scan(allow, &["--history"]);
    assert_eq!((secrets(&history), exit), (1, 1), "{history}");
    // An organization's own run is not talked out of anything, and says so.
    write(folder, ".env", token_code(&account, &token));
    write(folder, ".sidsweep.toml", "[[allow]]\npath = \"*\"\nreason = \"trust me\"\n");
    let policy = tempfile::tempdir().unwrap();
    let path = policy.path().join("policy.toml");
    std::fs::write(&path, "[[allow]]\npath = \"tests/**\"\nreason = \"the organization says so\"\n").unwrap();
    let output = run(folder, &["scan", "--policy", &path.display().to_string(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(".sidsweep.toml is not followed"), "{}", stderr(&output));
    let organized: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(secrets(&organized), 1);
    assert!(organized["suppressed"].to_string().contains("policy.toml: the organization says so"));
    // What it cannot say it may not say.
    for (wrong, words) in [
        ("history = false\n", "nothing else"),
        ("[rules]\ndisable = [\"twilio-auth-token\"]\n", "nothing else"),
        ("[[allow]]\npath = \"*\"\n", "reason"),
        ("[[allow]]\npath = \"*\"\nreason = \"\"\n", "has no reason"),
        ("[[allow]]\npath = \" \"\nreason = \"x\"\n", "an empty path"),
        ("[[allow]]\npath = \"*\"\nreason = \"x\"\nuntil = \"soon\"\n", "2027-01-31"),
        ("endpoint = \"https://evil.example\"\n", "nothing else"),
    ] {
        write(folder, ".sidsweep.toml", wrong);
        let (named, code) = report(folder, &["."]);
        assert_eq!((secrets(&named), code), (2, 1), "{wrong}");
        let skipped = named["skipped"].to_string();
        assert!(skipped.contains(words) && skipped.contains("followed in nothing"), "{wrong}: {skipped}");
    }
}

#[test]
fn a_commit_follows_the_policy_and_a_server_does_not() {
    let (folder, ..) = leaky(5);
    let folder = folder.path();
    git(folder, &["init", "-q"]);
    write(folder, ".sidsweep.toml", "[[allow]]\npath = \".env\"\nreason = \"sandbox\"\n");
    git(folder, &["add", "-A"]);
    assert_eq!(report(folder, &["--staged"]).1, 0);
    std::fs::remove_file(folder.join(".sidsweep.toml")).unwrap();
    assert_eq!(report(folder, &["--staged"]).1, 1);
}

#[test]
fn what_works_is_shown_whatever_was_accepted() {
    let mut world = World::new(6);
    let account = world.account("Shop", None);
    let (token, dead) = (world.token(&account), world.hex());
    let mut rig = Rig::new(world);
    rig.plant(&dead);
    rig.write(
        "live/.env",
        &format!("# sidsweep:allow sandbox\nTWILIO_AUTH_TOKEN={token}\nTWILIO_ACCOUNT_SID={account}\n"),
    );
    rig.write(
        "dead/.env",
        &format!("# sidsweep:allow sandbox\nTWILIO_AUTH_TOKEN={dead}\nTWILIO_ACCOUNT_SID={account}\n"),
    );
    let output = rig.run(&["scan"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let (report, code) = rig.verified(&[]);
    assert_eq!((secrets(&report), code), (1, 1), "{report}");
    let shown = report["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "auth_token").unwrap();
    assert_eq!(shown["path"], "live/.env");
    assert!(
        shown["evidence"].to_string().contains("accepted (sandbox), and shown since it works"),
        "{shown}"
    );
    let (_, code) = rig.verified(&["--fail-on", "live"]);
    assert_eq!(code, 1);
}

#[test]
fn a_policy_holds_for_a_file_that_is_named() {
    let (folder, ..) = leaky(7);
    let folder = folder.path();
    git(folder, &["init", "-q"]);
    std::fs::create_dir(folder.join("app")).unwrap();
    std::fs::rename(folder.join(".env"), folder.join("app/.env")).unwrap();
    write(folder, ".sidsweep.toml", "[[allow]]\npath = \"app/.env\"\nreason = \"sandbox\"\n");
    assert_eq!(report(folder, &["app/.env"]).1, 0);
    assert_eq!(report(folder, &[&folder.join("app/.env").display().to_string()]).1, 0);
    assert_eq!(report(&folder.join("app"), &[".env"]).1, 0);
    std::fs::remove_file(folder.join(".sidsweep.toml")).unwrap();
    let (named, code) = report(folder, &["app/.env"]);
    assert_eq!(code, 1);
    assert!(named["findings"].as_array().unwrap().iter().all(|f| f["path"] == "app/.env"), "{named}");
}
