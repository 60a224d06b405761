//! Which SIDs a secret is tried with, what is said where some are left, and what an administrator's view adds: a verdict of rejected
//! closes an incident, so nothing may be left.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use common::rig::Rig;
use common::{hold_to_schema, stdout};
use serde_json::{Value, json};
use twilio_sim::{KeyKind, Status, World};

fn key_code(key: &str, secret: &str) -> String {
    format!("TWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\n")
}

/// The one credential of this type that has a secret.
fn verdict(report: &Value, type_: &str) -> Value {
    let with_secret = |credential: &&Value| {
        credential["type"] == type_
            && report["findings"].as_array().unwrap().iter().any(|finding| {
                finding["credential"] == credential["id"]
                    && ["auth_token", "api_key_secret"].contains(&finding["kind"].as_str().unwrap())
            })
    };
    let all: Vec<&Value> = report["credentials"].as_array().unwrap().iter().filter(with_secret).collect();
    assert_eq!(all.len(), 1, "{report:#}");
    all[0]["verdict"].clone()
}

fn reason(verdict: &Value) -> &str {
    verdict["reason"].as_str().unwrap_or_default()
}

#[test]
fn a_refusal_names_the_sids_that_were_tried_and_is_given_twice_by_two_products() {
    let mut world = World::new(1);
    let account = world.account("Shop", None);
    let dead = world.hex();
    let mut rig = Rig::new(world);
    rig.plant(&dead);
    rig.write("app.env", &format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={dead}\n"));
    let (report, _) = rig.verified(&[]);
    let verdict = verdict(&report, "auth_token");
    assert_eq!(verdict["state"], "rejected", "{verdict}");
    assert_eq!(verdict["tried"], json!([account]));
    assert!(reason(&verdict).contains(&account), "{verdict}");
    for host in ["api.twilio.com", "verify.twilio.com"] {
        let refusals = rig.sim.log().iter().filter(|e| e.host == host && e.status == 401).count();
        assert_eq!(refusals, 2, "{host}");
    }
    let text = stdout(&rig.run(&["scan", "--verify"]));
    assert!(text.contains(&format!("with {account}")), "{text}");
}

#[test]
fn where_candidates_are_left_the_verdict_is_unknown_and_says_how_many() {
    // SIDs in the file of the secret, and elsewhere; what is left.
    for (in_file, elsewhere, left) in [(30, 0, 22), (9, 0, 1), (0, 30, 22), (8, 0, 0), (1, 7, 0)] {
        let mut world = World::new(100 + in_file + elsewhere);
        let account = world.account("Shop", None);
        let key = |world: &mut World| world.key(&account, KeyKind::Standard).0;
        let sids: Vec<String> = (0..in_file).map(|_| key(&mut world)).collect();
        let others: Vec<String> = (0..elsewhere).map(|_| key(&mut world)).collect();
        let dead = world.base62();
        let mut rig = Rig::new(world);
        rig.plant(&dead);
        let listed: String = sids.iter().map(|sid| format!("TWILIO_API_KEY_SID={sid}\n")).collect();
        rig.write("app/keys.env", &format!("{listed}TWILIO_API_KEY_SECRET={dead}\n"));
        for (number, sid) in others.iter().enumerate() {
            rig.write(&format!("other/{number}/sid.env"), &format!("TWILIO_API_KEY_SID={sid}\n"));
        }
        let (report, code) = rig.verified(&["--fail-on", "live"]);
        let told = format!("{in_file} and {elsewhere}: {report:#}");
        let verdict = verdict(&report, "api_key");
        if left == 0 {
            assert_eq!((verdict["state"].as_str(), code), (Some("rejected"), 0), "{told}");
            assert_eq!(verdict["tried"].as_array().unwrap().len() as u64, in_file + elsewhere, "{told}");
        } else {
            assert_eq!((verdict["state"].as_str(), code), (Some("unknown"), 2), "{told}");
            assert_eq!(verdict["left"], left, "{told}");
            assert!(reason(&verdict).contains(&format!("{left} more key SID")), "{told}");
        }
    }
}

#[test]
fn a_secret_beside_another_keys_sid_is_found_with_its_own() {
    let mut world = World::new(3);
    let account = world.account("Shop", None);
    let (beside, _) = world.key(&account, KeyKind::Standard);
    let (own, secret) = world.key(&account, KeyKind::Standard);
    let rig = Rig::new(world);
    rig.write("app/.env", &key_code(&beside, &secret));
    rig.write("elsewhere/notes.env", &format!("TWILIO_API_KEY_SID={own}\n"));
    let (report, _) = rig.verified(&[]);
    let found = report["credentials"].as_array().unwrap().iter().find(|c| c["key_sid"] == *own).unwrap();
    assert_eq!(found["verdict"]["state"], "live", "{report:#}");
}

#[test]
fn with_an_administrator_a_secret_that_a_living_key_refuses_is_unknown_and_may_be_tried_on_all_own_keys() {
    let mut world = World::new(4);
    let account = world.account("Shop", None);
    let (beside, _) = world.key(&account, KeyKind::Standard);
    for _ in 0..20 {
        world.key(&account, KeyKind::Standard);
    }
    let (own, secret) = world.key(&account, KeyKind::Standard);
    let dead = world.base62();
    let mut rig = Rig::new(world);
    rig.plant(&dead);
    rig.administer(&account);
    rig.write("app/.env", &key_code(&beside, &secret));
    let (report, _) = rig.verified(&[]);
    let unasked = verdict(&report, "api_key");
    assert_eq!(unasked["state"], "unknown", "{unasked}");
    assert!(reason(&unasked).contains("--try-own-keys"), "{unasked}");
    let (report, _) = rig.verified(&["--try-own-keys", "50"]);
    let found = verdict(&report, "api_key");
    assert_eq!(found["state"], "live", "{found}");
    assert!(report["credentials"].to_string().contains(&own), "{report:#}");
    // Bounded: what is beyond the bound is counted.
    let (report, _) = rig.verified(&["--try-own-keys", "3"]);
    let bounded = verdict(&report, "api_key");
    if bounded["state"] != "live" {
        assert_eq!((bounded["state"].as_str(), bounded["left"].as_u64()), (Some("unknown"), Some(18)));
    }
    // A value that no key takes is rejected once all of them were tried.
    rig.write("app/.env", &key_code(&beside, &dead));
    let (report, _) = rig.verified(&["--try-own-keys", "50"]);
    assert_eq!(verdict(&report, "api_key")["state"], "rejected", "{report:#}");
}

#[test]
fn what_twilio_accepted_once_belongs_to_the_sid_that_it_was_accepted_with() {
    let mut world = World::new(5);
    let account = world.account("Shop", None);
    let keys: Vec<(String, String)> = (0..12).map(|_| world.key(&account, KeyKind::Standard)).collect();
    let rig = Rig::new(world);
    let all: String = keys.iter().map(|(sid, secret)| format!("{}\n", key_code(sid, secret))).collect();
    rig.write("all.env", &all);
    let saved = rig.out().join("report.json").display().to_string();
    let (report, _) = rig.verified(&["--report", &format!("json={saved}")]);
    let live = |report: &Value| report["credentials"].to_string().matches("\"state\":\"live\"").count();
    assert_eq!(live(&report), 12, "{report:#}");
    for key in rig.sim.world().keys.values_mut() {
        key.deleted = Some(jiff::Timestamp::now());
    }
    let output = rig.run(&["verify", &saved, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    hold_to_schema(&report);
    let rejected = report["credentials"].to_string().matches("\"state\":\"rejected\"").count();
    assert_eq!(rejected, 12, "twelve SIDs in the file, and none is in doubt: {report:#}");
}

#[test]
fn a_key_of_a_suspended_account_is_inactive_with_an_administrators_eyes() {
    for of_parent in [false, true] {
        let mut world = World::new(6);
        let parent = world.account("Example Inc.", None);
        let child = world.account("Shop", Some(&parent));
        let (key, secret) = world.key(&child, KeyKind::Standard);
        let token = world.token(&child);
        world.set_status(&child, Status::Suspended);
        let mut rig = Rig::new(world);
        rig.write("app/.env", &format!("TWILIO_ACCOUNT_SID={child}\n{}", key_code(&key, &secret)));
        rig.write("token/.env", &format!("TWILIO_ACCOUNT_SID={child}\nTWILIO_AUTH_TOKEN={token}\n"));
        if of_parent {
            rig.administer(&parent);
        }
        let (report, _) = rig.verified(&[]);
        let expected = if of_parent { "inactive" } else { "rejected" };
        assert_eq!(verdict(&report, "api_key")["state"], expected, "{report:#}");
        assert_eq!(verdict(&report, "auth_token")["state"], expected, "{report:#}");
    }
}

#[test]
fn many_keys_of_a_suspended_account_in_one_file_are_inactive_and_not_in_doubt() {
    let mut world = World::new(12);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let keys: Vec<(String, String)> = (0..12).map(|_| world.key(&child, KeyKind::Standard)).collect();
    world.set_status(&child, Status::Suspended);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    let all: String = keys.iter().map(|(sid, secret)| format!("{}\n", key_code(sid, secret))).collect();
    rig.write("all.env", &all);
    let (report, _) = rig.verified(&[]);
    let inactive = report["credentials"].to_string().matches("\"state\":\"inactive\"").count();
    assert_eq!(inactive, 12, "{report:#}");
}

#[test]
fn a_key_that_the_classic_list_does_not_show_is_found_in_the_accounts_own() {
    for shown in [true, false] {
        let mut world = World::new(7);
        world.switches.classic_shows_restricted = shown;
        let parent = world.account("Example Inc.", None);
        let child = world.account("Shop", Some(&parent));
        let kind = || KeyKind::Restricted(vec!["/twilio/messaging/messages/create".into()]);
        let (of_parent, of_child) = (world.key(&parent, kind()), world.key(&child, kind()));
        let mut rig = Rig::new(world);
        rig.administer(&parent);
        rig.write("parent/.env", &key_code(&of_parent.0, &of_parent.1));
        rig.write(
            "child/.env",
            &format!("TWILIO_ACCOUNT_SID={child}\n{}", key_code(&of_child.0, &of_child.1)),
        );
        let (report, _) = rig.verified(&[]);
        for (key, account) in [(&of_parent.0, &parent), (&of_child.0, &child)] {
            let found =
                report["credentials"].as_array().unwrap().iter().find(|c| c["key_sid"] == **key).unwrap();
            assert_eq!(found["verdict"]["ours"], true, "shown {shown}: {found}");
            assert_eq!(found["verdict"]["owner"], json!(account), "shown {shown}: {found}");
        }
        assert!(rig.sim.log().iter().all(|entry| entry.method == "GET"));
    }
}

#[test]
fn exposure_asks_nothing_about_an_account_that_is_known_to_be_somebody_elses() {
    let mut world = World::new(8);
    let (own, other) = (world.account("Own", None), world.account("Stranger", None));
    let (key, secret) = world.key(&other, KeyKind::Main);
    let token = world.token(&other);
    let mut rig = Rig::new(world);
    rig.write("key/.env", &format!("TWILIO_ACCOUNT_SID={other}\n{}", key_code(&key, &secret)));
    rig.write("token/.env", &format!("TWILIO_ACCOUNT_SID={other}\nTWILIO_AUTH_TOKEN={token}\n"));
    let private = |rig: &Rig| {
        rig.sim.log().iter().filter(|e| e.path.contains("Usage") || e.path.contains("/v1/Events")).count()
    };
    rig.verified(&["--exposure"]);
    assert!(private(&rig) > 0, "without an administrator nobody knows whose it is");
    let before = private(&rig);
    rig.administer(&own);
    let (report, _) = rig.verified(&["--exposure"]);
    assert_eq!(private(&rig), before, "{report:#}");
    for credential in report["credentials"].as_array().unwrap() {
        assert_eq!(credential["verdict"]["state"], "live");
        assert!(
            credential["exposure"]["unread"].to_string().contains("not one of your accounts"),
            "{credential}"
        );
    }
}

#[test]
fn a_price_is_a_number_or_a_string() {
    for number in [false, true] {
        let mut world = World::new(9);
        world.switches.price_is_number = number;
        let account = world.account("Shop", None);
        let token = world.token(&account);
        let rig = Rig::new(world);
        rig.write("app/.env", &format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n"));
        let (report, _) = rig.verified(&["--exposure"]);
        let spend = &report["credentials"][0]["exposure"]["spend"];
        assert_eq!(
            spend[2],
            json!({"span": "this_month", "price": "41.75", "unit": "usd"}),
            "{number}: {report:#}"
        );
    }
}

/// An Access Token (JWT) that ends at a time, signed by nobody.
fn access_token(key: &str, account: &str, expires: i64) -> String {
    let part = |value: Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let head = part(json!({"typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1"}));
    let body =
        part(json!({"jti": format!("{key}-1"), "iss": key, "sub": account, "exp": expires, "grants": {}}));
    format!("{head}.{body}.{}", data_encoding::BASE64URL_NOPAD.encode(&[7; 32]))
}

#[test]
fn whether_an_access_token_has_ended_is_judged_by_twilios_clock() {
    // How far Twilio's clock is ahead, when the token ends by this machine's clock, and the verdict.
    for (ahead, ends, state) in
        [(0, 3600, "unknown"), (0, -3600, "rejected"), (7200, 3600, "rejected"), (-7200, -3600, "unknown")]
    {
        let mut world = World::new(10);
        world.switches.clock_ahead = ahead;
        let account = world.account("Shop", None);
        let key = world.sid("SK");
        let token = access_token(&key, &account, jiff::Timestamp::now().as_second() + ends);
        let rig = Rig::new(world);
        rig.write("app.js", &format!("const twilioAccessToken = '{token}';\n"));
        let (report, _) = rig.verified(&[]);
        let found =
            report["credentials"].as_array().unwrap().iter().find(|c| c["type"] == "access_token").unwrap();
        assert_eq!(found["verdict"]["state"], state, "{ahead} {ends}: {found}");
        let sent = rig.sim.log();
        assert!(sent.iter().all(|entry| entry.user.is_none()), "no credential is needed for a date");
        assert!(sent.iter().all(|entry| !entry.path.contains("eyJ")));
    }
}

#[test]
fn a_live_credential_of_somebody_else_is_its_owners_and_steps_that_differ_are_written_out() {
    let mut world = World::new(11);
    let (own, other) = (world.account("Own", None), world.account("Stranger", None));
    let mine = world.key(&own, KeyKind::Standard);
    let main = world.key(&own, KeyKind::Main);
    let again = world.key(&own, KeyKind::Standard);
    let foreign = world.key(&other, KeyKind::Standard);
    let mut rig = Rig::new(world);
    rig.administer(&own);
    for (number, (account, key)) in
        [(&own, &mine), (&own, &main), (&own, &again), (&other, &foreign)].iter().enumerate()
    {
        rig.write(
            &format!("{number}/.env"),
            &format!("TWILIO_ACCOUNT_SID={account}\n{}", key_code(&key.0, &key.1)),
        );
    }
    let text = stdout(&rig.run(&["scan", "--verify"]));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("tell its owner"), "{text}");
    assert!(!words.contains(&format!("revoke key {}", foreign.0)), "{text}");
    assert!(
        words.contains("Create a new Main key in the Legacy Console"),
        "a Main key's steps differ: {text}"
    );
    assert_eq!(words.matches("the same steps as for").count(), 1, "of the second Standard key alone: {text}");
}
