//! `sweep`: what happened in an account since a date, to the last page; and what could not be read, which is no all-clear. The draft of
//! a root-cause analysis.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::{Rig, key_code};
use common::{commit, git, hold_to, stderr, stdout};
use serde_json::Value;
use twilio_sim::resources::{Country, days_ago};
use twilio_sim::{Fault, FaultKind, KeyKind, Status, World};

/// A parent and a subaccount, each with old things only.
struct House {
    rig: Rig,
    parent: String,
    child: String,
    organization: twilio_sim::resources::Organization,
}

fn house(seed: u64) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    for account in [&parent, &child] {
        world.key(account, KeyKind::Standard);
        world.oauth_app(account);
        world.shared_key(account);
    }
    let organization = world.organization();
    world.user("old@example.com", days_ago(900));
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    House { rig, parent, child, organization }
}

impl House {
    /// Runs it with the organization's app.
    fn sweep(&self, account: &str, since: &str, more: &[&str]) -> (Value, Output) {
        let arguments = [
            &["sweep", account, "--since", since, "--format", "json", "--rate", "10000"],
            &["--organization", &self.organization.sid][..],
            more,
        ]
        .concat();
        let output = self.run(&arguments);
        let swept = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        if !swept.is_null() {
            hold_to(&swept, include_str!("../docs/schema/sweep-1.schema.json"));
        }
        (swept, output)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.rig.command(arguments);
        command
            .env("SIDSWEEP_ORGANIZATION_CLIENT_ID", &self.organization.client)
            .env("SIDSWEEP_ORGANIZATION_CLIENT_SECRET", &self.organization.secret);
        let output = command.output().unwrap();
        self.rig.check(&output);
        output
    }
}

fn told(output: &Output) -> String {
    format!("{:?} {}{}", output.status.code(), stdout(output), stderr(output))
}

fn ids(swept: &Value, list: &str) -> Vec<String> {
    let things = swept[list].as_array().unwrap();
    things
        .iter()
        .map(|thing| format!("{} {}", thing["kind"].as_str().unwrap(), thing["id"].as_str().unwrap()))
        .collect()
}

#[test]
fn nothing_is_said_of_what_was_read_and_of_how_far_back_it_reaches() {
    let house = house(1);
    for account in [&house.parent, &house.child] {
        let (swept, output) = house.sweep(account, "29d", &[]);
        // The parent has a subaccount, which is old.
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert!(swept["events"].as_array().unwrap().is_empty() && ids(&swept, "new").is_empty(), "{swept}");
        assert_eq!(swept["reach"]["is_whole"], true, "{swept}");
        let output =
            house.run(&["sweep", account, "--since", "29d", "--organization", &house.organization.sid]);
        let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("Nothing recorded in what could be read"), "{text}");
        assert!(text.contains("reach back to"), "{text}");
    }
    assert!(
        house.rig.sim.log().iter().all(|entry| entry.method == "GET" || entry.host == "oauth.twilio.com")
    );
    // Longer ago than changes are kept: that is no all-clear, unless older changes show that they are kept.
    let (swept, output) = house.sweep(&house.child, "100d", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(swept["reach"]["is_whole"], false, "{swept}");
    house.rig.sim.world().switches.events_are_kept = 395;
    let child = house.child.clone();
    house.rig.sim.world().record(&child, "call.example", "CA1", days_ago(200));
    let (swept, output) = house.sweep(&house.child, "100d", &[]);
    assert_eq!(
        (output.status.code(), &swept["reach"]["is_whole"]),
        (Some(0), &Value::Bool(true)),
        "{}",
        told(&output)
    );
    let (_, output) = house.sweep(&house.child, "500d", &["--without", "subaccounts"]);
    assert_eq!(output.status.code(), Some(1), "the old change is found: {}", told(&output));
    assert!(stderr(&output).contains("13 months"), "{}", told(&output));
}

