//! Asking as the last judge: with --verify, what has the shape of a secret and a SID in its file or folder is asked about,
//! whatever its name. What Twilio accepts is reported as certain, and nothing else of it is reported.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use common::rig::Rig;
use common::{commit, git, hold_to_schema, stderr, stdout};
use serde_json::{Value, json};
use twilio_sim::{Fault, FaultKind, KeyKind, World};

/// An account and its token.
fn shop(seed: u64) -> (World, String, String) {
    let mut world = World::new(seed);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    (world, account, token)
}

fn secrets(report: &Value) -> Vec<&Value> {
    let is_secret =
        |finding: &&Value| ["auth_token", "api_key_secret"].contains(&finding["kind"].as_str().unwrap());
    report["findings"].as_array().unwrap().iter().filter(is_secret).collect()
}

fn of_type<'a>(report: &'a Value, type_: &str) -> Vec<&'a Value> {
    report["credentials"].as_array().unwrap().iter().filter(|c| c["type"] == type_).collect()
}

/// The one secret of a report, which is certain since Twilio accepts it, with its credential.
fn certain<'a>(report: &'a Value, type_: &str) -> (&'a Value, &'a Value) {
    let found = secrets(report);
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!(found[0]["confidence"], "high", "{report:#}");
    assert_eq!(found[0]["evidence"][0], "Twilio accepts it", "{report:#}");
    let credentials = of_type(report, type_);
    assert_eq!(credentials.len(), 1, "{report:#}");
    assert_eq!(credentials[0]["verdict"]["state"], "live", "{report:#}");
    assert_eq!(credentials[0]["id"], found[0]["credential"]);
    (found[0], credentials[0])
}

/// What the report says of the values that were asked about: how many, how many of them asked, left and accepted.
fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let doubtful = &report["asked"]["doubtful"];
    let number = |name: &str| doubtful[name].as_u64().unwrap_or_else(|| panic!("{name}: {report:#}"));
    (number("candidates"), number("asked"), number("left"), number("accepted"))
}

/// Lines of different hashes, which no output may show.
fn hashes(rig: &mut Rig, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let hash = rig.sim.world().hex();
        rig.plant(&hash);
        writeln!(text, "build {number}\n{hash}").unwrap();
    }
    text
}

#[test]
fn a_live_token_is_found_whatever_its_name() {
    for (number, form) in [
        "account {account}\n\nx = \"{token}\"\n",
        "ACCOUNT={account}\n\n\n\nmd5 = \"{token}\"\n",
        "{\"etag\": \"{token}\", \"version\": 3, \"owner\": \"{account}\"}\n",
        "some notes\n{account}\nlorem ipsum\n{token}\n",
        "commit: {token}\naccount: {account}\n",
    ]
    .iter()
    .enumerate()
    {
        let (world, account, token) = shop(100 + number as u64);
        let rig = Rig::new(world);
        rig.write("a/data.txt", &form.replace("{account}", &account).replace("{token}", &token));
        // Without asking, the value is no finding in most of these.
        let (plain, _) = common::report(&rig.code(), &[]);
        assert!(plain["asked"].is_null());
        assert!(rig.sim.log().is_empty(), "nothing is asked without --verify");
        let (report, code) = rig.verified(&["--fail-on", "live"]);
        assert_eq!(code, 1, "{form}");
        let live = of_type(&report, "auth_token");
        assert_eq!(live.len(), 1, "{form}: {report:#}");
        assert_eq!(live[0]["verdict"]["state"], "live");
        assert_eq!(live[0]["account_sid"], json!(account));
        assert!(of_type(&report, "account_sid").is_empty(), "the SID is a part of it: {report:#}");
        if secrets(&plain).is_empty() {
            let (_, credential) = certain(&report, "auth_token");
            assert_eq!(credential["evidence"][0], "settled by asking Twilio");
            assert_eq!(credential["remedy"]["action"], "rotate_auth_token_in_console");
            assert_eq!(credential["findings"].as_array().unwrap().len(), 2, "the SID and the token");
            assert_eq!(counts(&report), (1, 1, 0, 1));
        }
    }
}

#[test]
fn most_of_these_forms_say_nothing_without_asking() {
    let (world, account, token) = shop(7);
    let rig = Rig::new(world);
    rig.write("a.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{token}\"\n"));
    let (report, code) = common::report(&rig.code(), &[]);
    assert_eq!((secrets(&report).len(), code), (0, 0));
}

