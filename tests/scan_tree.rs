//! `sidsweep scan` on work trees, as a user meets it: what is read, what is named, and how it exits.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::os::unix::process::CommandExt;

use common::fixture::Mint;
use common::{git, report, run, stderr, stdout, write};
use serde_json::Value;

/// A folder with one leaked pair in `.env`, and the token's value.
fn leaky() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut mint = Mint::new(5);
    let (text, _) = mint.fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n");
    write(folder.path(), ".env", text);
    (folder, mint.value("token", "1"))
}

fn paths(report: &Value) -> Vec<String> {
    let mut paths: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn skipped(report: &Value) -> Vec<String> {
    report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| format!("{}: {}", s["path"].as_str().unwrap(), s["reason"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_leak_in_a_hidden_file_is_found_and_exits_with_1() {
    let (folder, _) = leaky();
    let (report, code) = report(folder.path(), &[]);
    assert_eq!((paths(&report), code), (vec![".env".to_owned()], 1));
    let credential = &report["credentials"][0];
    assert_eq!(
        (credential["type"].as_str(), credential["account_sid"].is_string()),
        (Some("auth_token"), true)
    );
}

#[test]
fn the_report_fits_its_published_schema() {
    let (folder, _) = leaky();
    let mut mint = Mint::new(6);
    let (text, _) = mint.fill("jwt={{jwt:1}}\nSENDGRID_API_KEY={{sendgrid:1}}\ntwilio('{{sk:2}}', '{{secret:2}}')\nx = \"AC\" + '{{ac:3|body}}' # twilio\n");
    write(folder.path(), "more.js", text);
    for arguments in [&[][..], &["--show-secrets"][..], &["--min-confidence", "low"][..]] {
        let (report, _) = report(folder.path(), arguments);
        common::hold_to_schema(&report);
        assert!(report["findings"].as_array().unwrap().len() >= 7);
    }
}

#[test]
fn no_output_holds_a_value_unless_asked() {
    let (folder, token) = leaky();
    for format in ["text", "json", "jsonl"] {
        let output = run(folder.path(), &["scan", "--format", format, "--report", "json=out.json"]);
        let all =
            [output.stdout, output.stderr, std::fs::read(folder.path().join("out.json")).unwrap()].concat();
        assert!(!String::from_utf8_lossy(&all).contains(&token), "{format}");
        std::fs::remove_file(folder.path().join("out.json")).unwrap();
        let shown = run(folder.path(), &["scan", "--format", format, "--show-secrets"]);
        assert!(stdout(&shown).contains(&token), "{format}");
    }
}

#[test]
fn identifiers_alone_do_not_fail_the_command() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.js", Mint::new(1).fill("const sid = '{{ac:1}}';").0);
    let (report, code) = report(folder.path(), &[]);
    assert_eq!((report["findings"].as_array().unwrap().len(), code), (1, 0));
}

#[test]
fn fail_on_never_reports_and_exits_with_0() {
    let (folder, _) = leaky();
    let (report, code) = report(folder.path(), &["--fail-on", "never"]);
    assert_eq!((report["findings"].as_array().unwrap().len(), code), (2, 0));
}

#[test]
fn a_path_that_does_not_exist_is_named_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["scan", "no/such/place"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no/such/place"), "{}", stderr(&output));
    assert!(stdout(&output).is_empty());
}

#[test]
fn every_one_of_several_paths_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(
            folder.path(),
            &format!("{name}/x.env"),
            Mint::new(u64::from(name.as_bytes()[0])).fill("TWILIO_AUTH_TOKEN={{token:1}}").0,
        );
    }
    let (report, _) = report(folder.path(), &["a", "b/x.env", "./c"]);
    assert_eq!(paths(&report), ["a/x.env", "b/x.env", "c/x.env"]);
}

#[test]
fn what_is_named_is_read_under_its_name_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let leak = |seed| Mint::new(seed).fill("TWILIO_AUTH_TOKEN={{token:1}}\n").0;
    git(folder.path(), &["init", "-q"]);
    write(folder.path(), ".gitignore", "*.env\n");
    for (name, seed) in
        [("a/b/ignored.env", 1), ("a/b/tracked.env", 2), ("c/plain.txt", 3), ("real.env", 4), ("-", 5)]
    {
        write(folder.path(), name, leak(seed));
    }
    git(folder.path(), &["add", "-f", "a/b/tracked.env"]);
    std::os::unix::fs::symlink("real.env", folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("c", folder.path().join("folder")).unwrap();
    let absolute = folder.path().join("real.env").display().to_string();
    // An ignored file that is tracked is found below each root that it stands below.
    let named = ["a", "a/b", "./c/", "folder", "real.env", "link", "./-", &absolute];
    let (report, code) = report(folder.path(), &named);
    assert_eq!(code, 1);
    let expected = ["-", "a/b/tracked.env", "c/plain.txt", "folder/plain.txt", "link", "real.env"];
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.insert(1, absolute.clone());
    assert_eq!((paths(&report), report["stats"]["files"].as_u64()), (expected, Some(8)));
    assert_eq!(skipped(&report), [""; 0]);
    // One that is not here is named, and does not hide what the others hold; alone it is an error.
    let output = run(folder.path(), &["scan", "a", "gone", "c", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(paths(&report), ["a/b/tracked.env", "c/plain.txt"]);
    assert!(output.status.code() == Some(1) && skipped(&report)[0].starts_with("gone"), "{report}");
    let output = run(folder.path(), &["scan", "gone"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
    assert!(stderr(&output).contains("gone: "), "{}", stderr(&output));
}

#[test]
fn ignored_files_are_passed_over_but_not_when_git_tracks_them() {
    let (folder, _) = leaky();
    git(folder.path(), &["init", "-q"]);
    write(folder.path(), ".gitignore", "*.env\n.env\nbuild/\n");
    let leak = |seed| Mint::new(seed).fill("TWILIO_AUTH_TOKEN={{token:1}}\n").0;
    write(folder.path(), "tracked.env", leak(1));
    write(folder.path(), "build/deep/tracked.txt", leak(2));
    write(folder.path(), "build/untracked.txt", leak(3));
    git(folder.path(), &["add", "-f", "tracked.env", "build/deep/tracked.txt"]);
    assert_eq!(paths(&report(folder.path(), &[]).0), ["build/deep/tracked.txt", "tracked.env"]);
    // What is asked for by name is read, ignored or not.
    assert_eq!(paths(&report(folder.path(), &["build"]).0), ["deep/tracked.txt", "untracked.txt"]);
    assert_eq!(
        paths(&report(folder.path(), &["--no-ignore"]).0),
        [".env", "build/deep/tracked.txt", "build/untracked.txt", "tracked.env"]
    );
}

#[test]
fn the_git_folder_is_not_part_of_the_work_tree() {
    let (folder, _) = leaky();
    git(folder.path(), &["init", "-q"]);
    write(folder.path(), ".git/leak.env", Mint::new(9).fill("TWILIO_AUTH_TOKEN={{token:1}}").0);
    assert_eq!(paths(&report(folder.path(), &[]).0), [".env"]);
}

#[test]
fn an_unreadable_file_is_named_and_the_rest_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "locked.txt", "x");
    write(folder.path(), "open.txt", "y");
    let permit = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    permit(folder.path(), 0o755);
    permit(&folder.path().join("locked.txt"), 0o000);
    let mut command = common::sidsweep();
    if rustix::process::geteuid().is_root() {
        command.uid(65_534);
    }
    let output = command.current_dir(folder.path()).args(["scan", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "nothing was found, and not everything was read");
    assert!(
        skipped(&report)[0].starts_with("locked.txt: ") && skipped(&report)[0].contains("ermission"),
        "{report}"
    );
    assert!(stderr(&output).contains("locked.txt"));
    assert_eq!(report["stats"]["files"], 1);
    // Also where both are named.
    command.args(["locked.txt", "open.txt"]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), report["stats"]["files"].as_u64()), (Some(2), Some(1)));
    assert!(skipped(&report)[0].starts_with("locked.txt: "), "{report}");
}

#[test]
fn pipes_are_never_opened_and_links_are_not_followed() {
    let (folder, _) = leaky();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret.env", Mint::new(8).fill("TWILIO_AUTH_TOKEN={{token:1}}").0);
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("gone", folder.path().join("dangling")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let (scanned, code) = report(folder.path(), &[]);
    assert_eq!(
        (paths(&scanned), code, scanned["stats"]["files"].as_u64()),
        (vec![".env".to_owned()], 1, Some(1))
    );
    let output = run(folder.path(), &["scan", "pipe"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("pipe: neither a folder nor a regular file"));
}

#[test]
fn odd_files_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let mut mint = Mint::new(4);
    let leak = mint.fill("TWILIO_AUTH_TOKEN={{token:1}}").0.into_bytes();
    write(folder.path(), "empty", "");
    write(folder.path(), "nul.bin", [&[0_u8; 4096][..], &leak, &[0; 100]].concat());
    write(folder.path(), "bytes.dat", [&[0xff_u8, 0xfe, 0x80, 0x0a][..], &leak].concat());
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.env")), &leak).unwrap();
    let sparse = std::fs::File::create(folder.path().join("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_at(&sparse, &leak, 200 << 20).unwrap();
    let (report, code) = report(folder.path(), &[]);
    assert_eq!(code, 1);
    assert_eq!(paths(&report), ["bytes.dat", "caf\u{fffd}.env", "nul.bin", "sparse"]);
    assert_eq!(report["stats"]["files"], 5);
}

#[test]
fn a_file_above_the_limit_is_named() {
    let (folder, _) = leaky();
    let (report, code) = report(folder.path(), &["--max-file-size", "10"]);
    assert_eq!(code, 2, "nothing found and not all read");
    assert!(skipped(&report)[0].contains("--max-file-size"), "{report}");
}

#[test]
fn standard_input_is_scanned_under_its_name() {
    let mut command = common::sidsweep();
    command.args(["scan", "--stdin", "--stdin-path", "twilio/a.env", "--format", "jsonl"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let text = Mint::new(3).fill("auth_token: {{token:1}}").0;
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let finding: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((finding["path"].as_str(), output.status.code()), (Some("twilio/a.env"), Some(1)));
}

#[test]
fn what_was_covered_is_always_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["scan"]);
    assert!(stdout(&output).contains("Covered nothing"), "{}", stdout(&output));
    write(folder.path(), "a", "x");
    let output = run(folder.path(), &["scan"]);
    assert!(stdout(&output).contains("Covered 1 file, 1 bytes"), "{}", stdout(&output));
    // Where there is no repository there is no history either.
    assert!(!stdout(&output).contains("git history"), "{}", stdout(&output));
    git(folder.path(), &["init", "-q"]);
    let output = run(folder.path(), &["scan"]);
    assert!(stdout(&output).contains("Not covered: git history"), "{}", stdout(&output));
}

#[test]
fn hostile_names_are_shown_harmless() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a\u{1b}[31m\u{202e}b.env", Mint::new(2).fill("TWILIO_AUTH_TOKEN={{token:1}}").0);
    let text = stdout(&run(folder.path(), &["scan"]));
    assert!(text.contains("a\\u{1b}[31m\\u{202e}b.env") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..500 {
        write(folder.path(), &format!("{n}.env"), Mint::new(n).fill("TWILIO_AUTH_TOKEN={{token:1}}").0);
    }
    let mut child = common::sidsweep()
        .current_dir(folder.path())
        .arg("scan")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
}

#[test]
fn rules_of_ones_own_are_added_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.toml", "twilio_names = [\"smsly\"]\n");
    write(folder.path(), "bad.toml", "twilio_name = 1\n");
    write(folder.path(), "src/a.py", Mint::new(2).fill("smsly_token = '{{token:1}}'").0);
    assert_eq!(report(folder.path(), &["src"]).1, 0);
    assert_eq!(report(folder.path(), &["src", "--rules", "good.toml"]).1, 1);
    let output = run(folder.path(), &["rules", "check", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("bad.toml") && stderr(&output).contains("twilio_name"),
        "{}",
        stderr(&output)
    );
    assert_eq!(run(folder.path(), &["rules", "check", "good.toml"]).status.code(), Some(0));
}

#[test]
fn a_fingerprint_does_not_move_with_its_line() {
    let (folder, _) = leaky();
    let ids = |report: &Value| {
        report["findings"].as_array().unwrap().iter().map(|f| f["id"].clone()).collect::<Vec<_>>()
    };
    let before = ids(&report(folder.path(), &[]).0);
    let text = std::fs::read_to_string(folder.path().join(".env")).unwrap();
    write(folder.path(), ".env", format!("# a\n\n\n{text}"));
    assert_eq!(ids(&report(folder.path(), &[]).0), before);
}

#[test]
fn a_tie_in_doubt_is_reported_with_the_candidates() {
    let folder = tempfile::tempdir().unwrap();
    let mut mint = Mint::new(12);
    let text =
        mint.fill("one = Client('{{ac:1}}', x); two = Client('{{ac:2}}', x)\nauth_token = '{{token:3}}'\n").0;
    write(folder.path(), "a.py", text);
    let (report, _) = report(folder.path(), &[]);
    let credential =
        report["credentials"].as_array().unwrap().iter().find(|c| c["type"] == "auth_token").unwrap();
    let mut named = vec![credential["account_sid"].clone()];
    named.extend(credential["ambiguous"].as_array().unwrap().iter().map(|tie| tie["sid"].clone()));
    named.sort_by_key(ToString::to_string);
    let mut accounts = [mint.value("ac", "1"), mint.value("ac", "2")];
    accounts.sort();
    assert_eq!(named, accounts);
    let (folder, _) = leaky();
    let (report, _) = common::report(folder.path(), &[]);
    assert!(report["credentials"][0]["ambiguous"].is_null(), "no doubt where there is one of each");
}

/// Two files of one program: what defines a pair under names that say nothing, and what passes the names to a call.
fn across(defines: (&str, &str), calls: (&str, &str)) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut mint = Mint::new(17);
    for (path, text) in [defines, calls] {
        let (text, _) = mint.fill(text);
        write(folder.path(), path, text);
    }
    let (report, _) = report(folder.path(), &["--show-secrets"]);
    let of_secrets =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "auth_token");
    (
        of_secrets.map(|finding| finding["value"].as_str().unwrap().to_owned()).collect(),
        mint.value("token", "1"),
    )
}

#[test]
fn a_call_in_another_file_shows_what_a_name_does_not_say() {
    let cases = [
        (
            (
                "inc/constants.php",
                "<?php\ndefine('T_ONE', '{{ac:1}}');\ndefine('T_TWO', '{{token:1}}');\ndefine('T_THREE', '{{hex:32}}');\n",
            ),
            ("inc/sms.php", "<?php\nuse Twilio\\Rest\\Client;\n$c = new Client(T_ONE, T_TWO);\n"),
        ),
        (
            ("secret.py", "usr = \"{{ac:1}}\"\npw = \"{{token:1}}\"\nrev = \"{{hex:32}}\"\n"),
            (
                "send.py",
                "from twilio.rest import Client\nfrom secret import usr, pw\nclient = Client(usr, pw)\n",
            ),
        ),
        (
            (
                "config/index.js",
                "module.exports = {\n  a1: '{{ac:1}}',\n  a2: '{{token:1}}',\n  rev: '{{hex:32}}',\n};\n",
            ),
            (
                "routes/sms.js",
                "const conf = require('../config');\nconst client = require('twilio')(conf.a1, conf.a2);\n",
            ),
        ),
        (
            (
                "Helpers/Keys.cs",
                "public static class Keys {\n  public const string A = \"{{ac:1}}\";\n  public const string B = \"{{token:1}}\";\n}\n",
            ),
            (
                "Services/Sms.cs",
                "using Twilio;\nclass Sms { Sms() { TwilioClient.Init(Keys.A, Keys.B); } }\n",
            ),
        ),
    ];
    for (defines, calls) in cases {
        let (found, token) = across(defines, calls);
        assert_eq!(found, [token], "{} and {}", defines.0, calls.0);
    }
}

#[test]
fn a_name_that_a_file_defines_itself_is_not_another_files() {
    let calls = "from twilio.rest import Client\npw = input()\nclient = Client(\"{{ac:1}}\", pw)\n";
    let (found, _) = across(("cache.py", "pw = \"{{hex:32}}\"\n"), ("send.py", calls));
    assert!(found.is_empty(), "its own variable");
    let calls = "from twilio.rest import Client\nclient = Client(\"{{ac:1}}\", secrets.pw)\n";
    let (found, _) = across(("a/b/c/cache.py", "pw = \"{{hex:32}}\"\n"), ("x/y/z/send.py", calls));
    assert!(found.is_empty(), "a file that is not imported");
}