#[test]
fn all_pages_of_changes_are_read_with_who_and_from_where() {
    for known in [true, false] {
        let house = house(2);
        let child = house.child.clone();
        {
            let mut world = house.rig.sim.world();
            world.switches.events_know_dates = known;
            world.switches.events_are_kept = 395;
            for number in 0..2500 {
                let type_ = ["account-api-keys.created", "phone-number.updated", "flow.updated"][number % 3];
                let resource = world.sid("SK");
                world.record(&child, type_, &resource, days_ago(3));
            }
            world.record(&child, "user.created", "US1", days_ago(40));
        }
        let (swept, output) = house.sweep(&child, "10d", &[]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let events = swept["events"].as_array().unwrap();
        assert_eq!(events.len(), 2500, "dates are known: {known}");
        for event in events {
            assert!(event["actor_sid"].as_str().unwrap().starts_with("US"), "{event}");
            assert_eq!(
                (event["source_ip"].as_str(), event["telling"].as_bool()),
                (Some("203.0.113.7"), Some(true))
            );
        }
        let text = stdout(&house.run(&["sweep", &child, "--since", "10d", "--without", "users"]));
        assert!(text.contains("2500 recorded changes") && text.contains("and 2460 more"), "{text}");
    }
}

#[test]
fn each_kind_of_thing_that_is_new_is_found_and_what_has_no_date_is_shown() {
    let house = house(3);
    for account in [house.parent.clone(), house.child.clone()] {
        let mut world = house.rig.sim.world();
        let standard = world.key(&account, KeyKind::Standard).0;
        let restricted = world.key(&account, KeyKind::Restricted(vec!["/twilio/x/y/read".into()])).0;
        world.switches.classic_shows_restricted = false;
        for sid in [&standard, &restricted] {
            world.keys.get_mut(sid).unwrap().created = days_ago(1);
        }
        let app = world.oauth_app(&account).0;
        world.oauth_apps.get_mut(&app).unwrap().created = days_ago(1);
        world.rule(&account, "https://old.example/", None, days_ago(300));
        let rule = world.rule(&account, "https://evil.example/", None, days_ago(1));
        let key = world.shared_key(&account);
        world.shared_keys.last_mut().unwrap().created = days_ago(1);
        let number = world.sid("PN");
        world.accounts.get_mut(&account).unwrap().numbers.push(number.clone());
        world.number_dates.insert(number.clone(), days_ago(1));
        let user = world.user("new@evil.example", days_ago(1));
        let theirs = world.connect_app(&account, "Evil", true);
        let ours = world.connect_app(&account, "Ours", false);
        let country =
            Country { account: account.clone(), iso: "LV".into(), toll_fraud: true, messages: true };
        world.countries.push(country);
        drop(world);
        let (swept, output) = house.sweep(&account, "7d", &[]);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        let new = ids(&swept, "new");
        for (kind, id) in [
            ("api_key", &standard),
            ("api_key", &restricted),
            ("oauth_app", &app),
            ("webhook_rule", &rule),
            ("shared_key", &key),
            ("phone_number", &number),
            ("user", &user),
        ] {
            assert!(new.contains(&format!("{kind} {id}")), "{kind}: {new:?}");
        }
        let undated = ids(&swept, "undated");
        let country = "LV".to_owned();
        for (kind, id) in [
            ("authorized_connect_app", &theirs),
            ("connect_app", &ours),
            ("calls_to", &country),
            ("messages_to", &country),
        ] {
            assert!(undated.contains(&format!("{kind} {id}")), "{kind}: {undated:?}");
        }
        let expected = if account == house.parent { 7 } else { 8 };
        assert_eq!((new.len(), undated.len()), (expected, 4), "{new:?} {undated:?}");
        assert!(swept["unread"].as_array().unwrap().is_empty(), "{swept}");
        let text = stdout(&house.run(&["sweep", &account, "--since", "7d", "--without", "users"]));
        assert!(text.contains("https://evil.example/") && text.contains("look at each"), "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_named_and_is_no_all_clear() {
    let parts = [
        ("monitor.twilio.com/v1/Events", "events", "recorded changes"),
        ("/Keys.json", "keys", "API keys"),
        ("iam.twilio.com/v1/Keys", "keys", "Restricted keys"),
        ("OAuthApps", "oauth-apps", "OAuth apps"),
        ("/ConnectApps.json", "connect-apps", "Connect apps"),
        ("AuthorizedConnectApps", "connect-apps", "authorized Connect apps"),
        ("Webhooks/Rules", "webhooks", "webhook rules"),
        ("Webhooks/SharedKeys", "webhooks", "webhook SharedKeys"),
        ("IncomingPhoneNumbers", "numbers", "phone numbers"),
        ("scim/Users", "users", "users"),
        ("oauth.twilio.com", "users", "users"),
        ("DialingPermissions", "calls", "countries with high-risk calls"),
        ("GeoPermissions", "messages", "countries with messages"),
    ];
    let answers = [
        FaultKind::Answer(401, 20003, "Authenticate".into()),
        FaultKind::Answer(403, 20403, "Forbidden".into()),
        FaultKind::Answer(404, 20404, "not found".into()),
        FaultKind::Answer(405, 20004, "Method not allowed".into()),
        FaultKind::ServerError,
        FaultKind::WrongType,
        FaultKind::TooMany(Some(60)),
    ];
    let house = house(4);
    let child = house.child.clone();
    for (number, (within, part, what)) in parts.into_iter().enumerate() {
        for kind in &answers {
            // What is tried again takes its time: not for each of them.
            if *kind == FaultKind::ServerError && number % 4 > 0 {
                continue;
            }
            // A beta that is not open to the account: then it has none of these.
            let is_beta = within.starts_with("Webhooks") && matches!(kind, FaultKind::Answer(404, ..));
            house.rig.sim.world().faults = vec![Fault::new(kind.clone(), within, u32::MAX)];
            let (swept, output) = house.sweep(&child, "7d", &["--without", "subaccounts"]);
            let named = swept["unread"].as_array().unwrap().iter().any(|unread| unread["what"] == what);
            assert_eq!(named, !is_beta, "{within} {kind:?}: {swept}");
            assert_eq!(
                output.status.code(),
                Some(if is_beta { 0 } else { 2 }),
                "{within} {kind:?}: {}",
                told(&output)
            );
            assert_eq!(stderr(&output).contains(&format!("not read: {what}")), !is_beta, "{}", told(&output));
        }
        // By wish it is left out, and that is said too.
        let (swept, output) = house.sweep(&child, "7d", &["--without", "subaccounts", "--without", part]);
        assert_eq!(output.status.code(), Some(0), "{part}: {}", told(&output));
        assert!(swept["left_out"].as_array().unwrap().iter().any(|left| left == part), "{swept}");
    }
    house.rig.sim.world().faults.clear();
    let output = house.rig.run(&["sweep", &child, "--since", "7d"]);
    assert_eq!(output.status.code(), Some(2), "without an app of the organization: {}", told(&output));
    assert!(stderr(&output).contains("--organization"), "{}", told(&output));
    house.rig.sim.world().set_status(&child, Status::Suspended);
    let (swept, output) = house.sweep(&child, "7d", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(swept["unread"].to_string().contains("the account is suspended"), "{swept}");
    // A find is told even where another part could not be read.
    let sid = house.rig.sim.world().key(&child, KeyKind::Standard).0;
    house.rig.sim.world().keys.get_mut(&sid).unwrap().created = days_ago(1);
    assert_eq!(house.sweep(&child, "7d", &[]).1.status.code(), Some(1));
}

#[test]
fn a_next_page_that_leads_elsewhere_and_an_account_of_somebody_else_are_refused() {
    let house = house(5);
    let stranger = house.rig.sim.world().account("Stranger", None);
    let output = house.sweep(&stranger, "7d", &[]).1;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("not one of the accounts"), "{}", told(&output));
    let output =
        house.rig.run(&["sweep", &house.child, "--since", "7d", "--organization", &house.organization.sid]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("SIDSWEEP_ORGANIZATION_CLIENT_ID"), "{}", told(&output));
    for more in [&["--without", "luck"][..], &["--organization", "OR1"], &["--since", "2999-01-01"]] {
        let output = house.run(&[&["sweep", house.child.as_str()], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", told(&output));
    }
}

#[test]
fn the_draft_of_a_root_cause_analysis_tells_what_files_tell_and_holds_no_value() {
    let house = house(6);
    let child = house.child.clone();
    let (sid, secret) = {
        let mut world = house.rig.sim.world();
        let key = world.key(&child, KeyKind::Standard);
        world.record(&child, "account-api-keys.created", &key.0, days_ago(2));
        key
    };
    house.rig.write("shop/.env", &key_code(&sid, &secret, &child));
    git(&house.rig.code(), &["init", "-q"]);
    let id = commit(&house.rig.code(), "Add settings");
    let out = |name: &str| house.rig.out().join(name).display().to_string();
    let (report, plan, journal, swept) =
        (out("report.json"), out("plan.json"), out("journal.jsonl"), out("sweep.json"));
    house.rig.run(&["scan", "--history", "--verify", "--report", &format!("json={report}")]);
    let before = house.rig.run(&["revoke", "guide", &report, "--rca"]);
    let text = stdout(&before);
    assert!(text.contains("NOT PROVEN") && text.contains("[Fill in: what was revoked"), "{text}");
    house.rig.run(&["revoke", "plan", &report, "--out", &plan]);
    let applied = house.rig.run(&["revoke", "apply", &plan, "--yes", "--journal", &journal]);
    assert_eq!(applied.status.code(), Some(0), "{}", told(&applied));
    house.sweep(&child, "7d", &["--out", &swept]);
    let output =
        house.rig.run(&["revoke", "guide", &report, "--rca", "--journal", &journal, "--sweep", &swept]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let text = stdout(&output);
    for words in [
        &sid,
        &child,
        &id,
        "shop/.env",
        "## What happened",
        "## When",
        "## By whom",
        "committed by Ada",
        "203.0.113.7",
        "delete key",
        "## Proof",
        "refused with error 20003",
        "## What is not known",
        "[Fill in: ",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("NOT PROVEN"), "{text}");
    assert!(!text.contains(&secret[..4]), "not even a part of a value: {text}");
    for (more, words) in
        [(["--journal", "nowhere"], "nowhere"), (["--sweep", &report], "sidsweep sweep --out")]
    {
        let output = house.rig.run(&[&["revoke", "guide", &report, "--rca"], &more[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", told(&output));
        assert!(stderr(&output).contains(words), "{more:?}: {}", told(&output));
    }
}