#[test]
fn a_sid_in_another_file_of_the_folder_is_enough() {
    let (world, account, token) = shop(2);
    let rig = Rig::new(world);
    rig.write("deploy/notes.md", &format!("The account is {account}.\n"));
    rig.write("deploy/state.json", &format!("{{\"checksum\": \"{token}\"}}\n"));
    let (report, code) = rig.verified(&[]);
    let (finding, credential) = certain(&report, "auth_token");
    assert_eq!(finding["path"], "deploy/state.json");
    assert_eq!(credential["account_sid"], json!(account));
    assert_eq!((code, rig.sim.log().len()), (1, 1));
}

#[test]
fn a_sid_in_another_folder_is_not() {
    let (world, account, token) = shop(3);
    let rig = Rig::new(world);
    rig.write("docs/notes.md", &format!("The account is {account}.\n"));
    rig.write("deploy/state.json", &format!("{{\"checksum\": \"{token}\"}}\n"));
    let (report, code) = rig.verified(&[]);
    assert_eq!((secrets(&report).len(), code, rig.sim.log().len()), (0, 0, 0));
    assert_eq!(counts(&report), (0, 0, 0, 0));
}

#[test]
fn what_is_refused_is_not_reported() {
    let (mut world, account, _) = shop(4);
    let dead = world.hex();
    let mut rig = Rig::new(world);
    rig.plant(&dead);
    rig.write("a.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{dead}\"\n"));
    let (report, code) = rig.verified(&["--fail-on", "live"]);
    assert_eq!((secrets(&report).len(), code), (0, 0), "{report:#}");
    assert_eq!(counts(&report), (1, 1, 0, 0));
    assert_eq!(rig.sim.log().len(), 1, "one request a pair");
    assert_eq!(of_type(&report, "account_sid").len(), 1);
    let output = rig.run(&["scan", "--verify"]);
    assert!(stdout(&output).contains("1 more value has the shape of a secret"), "{}", stdout(&output));
    assert!(stdout(&output).contains("accepts 0."), "{}", stdout(&output));
}

#[test]
fn of_a_hundred_hashes_32_are_asked_about_and_the_rest_is_counted() {
    let (world, account, _) = shop(5);
    let mut rig = Rig::new(world);
    let list = hashes(&mut rig, 100);
    rig.write("builds.txt", &format!("account {account}\n{list}"));
    let (report, code) = rig.verified(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(counts(&report), (100, 32, 68, 0));
    assert_eq!(rig.sim.log().len(), 32);
    let output = rig.run(&["scan", "--verify"]);
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("asked about 32 of them (32 pairs) and accepts 0; 68 were left"), "{text}");
    let output = rig.run(&["scan", "--verify", "--format", "markdown"]);
    assert!(stdout(&output).contains("68 were left"), "{}", stdout(&output));
    assert!(rig.sim.log().iter().all(|entry| entry.method == "GET"));
}

#[test]
fn the_most_likely_come_first() {
    let (world, account, token) = shop(6);
    let mut rig = Rig::new(world);
    // A list of hashes, and one value whose place says more than theirs: it is asked about first.
    let list = hashes(&mut rig, 60);
    rig.write("builds.txt", &format!("account {account}\nkey = \"{token}\"\nmd5 sums\n{list}\n"));
    let (report, _) = rig.verified(&["--ask-per-sid", "1"]);
    let live = of_type(&report, "auth_token");
    assert_eq!(live.len(), 1, "{report:#}");
    assert_eq!(live[0]["verdict"]["state"], "live", "{report:#}");
    assert!(rig.sim.log().len() <= 2);
}

#[test]
fn the_bounds_can_be_set() {
    let (world, account, _) = shop(8);
    let mut rig = Rig::new(world);
    let list = hashes(&mut rig, 40);
    let other = rig.sim.world().account("Other", None);
    rig.write("builds.txt", &format!("account {account}\n{list}account {other}\n"));
    let asked = |arguments: &[&str]| {
        let before = rig.sim.log().len();
        let (report, _) = rig.verified(arguments);
        let pairs = report["asked"]["doubtful"]["pairs"].as_u64().unwrap();
        assert_eq!(rig.sim.log().len() - before, usize::try_from(pairs).unwrap());
        pairs
    };
    assert_eq!(asked(&["--ask-per-sid", "5"]), 10, "five with each of two SIDs");
    assert_eq!(asked(&["--ask-per-sid", "100"]), 80);
    assert_eq!(asked(&["--ask-most", "7"]), 7);
    assert_eq!(asked(&["--ask-most", "0"]), 0);
    for flag in ["--ask-per-sid", "--ask-most"] {
        let output = rig.run(&["scan", flag, "3"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("--verify"), "{}", stderr(&output));
    }
}

#[test]
fn a_list_of_hashes_beside_one_account_does_not_hide_the_token_of_another() {
    let (world, account, token) = shop(9);
    let mut rig = Rig::new(world);
    let other = rig.sim.world().account("Other", None);
    let list = hashes(&mut rig, 12_000);
    rig.write("a/builds.txt", &format!("account {other}\n{list}"));
    rig.write("b/data.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{token}\"\n"));
    let (report, _) = rig.verified(&[]);
    certain(&report, "auth_token");
    let (candidates, asked, left, _) = counts(&report);
    assert_eq!((candidates, asked, left), (12_001, 33, 11_968));
}

