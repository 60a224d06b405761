//! How Twilio is asked: each credential once, doubts settled by asking, saved reports read again, nothing without leave.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::BTreeMap;

use common::rig::{Rig, token_code};
use common::{commit, git, hold_to_schema, stderr, stdout};
use serde_json::{Value, json};
use twilio_sim::world::Event;
use twilio_sim::{Fault, FaultKind, KeyKind, Status, World};

fn credentials<'a>(report: &'a Value, type_: &str) -> Vec<&'a Value> {
    report["credentials"].as_array().unwrap().iter().filter(|c| c["type"] == type_).collect()
}

fn only<'a>(report: &'a Value, type_: &str) -> &'a Value {
    let all = credentials(report, type_);
    assert_eq!(all.len(), 1, "{report}");
    all[0]
}

/// An account with its primary token in a file, and its SID and token.
fn shop(seed: u64) -> (Rig, String, String) {
    let mut world = World::new(seed);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let rig = Rig::new(world);
    rig.write("app/settings.env", &token_code(&account, &token));
    (rig, account, token)
}

#[test]
fn a_credential_is_asked_about_once_however_often_it_stands_in_the_code() {
    let (rig, account, token) = shop(1);
    for number in 0..30 {
        rig.write(&format!("copies/{number}/settings.env"), &token_code(&account, &token));
    }
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "auth_token");
    assert_eq!(found["findings"].as_array().unwrap().len(), 62, "31 SIDs and 31 tokens");
    assert_eq!(found["verdict"]["kind"], "primary_token");
    assert_eq!(rig.sim.log().len(), 1);
    assert_eq!(report["asked"]["requests"], 1);
    assert_eq!(report["asked"]["test_endpoint"], json!(rig.sim.endpoint));
}

#[test]
fn of_several_accounts_in_a_file_the_one_that_answers_is_the_partner() {
    let mut world = World::new(2);
    let accounts: Vec<String> = (0..3).map(|n| world.account(&format!("Shop {n}"), None)).collect();
    let token = world.token(&accounts[2]);
    let rig = Rig::new(world);
    rig.write(
        "notes.txt",
        &format!(
            "twilio accounts: {}\n{}\n{}\n\n\n\n\ntwilio auth token: {token}\n",
            accounts[0], accounts[1], accounts[2]
        ),
    );
    rig.write("elsewhere.txt", "nothing\n");
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "auth_token");
    assert_eq!(found["verdict"]["state"], "live", "{found}");
    assert_eq!(found["account_sid"], json!(accounts[2]));
    assert_eq!(found["verdict"]["owner"], json!(accounts[2]));
    assert!(found["ambiguous"].is_null(), "{found}");
}

#[test]
fn a_token_without_a_sid_is_tried_on_those_of_its_folder_and_no_endless_list() {
    let mut world = World::new(3);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let others: Vec<String> = (0..40).map(|n| world.account(&format!("Other {n}"), None)).collect();
    let rig = Rig::new(world);
    rig.write("app/token.env", &format!("TWILIO_AUTH_TOKEN={token}\n"));
    for (number, other) in others.iter().enumerate() {
        rig.write(&format!("other/{number}/sid.env"), &format!("TWILIO_ACCOUNT_SID={other}\n"));
    }
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "auth_token");
    assert_eq!(found["verdict"]["state"], "unknown", "{found}");
    assert_eq!(found["verdict"]["left"], 32, "{found}");
    assert!(rig.sim.log().len() <= 8, "{} requests", rig.sim.log().len());
    rig.write("app/sid.env", &format!("TWILIO_ACCOUNT_SID={account}\n"));
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "auth_token");
    assert_eq!(found["verdict"]["state"], "live", "{found}");
    assert_eq!(found["account_sid"], json!(account));
}

