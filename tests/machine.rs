//! `scan --machine`: the places of a person's machine, each named, and nothing followed elsewhere.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]

mod common;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use common::fixture::Mint;
use common::{hold_to_schema, sidsweep, stderr, write};
use serde_json::Value;

fn scan(home: &Path, options: &[&str]) -> (Value, Output) {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = sidsweep()
        .current_dir(elsewhere.path())
        .args(["scan", "--machine", "--format", "json"])
        .args(options)
        .env("HOME", home)
        .output()
        .unwrap();
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    (report, output)
}

/// Paths of secrets below the home, with what they belong to.
fn secrets(report: &Value, home: &Path) -> Vec<(String, String)> {
    let credentials = report["credentials"].as_array().unwrap();
    let mut found: Vec<(String, String)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| !finding["kind"].as_str().unwrap().ends_with("_sid"))
        .map(|finding| {
            let credential =
                credentials.iter().find(|credential| credential["id"] == finding["credential"]).unwrap();
            let path = Path::new(finding["path"].as_str().unwrap());
            let below = path
                .strip_prefix(home)
                .unwrap_or_else(|_| panic!("{} is not below the home", path.display()));
            let of =
                credential["key_sid"].as_str().or(credential["account_sid"].as_str()).unwrap_or("nothing");
            (below.display().to_string(), of[..2].to_owned())
        })
        .collect();
    found.sort();
    found
}

const ENV: &str = "TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n";
const TRIPLE: &str = "{\"mcpServers\": {\"twilio\": {\"command\": \"npx\", \"args\": [\"-y\", \"@twilio-alpha/mcp\", \"{{ac:1}}/{{sk:1}}:{{secret:1}}\"]}}}\n";

#[test]
fn each_place_is_looked_at_and_pairs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap();
    let places: [(&str, &str, &str); 10] = [
        (".bash_history", "ls\nexport TWILIO_ACCOUNT_SID={{ac:1}} TWILIO_AUTH_TOKEN={{token:1}}\n", "AC"),
        (
            ".zsh_history",
            ": 1700000000:0;curl -u {{ac:1}}:{{token:1}} https://api.twilio.com/2010-04-01/Accounts.json\n",
            "AC",
        ),
        (
            ".local/share/fish/fish_history",
            "- cmd: set -x TWILIO_AUTH_TOKEN {{token:1}} # {{ac:1}}\n  when: 1700000000\n",
            "AC",
        ),
        (
            ".twilio-cli/config.json",
            "{\"profiles\": {\"p\": {\"accountSid\": \"{{ac:1}}\", \"apiKey\": \"{{sk:1}}\", \"apiSecret\": \"{{secret:1}}\"}}}\n",
            "SK",
        ),
        (".cursor/mcp.json", TRIPLE, "SK"),
        (".claude.json", TRIPLE, "SK"),
        (".config/Claude/claude_desktop_config.json", TRIPLE, "SK"),
        (
            ".claude/projects/-work/s.jsonl",
            "{\"type\": \"user\", \"message\": {\"content\": \"TWILIO_ACCOUNT_SID={{ac:1}}\\nTWILIO_AUTH_TOKEN={{token:1}}\"}}\n",
            "AC",
        ),
        ("work/shop/.env", ENV, "AC"),
        ("work/shop/deploy/.env.production", ENV, "AC"),
    ];
    for (seed, (path, text, _)) in (1..).zip(places) {
        write(&home, path, Mint::new(seed).fill(text).0);
    }
    // What is no such place: a project's code, what tools fill, what lies too deep.
    for path in ["work/shop/app.py", "work/shop/node_modules/x/.env", ".cache/.env", "a/b/c/d/e/f/g/h/i/.env"]
    {
        write(&home, path, Mint::new(99).fill(ENV).0);
    }
    let (report, output) = scan(&home, &[]);
    hold_to_schema(&report);
    let mut expected: Vec<(String, String)> =
        places.iter().map(|(path, _, of)| ((*path).to_owned(), (*of).to_owned())).collect();
    expected.sort();
    assert_eq!(secrets(&report, &home), expected);
    assert_eq!(output.status.code(), Some(1));
    let files = &report["coverage"]["files"];
    assert_eq!(
        (&files["known"], &files["read"]),
        (&places.len().into(), &places.len().into()),
        "what is absent is not counted"
    );
    assert_eq!(report["sources"].as_array().unwrap().len(), places.len());
    let said = stderr(&output);
    for words in [
        "shell histories: ~/.bash_history, ~/.zsh_history",
        "Twilio's command line: ~/.twilio-cli",
        "MCP configurations: ",
        "coding agents' transcripts: ~/.claude/projects",
        ".env files: ~/work/shop/",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let left = report["not_covered"].to_string();
    assert!(left.contains("node_modules") && left.contains("more than 8 below"), "{left}");
}

#[test]
fn nothing_is_followed_out_of_the_home_and_what_is_not_read_counts() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap();
    write(outside.path(), "history", Mint::new(1).fill(ENV).0);
    write(outside.path(), "agents/.codex/sessions/s.jsonl", Mint::new(2).fill(ENV).0);
    symlink(outside.path().join("history"), home.join(".bash_history")).unwrap();
    symlink(outside.path().join("agents/.codex"), home.join(".codex")).unwrap();
    symlink(outside.path(), home.join("work")).unwrap();
    symlink("nowhere", home.join(".zshrc")).unwrap();
    symlink("/dev/zero", home.join(".zsh_history")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, home.join(".netrc"), rustix::fs::Mode::from_raw_mode(0o600))
        .unwrap();
    // A link within the home is what people do with their settings.
    write(&home, "dotfiles/profile", "export A=1\n");
    symlink("dotfiles/profile", home.join(".profile")).unwrap();
    let (report, output) = scan(&home, &[]);
    assert_eq!(secrets(&report, &home), []);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let skipped: Vec<(String, String)> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["path"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned()))
        .collect();
    for (name, reason) in [
        (".bash_history", "leads out of the home folder"),
        (".codex/sessions", "leads out of the home folder"),
        (".zshrc", "leads nowhere"),
        (".zsh_history", "leads out of the home folder"),
        (".netrc", "a named pipe"),
    ] {
        assert!(
            skipped.iter().any(|(path, why)| path.ends_with(name) && why.contains(reason)),
            "{name}: {reason}: {skipped:?}"
        );
    }
    assert_eq!(skipped.len(), 5, "{skipped:?}");
    assert_eq!(report["coverage"]["files"]["read"], 1, "the profile");
}

#[test]
fn an_empty_home_and_none_at_all_are_told() {
    let home = tempfile::tempdir().unwrap();
    let (report, output) = scan(home.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("none of the usual places"), "{}", stderr(&output));
    assert_eq!(report["stats"]["files"], 0);
    let output = sidsweep().args(["scan", "--machine"]).env("HOME", "/nonexistent").output().unwrap();
    assert!(
        output.status.code() == Some(2) && stderr(&output).contains("/nonexistent"),
        "{}",
        stderr(&output)
    );
    for other in [&["."][..], &["--history"], &["--staged"], &["--stdin"], &["--range", "A..B"], &["--ci"]] {
        let output =
            sidsweep().args(["scan", "--machine"]).args(other).env("HOME", home.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{other:?}");
    }
}