#[test]
fn a_key_secret_under_a_strange_name_is_found_with_its_key() {
    let mut world = World::new(10);
    let account = world.account("Shop", None);
    let (key, secret) = world.key(&account, KeyKind::Standard);
    let rig = Rig::new(world);
    rig.write("a.ini", &format!("owner = {account}\nname = {key}\n\n[cache]\nfile_hash = \"{secret}\"\n"));
    let (report, code) = rig.verified(&[]);
    let (_, credential) = certain(&report, "api_key");
    assert_eq!(credential["key_sid"], json!(key));
    assert_eq!(credential["account_sid"], json!(account));
    assert_eq!(credential["verdict"]["kind"], "standard_key");
    assert_eq!(credential["remedy"]["action"], "delete_key");
    assert_eq!((code, of_type(&report, "api_key").len()), (1, 1), "{report:#}");
}

#[test]
fn hex_digits_are_not_tried_with_a_key() {
    let mut world = World::new(11);
    let account = world.account("Shop", None);
    let (key, _) = world.key(&account, KeyKind::Standard);
    let hash = world.hex();
    let mut rig = Rig::new(world);
    rig.plant(&hash);
    rig.write("a.txt", &format!("name: {key}\n\n\nmd5: {hash}\n"));
    let (report, _) = rig.verified(&[]);
    assert_eq!((counts(&report), rig.sim.log().len()), ((0, 0, 0, 0), 0));
}

#[test]
fn what_somebody_typed_is_not_asked_about() {
    let (world, account, _) = shop(12);
    let rig = Rig::new(world);
    rig.write("a.txt", &format!("account {account}\n\nx = \"0123456789abcdef0123456789abcdef\"\n"));
    let (report, _) = rig.verified(&[]);
    assert_eq!((counts(&report), rig.sim.log().len()), ((0, 0, 0, 0), 0));
}

#[test]
fn an_answer_that_is_not_clear_is_no_all_clear() {
    let (mut world, account, _) = shop(13);
    let hash = world.hex();
    let mut rig = Rig::new(world);
    rig.plant(&hash);
    rig.sim.order(Fault::new(FaultKind::ProxyPage, "Accounts", u32::MAX));
    rig.write("a.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{hash}\"\n"));
    let (report, code) = rig.verified(&["--fail-on", "live"]);
    assert_eq!(code, 2, "{report:#}");
    assert_eq!(report["asked"]["doubtful"]["unsettled"], 1);
    assert!(secrets(&report).is_empty());
    let (_, code) = rig.verified(&[]);
    assert_eq!(code, 0, "nothing was found");
}

#[test]
fn where_nobody_answers_it_is_given_up_soon() {
    let (world, account, _) = shop(14);
    let mut rig = Rig::new(world);
    let list = hashes(&mut rig, 300);
    rig.write("builds.txt", &format!("account {account}\n{list}"));
    rig.sim.order(Fault::new(FaultKind::ProxyPage, "Accounts", u32::MAX));
    let (report, _) = rig.verified(&["--ask-per-sid", "300"]);
    assert!(rig.sim.log().len() < 60, "{} requests", rig.sim.log().len());
    let (candidates, asked, left, _) = counts(&report);
    assert_eq!((candidates, asked + left), (300, 300));
    assert!(left > 200, "{report:#}");
}