#[test]
fn several_secrets_beside_one_key_are_each_asked_about() {
    let mut world = World::new(4);
    let account = world.account("Shop", None);
    let (key, secret) = world.key(&account, KeyKind::Standard);
    let old = world.base62();
    let mut rig = Rig::new(world);
    rig.plant(&old);
    rig.write(
        "client.js",
        &format!("// const client = twilio('{key}', '{old}', {{accountSid: '{account}'}});\nconst client = twilio('{key}', '{secret}', {{accountSid: '{account}'}});\n"),
    );
    let (report, _) = rig.verified(&[]);
    let states: BTreeMap<String, String> = credentials(&report, "api_key")
        .iter()
        .map(|c| {
            let id = &c["id"];
            let first = report["findings"]
                .as_array()
                .unwrap()
                .iter()
                .find(|f| f["kind"] == "api_key_secret" && f["credential"] == *id)
                .unwrap();
            (
                first["redacted"].as_str().unwrap().to_owned(),
                c["verdict"]["state"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(states[&format!("{}…", &secret[..4])], "live");
    assert_eq!(states[&format!("{}…", &old[..4])], "rejected");
}

#[test]
fn a_key_beside_somebody_elses_account_is_live_and_told_apart() {
    let mut world = World::new(5);
    let own = world.account("Shop", None);
    let other = world.account("Stranger", None);
    let (key, secret) = world.key(&own, KeyKind::Standard);
    let rig = Rig::new(world);
    rig.write(
        "app.env",
        &format!("TWILIO_ACCOUNT_SID={other}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\n"),
    );
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "api_key");
    assert_eq!(found["verdict"]["state"], "live", "{found}");
    assert_eq!(found["verdict"]["owner"], json!(own));
    assert!(found["verdict"]["reason"].as_str().unwrap().contains(&format!("does not belong to {other}")));
}

#[test]
fn a_value_with_junk_around_it_is_not_called_dead() {
    let (rig, account, token) = shop(6);
    std::fs::remove_dir_all(rig.code().join("app")).unwrap();
    rig.write(
        "vercel.env",
        &format!("TWILIO_ACCOUNT_SID=\" {account}\\n\"\nTWILIO_AUTH_TOKEN=\"{token}\\n\"\n"),
    );
    let (report, _) = rig.verified(&[]);
    assert_eq!(only(&report, "auth_token")["verdict"]["state"], "live", "{report}");
}

#[test]
fn a_saved_report_is_asked_about_again_without_holding_a_value() {
    let (rig, account, _) = shop(7);
    let saved = rig.out().join("report.json").display().to_string();
    let (report, code) = rig.verified(&["--fail-on", "live", "--report", &format!("json={saved}")]);
    assert_eq!(code, 1);
    assert_eq!(only(&report, "auth_token")["verdict"]["state"], "live");

    // Rotated in the console: the same report now says so.
    let fresh = rig.sim.world().hex();
    let mut world = rig.sim.world();
    world.accounts.get_mut(&account).unwrap().tokens.values_mut().for_each(|t| t.primary.clone_from(&fresh));
    drop(world);
    let output = rig.run(&["verify", &saved, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    hold_to_schema(&report);
    let found = only(&report, "auth_token");
    assert_eq!(found["verdict"]["state"], "rejected");
    assert_eq!(found["remedy"]["action"], "none");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(report["findings"].as_array().unwrap().len(), 2, "it stays listed");
    let output = rig.run(&["verify", &saved, "--fail-on", "any"]);
    assert_eq!(output.status.code(), Some(1), "it was in the code");
    assert!(stdout(&output).contains("REJECTED"), "{}", stdout(&output));
}

#[test]
fn a_saved_report_finds_its_values_where_they_are_now() {
    let (rig, account, token) = shop(8);
    let code = rig.code();
    git(&code, &["init", "-q"]);
    commit(&code, "Leak");
    std::fs::remove_dir_all(code.join("app")).unwrap();
    commit(&code, "Take it out");
    let saved = rig.out().join("report.json").display().to_string();
    let (report, _) = rig.verified(&["--history", "--report", &format!("json={saved}")]);
    assert_eq!(only(&report, "auth_token")["verdict"]["state"], "live");
    let state = |arguments: &[&str]| {
        let mut all = vec!["verify", saved.as_str(), "--format", "json"];
        all.extend(arguments);
        let output = rig.run(&all);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = only(&report, "auth_token");
        (
            found["verdict"]["state"].as_str().unwrap().to_owned(),
            stderr(&output),
            output.status.code().unwrap(),
        )
    };
    assert_eq!(state(&[]).0, "live", "read from history again");

    // Moved away: it is said that it was not found, and nothing is called dead or clear.
    let moved = code.parent().unwrap().join("moved");
    std::fs::rename(&code, &moved).unwrap();
    std::fs::create_dir(&code).unwrap();
    let (gone, said, exit) = state(&[]);
    assert_eq!(gone, "unverified");
    assert!(said.contains("were not found again"), "{said}");
    assert_eq!(exit, 2, "no all-clear for what was not asked about: {said}");
    assert_eq!(state(&["--root", &moved.display().to_string()]).0, "live");

    // In another file than before it is the same credential.
    common::write(&code, "new/place.env", token_code(&account, &token));
    assert_eq!(state(&["--root", "."]).0, "live");
}

#[test]
fn a_report_that_is_none_is_refused() {
    let (rig, ..) = shop(9);
    for (text, words) in [
        ("{}", "not a report"),
        ("nonsense", "not a report"),
        (r#"{"schema":"sidsweep/plan/1"}"#, "not a report"),
    ] {
        let path = rig.out().join("x.json");
        std::fs::write(&path, text).unwrap();
        let output = rig.run(&["verify", &path.display().to_string()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    let output = rig.run(&["verify", "nowhere.json"]);
    assert!(stderr(&output).contains("nowhere.json"), "{}", stderr(&output));
    assert!(rig.sim.log().is_empty());
}

#[test]
fn exit_codes_tell_live_from_unanswered_from_clear() {
    let (rig, account, _) = shop(10);
    let code = |arguments: &[&str]| rig.verified(arguments).1;
    assert_eq!(code(&["--fail-on", "live"]), 1);
    assert_eq!(code(&["--fail-on", "never"]), 0);
    rig.sim.order(Fault::new(FaultKind::ProxyPage, "", u32::MAX));
    assert_eq!(code(&["--fail-on", "live"]), 2, "no answer is no all-clear");
    rig.sim.world().faults.clear();
    rig.sim.world().set_status(&account, Status::Closed);
    let fresh = rig.sim.world().hex();
    rig.sim
        .world()
        .accounts
        .get_mut(&account)
        .unwrap()
        .tokens
        .values_mut()
        .for_each(|t| t.primary.clone_from(&fresh));
    assert_eq!(code(&["--fail-on", "live"]), 0);
    let output = rig.run(&["scan", "--fail-on", "live"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("needs --verify"), "{}", stderr(&output));
}

#[test]
fn nothing_is_sent_offline_or_without_leave() {
    let (rig, ..) = shop(11);
    let output = rig.run(&["scan"]);
    assert_eq!(output.status.code(), Some(1));
    for arguments in [&["scan", "--verify", "--offline"][..], &["inventory", "--offline"]] {
        let output = rig.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("--offline"), "{}", stderr(&output));
    }
    assert!(rig.sim.log().is_empty());
}

#[test]
fn only_loopback_stands_in_for_twilio_and_it_is_said_loudly() {
    let (rig, ..) = shop(12);
    for endpoint in [
        "https://example.com:443",
        "http://127.0.0.1:80",
        "https://127.0.0.1.example.com:443",
        "https://192.0.2.1:443",
    ] {
        let output =
            rig.command(&["scan", "--verify"]).env("SIDSWEEP_TWILIO_ENDPOINT", endpoint).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{endpoint}");
        assert!(stderr(&output).contains("loopback"), "{endpoint}: {}", stderr(&output));
    }
    let output = rig.command(&["scan", "--verify"]).env_remove("SIDSWEEP_TWILIO_ENDPOINT").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "an authority of one's own in front of the real Twilio");
    assert!(stderr(&output).contains("SIDSWEEP_TWILIO_CA"), "{}", stderr(&output));
    let output = rig.run(&["scan", "--verify"]);
    assert!(stderr(&output).contains("TEST ENDPOINT"), "{}", stderr(&output));
    assert!(stdout(&output).contains("TEST ENDPOINT"), "{}", stdout(&output));
}

#[test]
fn nothing_in_the_scanned_folder_says_where_to_ask() {
    let (rig, ..) = shop(13);
    for name in [".env", "sidsweep.toml", ".netrc", ".curlrc"] {
        rig.write(name, "SIDSWEEP_TWILIO_ENDPOINT=https://127.0.0.1:1\nSIDSWEEP_ADMIN_USER=x\nHTTPS_PROXY=http://127.0.0.1:1\n");
    }
    let (report, _) = rig.verified(&[]);
    assert_eq!(only(&report, "auth_token")["verdict"]["state"], "live", "{report}");
}

#[test]
fn an_expired_certificate_or_another_authority_gives_no_verdict() {
    let (rig, ..) = shop(14);
    rig.sim.world().expired_certificate = true;
    let (report, code) = rig.verified(&["--fail-on", "live"]);
    let verdict = &only(&report, "auth_token")["verdict"];
    assert_eq!(verdict["state"], "unknown", "{verdict}");
    assert!(verdict["reason"].as_str().unwrap().contains("no connection"), "{verdict}");
    assert_eq!(code, 2);
    assert!(rig.sim.log().is_empty(), "nothing was sent");
    rig.sim.world().expired_certificate = false;
    let other = Rig::new(World::new(99));
    let output = rig
        .command(&["scan", "--verify", "--format", "json"])
        .env("SIDSWEEP_TWILIO_CA", other.out().parent().unwrap().join("authority.pem"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(only(&report, "auth_token")["verdict"]["state"], "unknown");
    assert!(rig.sim.log().is_empty(), "nothing was sent");
}

#[test]
fn exposure_tells_what_a_live_credential_reaches_and_reads_no_message() {
    let mut world = World::new(15);
    let parent = world.account("Example Inc.", None);
    world.account("Child", Some(&parent));
    let token = world.token(&parent);
    let (key, secret) = world.key(&parent, KeyKind::Standard);
    let (poor, poor_secret) =
        world.key(&parent, KeyKind::Restricted(vec!["/twilio/voice/calls/create".into()]));
    let event = |type_: &str| Event {
        actor: None,
        type_: type_.into(),
        resource: key.clone(),
        date: jiff::Timestamp::now().to_string(),
        ip: "192.0.2.7".into(),
    };
    let events = vec![event("account-api-keys.created"), event("workspace.updated")];
    world.accounts.get_mut(&parent).unwrap().events = events;
    let rig = Rig::new(world);
    rig.write("token/.env", &token_code(&parent, &token));
    rig.write(
        "key/.env",
        &format!("TWILIO_ACCOUNT_SID={parent}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\n"),
    );
    rig.write(
        "poor/.env",
        &format!("TWILIO_ACCOUNT_SID={parent}\nTWILIO_API_KEY={poor}\nTWILIO_API_SECRET={poor_secret}\n"),
    );
    let (plain, _) = rig.verified(&[]);
    assert!(
        plain["credentials"].as_array().unwrap().iter().all(|c| c["exposure"].is_null()),
        "off by default"
    );
    let (report, _) = rig.verified(&["--exposure"]);
    let exposure = &only(&report, "auth_token")["exposure"];
    assert_eq!(exposure["account_name"], "Example Inc.");
    assert_eq!(exposure["account_status"], "active");
    assert_eq!(
        (&exposure["subaccounts"], &exposure["numbers"], &exposure["keys"]),
        (&json!(1), &json!(2), &json!(2))
    );
    assert_eq!(exposure["spend"][2], json!({"span": "this_month", "price": "41.75", "unit": "usd"}));
    assert_eq!(exposure["events"].as_array().unwrap().len(), 1, "{exposure}");
    assert_eq!(exposure["events"][0]["source_ip"], "192.0.2.7");
    let keyed = |sid: &str| {
        report["credentials"].as_array().unwrap().iter().find(|c| c["key_sid"] == sid).unwrap()["exposure"]
            .clone()
    };
    let standard = keyed(&key);
    assert_eq!(standard["numbers"], 2);
    let unread: Vec<&str> =
        standard["unread"].as_array().unwrap().iter().map(|u| u["what"].as_str().unwrap()).collect();
    assert!(unread.contains(&"API keys") && unread.contains(&"subaccounts"), "{standard}");
    assert!(keyed(&poor).to_string().contains("lacks twilio/"), "{}", keyed(&poor));
    for entry in rig.sim.log() {
        assert_eq!(entry.method, "GET");
        for private in ["Messages", "Calls", "Recordings", "Balance"] {
            assert!(!entry.path.contains(private), "{}", entry.path);
        }
    }
    rig.sim.world().accounts.get_mut(&parent).unwrap().events.clear();
    let text = stdout(&rig.run(&["scan", "--verify", "--exposure"]));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no configuration change recorded in 30 days"), "{text}");
    assert!(!words.contains("not used") && !words.contains("unused"), "{text}");
}

#[test]
fn a_thousand_pairs_under_429s_are_all_judged_and_none_is_asked_twice_but_for_retries() {
    let mut world = World::new(16);
    let mut expected: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut files: Vec<(String, String)> = Vec::new();
    for number in 0..1000 {
        let account = world.account(&format!("Customer {number}"), None);
        let dead = number % 3 == 0;
        let token = if dead { world.hex() } else { world.token(&account) };
        expected.insert(account.clone(), if dead { "rejected" } else { "live" });
        files.push((format!("{number}/.env"), token_code(&account, &token)));
    }
    world.faults.push(Fault::new(FaultKind::TooMany(None), "", u32::MAX).percent(5));
    let rig = Rig::new(world);
    for (path, text) in &files {
        rig.write(path, text);
    }
    let (report, code) = rig.verified(&["--fail-on", "live"]);
    assert_eq!(code, 1);
    let found = credentials(&report, "auth_token");
    assert_eq!(found.len(), 1000);
    for credential in &found {
        let account = credential["account_sid"].as_str().unwrap();
        assert_eq!(credential["verdict"]["state"], expected[account], "{credential}");
    }
    let log = rig.sim.log();
    let refused = log.iter().filter(|entry| entry.status == 429).count();
    // What is refused is asked about three times more: by another product at once, and by both a while later.
    let dead = expected.values().filter(|state| **state == "rejected").count();
    let asked = log.len() - refused;
    assert_eq!(
        asked,
        1000 + 3 * dead,
        "each once, what is refused by two products twice, and again only after a 429"
    );
    assert_eq!(report["asked"]["requests"], json!(log.len()));
    assert!(refused > 10, "{refused}");
    assert!(rig.sim.world().peak.values().all(|peak| *peak <= 4));
}

#[test]
fn many_keys_of_one_account_are_asked_about_four_at_a_time() {
    let mut world = World::new(19);
    let account = world.account("Shop", None);
    let keys: Vec<(String, String)> = (0..60).map(|_| world.key(&account, KeyKind::Standard)).collect();
    world.faults.push(Fault::new(FaultKind::Latency(std::time::Duration::from_millis(5)), "", u32::MAX));
    let rig = Rig::new(world);
    for (number, (key, secret)) in keys.iter().enumerate() {
        rig.write(
            &format!("{number}/.env"),
            &format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\n"),
        );
    }
    let (report, _) = rig.verified(&[]);
    let found = credentials(&report, "api_key");
    assert_eq!(found.iter().filter(|c| c["verdict"]["state"] == "live").count(), 60);
    assert!(rig.sim.world().peak[&account] <= 4, "{:?}", rig.sim.world().peak);
}

#[test]
fn a_report_names_the_region_that_the_code_speaks_of() {
    let mut world = World::new(17);
    let account = world.account("Shop", None);
    let token = world.regional_token(&account, twilio_sim::Region::Ie1);
    let rig = Rig::new(world);
    rig.write("app.env", &format!("TWILIO_REGION=ie1\nTWILIO_EDGE=dublin\n{}", token_code(&account, &token)));
    let (report, _) = rig.verified(&[]);
    let found = only(&report, "auth_token");
    assert_eq!(found["verdict"]["state"], "live", "{found}");
    assert_eq!(found["verdict"]["region"], "ie1");
    assert!(found["remedy"]["steps"][0].as_str().unwrap().contains("/ie1/"), "{found}");
}

#[test]
fn the_tool_gives_no_value_to_its_own_command_line_or_environment() {
    let (mut rig, account, _) = shop(18);
    rig.administer(&account);
    rig.sim.order(Fault::new(FaultKind::Latency(std::time::Duration::from_millis(700)), "", 2));
    let mut child = rig
        .command(&["scan", "--verify"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
    child.wait().unwrap();
    if cfg!(target_os = "linux") {
        assert!(!line.is_empty());
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(
            core.split_whitespace().nth(4),
            Some("0"),
            "a crash leaves no image of the memory: {core}"
        );
    }
    let token = rig.sim.world().token(&account);
    assert!(!String::from_utf8_lossy(&line).contains(&token[..12]));
}