#[test]
fn history_ranges_the_index_and_standard_input_are_judged_alike() {
    let (world, account, token) = shop(15);
    let rig = Rig::new(world);
    let code = rig.code();
    git(&code, &["init", "-q"]);
    rig.write("app/README.md", "nothing\n");
    commit(&code, "Begin");
    let text = format!("ACCOUNT={account}\n\n\n\nmd5 = \"{token}\"\n");
    rig.write("app/data.txt", &text);
    git(&code, &["add", "-A"]);
    let (report, exit) = rig.verified(&["--staged"]);
    certain(&report, "auth_token");
    assert_eq!(exit, 1);
    commit(&code, "Add data");
    rig.write("app/data.txt", "nothing any more\n");
    commit(&code, "Take it out");
    let (report, _) = rig.verified(&["--range", "HEAD~2..HEAD"]);
    let (finding, _) = certain(&report, "auth_token");
    assert_eq!(finding["commit"]["summary"], "Add data");
    let (report, _) = rig.verified(&["--history"]);
    let (finding, _) = certain(&report, "auth_token");
    assert_eq!(finding["commit"]["summary"], "Add data");
    assert_eq!(finding["removed_by"]["summary"], "Take it out");
    assert_eq!(finding["at_head"], false);
    let (report, _) = rig.verified(&[]);
    assert!(secrets(&report).is_empty(), "it is in the work tree no more");

    let mut command = rig.command(&["scan", "--stdin", "--verify", "--rate", "10000", "--format", "json"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    rig.check(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    hold_to_schema(&report);
    certain(&report, "auth_token");
}

#[test]
fn in_history_the_sid_may_stand_in_another_file_of_the_folder() {
    let (world, account, token) = shop(16);
    let rig = Rig::new(world);
    let code = rig.code();
    git(&code, &["init", "-q"]);
    rig.write("app/notes.md", &format!("The account is {account}.\n"));
    rig.write("app/state.json", &format!("{{\"checksum\": \"{token}\"}}\n"));
    commit(&code, "Add state");
    std::fs::remove_dir_all(code.join("app")).unwrap();
    rig.write("README.md", "nothing\n");
    commit(&code, "Take it out");
    let (report, _) = rig.verified(&["--history"]);
    let (finding, credential) = certain(&report, "auth_token");
    assert_eq!(finding["path"], "app/state.json");
    assert_eq!(finding["removed_by"]["summary"], "Take it out");
    assert_eq!(credential["account_sid"], json!(account));
}

#[test]
fn a_change_that_adds_a_hash_beside_a_known_token_reports_nothing_old() {
    let (mut world, account, token) = shop(17);
    let hash = world.hex();
    let mut rig = Rig::new(world);
    rig.plant(&hash);
    let code = rig.code();
    git(&code, &["init", "-q"]);
    let old = format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n");
    rig.write("app.env", &old);
    commit(&code, "Begin");
    rig.write("app.env", &format!("{old}\n\n\nETAG={hash}\n"));
    git(&code, &["add", "-A"]);
    let (report, exit) = rig.verified(&["--staged"]);
    assert_eq!((report["findings"].as_array().unwrap().len(), exit), (0, 0), "{report:#}");
    assert_eq!(counts(&report), (1, 1, 0, 0));
}

#[test]
fn a_saved_report_is_verified_and_read_again() {
    let (world, account, token) = shop(18);
    let rig = Rig::new(world);
    rig.write("a.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{token}\"\n"));
    let saved = rig.out().join("report.json").display().to_string();
    rig.verified(&["--report", &format!("json={saved}")]);
    let output = rig.run(&["verify", &saved, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    hold_to_schema(&report);
    assert_eq!(of_type(&report, "auth_token")[0]["verdict"]["state"], "live", "{report:#}");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn what_a_policy_accepts_is_shown_if_it_works() {
    let (world, account, token) = shop(19);
    let rig = Rig::new(world);
    rig.write("a.txt", &format!("ACCOUNT={account}\n\n\n\nmd5 = \"{token}\" # sidsweep:allow a checksum\n"));
    let (report, code) = rig.verified(&[]);
    certain(&report, "auth_token");
    assert_eq!(code, 1);
}

#[test]
fn values_below_the_confidence_that_is_asked_for_are_asked_about() {
    let (world, account, token) = shop(20);
    let rig = Rig::new(world);
    rig.write("a.py", &format!("account = \"{account}\"\nclient_secret_value = \"{token}\"\n"));
    let (report, _) = rig.verified(&["--min-confidence", "high"]);
    let found = secrets(&report);
    assert_eq!((found.len(), &found[0]["confidence"]), (1, &json!("high")), "{report:#}");
    assert_eq!(of_type(&report, "auth_token")[0]["verdict"]["state"], "live");
}
