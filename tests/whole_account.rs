//! `revoke account`: every key and OAuth app of an account, or what was made since a date. Proof of ownership stands in for proof of
//! leak, so it is typed; whatever goes wrong in the middle, nothing of another account or of an older date is touched.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::{Rig, key_code};
use common::{hold_to, stderr, stdout};
use serde_json::Value;
use twilio_sim::resources::days_ago;
use twilio_sim::{Fault, FaultKind, KeyKind, Status, World};

/// A parent and a subaccount, each with keys and OAuth apps, half of which are new.
struct House {
    rig: Rig,
    parent: String,
    child: String,
}

fn house(seed: u64, switch: impl FnOnce(&mut World)) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    for account in [&parent, &child] {
        for days in [2, 400] {
            for kind in [KeyKind::Standard, KeyKind::Restricted(vec!["/twilio/verify/services/list".into()])]
            {
                let (sid, _) = world.key(account, kind);
                world.keys.get_mut(&sid).unwrap().created = days_ago(days);
            }
            let (sid, _) = world.oauth_app(account);
            world.oauth_apps.get_mut(&sid).unwrap().created = days_ago(days);
        }
    }
    switch(&mut world);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    House { rig, parent, child }
}

impl House {
    fn path(&self, name: &str) -> String {
        self.rig.out().join(name).display().to_string()
    }

    /// `revoke account` with a journal of its own.
    fn revoke(&self, account: &str, more: &[&str]) -> Output {
        let journal = self.path("journal.jsonl");
        let output = self.rig.run(
            &[&["revoke", "account", account, "--journal", &journal, "--prove-for", "0"], more].concat(),
        );
        for line in self.rig.journal() {
            hold_to(&line, include_str!("../docs/schema/journal-1.schema.json"));
        }
        output
    }

    fn confirmed(&self, account: &str, more: &[&str]) -> Output {
        self.revoke(account, &[&["--confirm", account], more].concat())
    }

    fn planned(&self, account: &str, more: &[&str]) -> Value {
        let out = self.path("plan.json");
        let output = self.revoke(account, &[&["--out", &out], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let plan = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        hold_to(&plan, include_str!("../docs/schema/plan-1.schema.json"));
        plan
    }

    /// Keys and OAuth apps that an account has, those made lately and those made long ago.
    fn has(&self, account: &str) -> (usize, usize) {
        let world = self.rig.sim.world();
        let keys = world.keys.values().filter(|key| key.account == account && key.deleted.is_none());
        let apps = world.oauth_apps.values().filter(|app| app.account == account && app.deleted.is_none());
        let made: Vec<_> = keys.map(|key| key.created).chain(apps.map(|app| app.created)).collect();
        let new = made.iter().filter(|created| **created > days_ago(30)).count();
        (new, made.len() - new)
    }

    fn status(&self) -> Output {
        self.rig.run(&["revoke", "status", "--journal", &self.path("journal.jsonl")])
    }

    fn changes(&self) -> usize {
        self.rig.sim.log().iter().filter(|entry| entry.method != "GET").count()
    }
}

fn told(output: &Output) -> String {
    format!("{:?} {}{}", output.status.code(), stdout(output), stderr(output))
}

#[test]
fn all_of_an_account_goes_or_what_is_new_and_nothing_else() {
    for classic in [true, false] {
        for (who, since, left) in [
            ("parent", None, (0, 0)),
            ("parent", Some("30d"), (0, 3)),
            ("child", None, (0, 0)),
            ("child", Some("30d"), (0, 3)),
        ] {
            let house = house(1, |world| world.switches.classic_shows_restricted = classic);
            let (account, other) = match who {
                "parent" => (house.parent.clone(), house.child.clone()),
                _ => (house.child.clone(), house.parent.clone()),
            };
            let more: Vec<&str> = since.iter().flat_map(|since| ["--since", since]).collect();
            let plan = house.planned(&account, &more);
            assert_eq!(house.changes(), 0, "a plan changes nothing");
            let kept = plan["account"]["kept"].as_array().unwrap().len();
            assert_eq!((plan["steps"].as_array().unwrap().len(), kept), (6 - left.1, left.1), "{plan}");
            let output = house.confirmed(&account, &more);
            assert_eq!(output.status.code(), Some(0), "{who} {since:?}: {}", told(&output));
            assert_eq!(house.has(&account), left, "{who} {since:?}");
            assert_eq!(house.has(&other), (3, 3), "{who} {since:?}");
            assert!(!stdout(&output).contains("REVOKED"), "no secret was tried: {}", told(&output));
            assert_eq!(house.status().status.code(), Some(0), "{}", told(&house.status()));
            let again = house.confirmed(&account, &more);
            assert_eq!(again.status.code(), Some(0), "{}", told(&again));
            assert!(stdout(&again).contains("Nothing to do"), "{}", told(&again));
        }
    }
}

#[test]
fn a_yes_is_not_enough_and_a_report_never_does_it() {
    let house = house(2, |_| {});
    let (child, parent) = (house.child.clone(), house.parent.clone());
    for more in [&["--yes"][..], &[], &["--confirm", &parent], &["--yes", "--confirm", "yes"]] {
        let output = house.revoke(&child, more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", told(&output));
        assert!(stderr(&output).contains("nothing was changed"), "{more:?}: {}", told(&output));
    }
    house.planned(&child, &[]);
    let (plan, journal) = (house.path("plan.json"), house.path("journal.jsonl"));
    let apply =
        |more: &[&str]| house.rig.run(&[&["revoke", "apply", &plan, "--journal", &journal], more].concat());
    for more in [&["--yes"][..], &["--yes", "--confirm", &parent]] {
        let output = apply(more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", told(&output));
    }
    assert_eq!(house.changes(), 0);
    assert_eq!((house.has(&child), house.has(&parent)), ((3, 3), (3, 3)));
    // A plan of a report has no such step, whatever the account holds.
    let (sid, secret) = house.rig.sim.world().key(&child, KeyKind::Standard);
    house.rig.write("a/.env", &key_code(&sid, &secret, &child));
    let report = house.path("report.json");
    house.rig.run(&["scan", "--report", &format!("json={report}")]);
    let out = house.path("leak.json");
    house.rig.run(&["revoke", "plan", &report, "--out", &out]);
    let made: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert!(made["account"].is_null() && made["steps"].as_array().unwrap().len() == 1, "{made}");
    // A new key since the plan: then it is not all of the account any more.
    let output = apply(&["--confirm", &child]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains(&sid), "{}", told(&output));
    house.planned(&child, &[]);
    let output = apply(&["--confirm", &child]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!((house.has(&child), house.has(&parent)), ((0, 0), (3, 3)));
}

#[test]
fn a_plan_that_was_edited_or_forged_is_refused() {
    let house = house(3, |_| {});
    let child = house.child.clone();
    let plan = house.planned(&child, &[]);
    let path = house.path("plan.json");
    let victim = {
        let world = house.rig.sim.world();
        world.keys.values().find(|key| key.account == house.parent).unwrap().sid.clone()
    };
    let edits: [fn(&mut Value, &str, &str); 4] = [
        |plan, victim, _| plan["steps"][0]["key_sid"] = victim.into(),
        |plan, _, _| plan["account"] = Value::Null,
        |plan, _, parent| plan["steps"][0]["account_sid"] = parent.into(),
        |plan, _, parent| plan["account"]["account_sid"] = parent.into(),
    ];
    for (number, edit) in edits.iter().enumerate() {
        let mut forged = plan.clone();
        edit(&mut forged, &victim, &house.parent);
        // With a digest that fits, as whoever forges a plan would make it.
        if let Ok(mut made) = serde_json::from_value::<sidsweep::model::Plan>(forged) {
            made.digest = made.right_digest();
            std::fs::write(&path, serde_json::to_vec(&made).unwrap()).unwrap();
            let output = house.rig.run(&[
                "revoke",
                "apply",
                &path,
                "--journal",
                &house.path("journal.jsonl"),
                "--yes",
                "--confirm",
                &child,
            ]);
            assert_ne!(output.status.code(), Some(0), "edit {number}: {}", told(&output));
        }
        assert!(house.rig.sim.world().key_exists(&victim), "edit {number}");
    }
    assert_eq!(house.has(&house.parent), (3, 3));
}

#[test]
fn the_tools_own_key_goes_last_and_only_when_all_else_is_done() {
    let mut world = World::new(4);
    let parent = world.account("Example Inc.", None);
    let own = world.key(&parent, KeyKind::Main);
    let others: Vec<String> = (0..3).map(|_| world.key(&parent, KeyKind::Standard).0).collect();
    let app = world.oauth_app(&parent).0;
    let mut rig = Rig::new(world);
    rig.administer_with(&own.0, &own.1);
    let house = House { rig, parent: parent.clone(), child: String::new() };
    house.rig.sim.order(Fault::new(FaultKind::ServerError, &others[1], u32::MAX).on("DELETE"));
    let output = house.confirmed(&parent, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(house.rig.sim.world().key_exists(&own.0) && house.rig.sim.world().key_exists(&others[1]));
    assert!(!house.rig.sim.world().app_exists(&app));
    assert_eq!(house.status().status.code(), Some(1));
    house.rig.sim.world().faults.clear();
    let output = house.confirmed(&parent, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!house.rig.sim.world().key_exists(&own.0), "{}", told(&output));
    let last = house.rig.sim.log().iter().rev().find(|entry| entry.method == "DELETE").unwrap().path.clone();
    assert!(last.contains(&own.0), "{last}");
    assert_eq!(house.status().status.code(), Some(0), "{}", told(&house.status()));
}

#[test]
fn whatever_twilio_answers_in_a_step_the_run_says_so_and_another_ends_it() {
    let forbidden = FaultKind::Answer(403, 20403, "Forbidden".into());
    let refused = FaultKind::Answer(401, 20003, "Authenticate".into());
    let missing = FaultKind::Answer(404, 20404, "not found".into());
    let faults = [
        ("500", FaultKind::ServerError),
        ("429", FaultKind::TooMany(Some(0))),
        ("403", forbidden),
        ("401", refused),
        ("404", missing),
        ("reset after", FaultKind::ResetAfter),
        ("reset before", FaultKind::ResetBefore),
        ("half", FaultKind::HalfBody),
        ("page", FaultKind::WrongType),
        ("proxy", FaultKind::ProxyPage),
        ("redirect", FaultKind::Redirect("evil.example".into())),
    ];
    for (name, kind) in faults {
        for within in ["OAuthApps/OQ", "/Keys/SK"] {
            let house = house(5, |_| {});
            let child = house.child.clone();
            house.rig.sim.order(Fault::new(kind.clone(), within, 12).on("DELETE"));
            let output = house.confirmed(&child, &[]);
            let (code, left) = (output.status.code(), house.has(&child));
            assert_eq!(code == Some(0), left == (0, 0), "{name} {within} {left:?}: {}", told(&output));
            assert!(matches!(code, Some(0 | 1)), "{name} {within}: {}", told(&output));
            let open = house.status();
            assert_eq!(open.status.code(), code, "{name} {within}: {}{}", told(&output), told(&open));
            if code == Some(1) {
                let say = format!("sidsweep revoke account {child}");
                assert!(stderr(&open).contains(&say), "{name} {within}: {}", told(&open));
            }
            house.rig.sim.world().faults.clear();
            let output = house.confirmed(&child, &[]);
            assert_eq!(output.status.code(), Some(0), "{name} {within}: {}", told(&output));
            assert_eq!((house.has(&child), house.has(&house.parent)), ((0, 0), (3, 3)), "{name} {within}");
            let open = house.status();
            assert_eq!(open.status.code(), Some(0), "{name} {within}: {}{}", told(&output), told(&open));
        }
    }
}

#[test]
fn what_cannot_be_listed_is_a_persons_and_no_all_clear() {
    let missing = || FaultKind::Answer(404, 20404, "not found".into());
    let cases: [(&str, Option<Fault>); 4] = [
        ("no list of apps", None),
        ("apps", Some(Fault::new(FaultKind::ServerError, "OAuthApps?", u32::MAX).on("GET"))),
        ("apps are missing", Some(Fault::new(missing(), "OAuthApps?", u32::MAX).on("GET"))),
        ("keys", Some(Fault::new(FaultKind::ServerError, "iam.twilio.com/v1/Keys?", u32::MAX).on("GET"))),
    ];
    for (name, fault) in cases {
        let house = house(6, |_| {});
        let child = house.child.clone();
        match fault {
            Some(fault) => house.rig.sim.order(fault),
            None => house.rig.sim.world().switches.oauth_apps_are_shown = false,
        }
        let output = house.confirmed(&child, &[]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", told(&output));
        assert!(stdout(&output).contains("BY HAND"), "{name}: {}", told(&output));
        assert_eq!(house.status().status.code(), Some(1), "{name}");
        house.rig.sim.world().faults.clear();
        house.rig.sim.world().switches.oauth_apps_are_shown = true;
        let output = house.confirmed(&child, &[]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", told(&output));
        assert_eq!(house.has(&child), (0, 0), "{name}");
        assert_eq!(house.status().status.code(), Some(0), "{name}: {}", told(&house.status()));
    }
}

#[test]
fn a_kill_at_any_line_of_the_journal_loses_nothing() {
    for lines in 1..22 {
        let house = house(700 + lines as u64, |_| {});
        let child = house.child.clone();
        let journal = house.path("journal.jsonl");
        let arguments =
            ["revoke", "account", &child, "--confirm", &child, "--journal", &journal, "--prove-for", "0"];
        let killed = house.rig.kill(&arguments, &mut || {
            std::fs::read(&journal).is_ok_and(|text| text.split(|byte| *byte == b'\n').count() > lines)
        });
        // Killed after its last line it had nothing left to do.
        let is_over = house.rig.journal().last().is_some_and(|line| line["event"] == "finished");
        if killed && !is_over {
            assert_eq!(house.status().status.code(), Some(1), "{lines}: {}", told(&house.status()));
        }
        let output = house.confirmed(&child, &[]);
        assert_eq!(output.status.code(), Some(0), "{lines}: {}", told(&output));
        assert_eq!((house.has(&child), house.has(&house.parent)), ((0, 0), (3, 3)), "{lines}");
        assert_eq!(house.status().status.code(), Some(0), "{lines}: {}", told(&house.status()));
        // Nothing is deleted twice: each deletion that was answered is the only one of its thing.
        let log = house.rig.sim.log();
        let gone: Vec<&str> =
            log.iter().filter(|e| e.method == "DELETE" && e.status == 204).map(|e| e.path.as_str()).collect();
        let distinct: std::collections::BTreeSet<&&str> = gone.iter().collect();
        assert_eq!((gone.len(), distinct.len()), (6, 6), "{lines}: {gone:?}");
    }
}

#[test]
fn a_suspended_account_loses_its_keys_and_names_what_could_not_be_listed() {
    let house = house(8, |_| {});
    let child = house.child.clone();
    house.rig.sim.world().set_status(&child, Status::Suspended);
    let output = house.confirmed(&child, &[]);
    // The parent's token lists and deletes its keys; its OAuth apps only its own credential could list.
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(stdout(&output).contains("could not all be listed"), "{}", told(&output));
    house.rig.sim.world().set_status(&child, Status::Active);
    let output = house.confirmed(&child, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(house.has(&child), (0, 0));
    house.rig.sim.world().set_status(&child, Status::Closed);
    let output = house.confirmed(&child, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("closed, for good"), "{}", told(&output));
}

#[test]
fn an_account_that_is_not_ours_and_dates_that_are_none_are_errors() {
    let house = house(9, |_| {});
    let stranger = house.rig.sim.world().account("Stranger", None);
    let child = house.child.clone();
    for (account, more, words) in [
        (stranger.as_str(), &[][..], "not one of the accounts"),
        (child.as_str(), &["--since", "2999-01-01"][..], "lies ahead"),
        (child.as_str(), &["--since", "soon"][..], "write a day"),
        ("AC123", &[][..], "32 hex digits"),
    ] {
        let output = house.confirmed(account, more);
        assert_eq!(output.status.code(), Some(2), "{account} {more:?}: {}", told(&output));
        assert!(stderr(&output).contains(words), "{account} {more:?}: {}", told(&output));
    }
    assert_eq!((house.changes(), house.has(&child)), (0, (3, 3)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_in_the_middle_changes_nothing_without_a_record() {
    for blocks in 0..10 {
        let house = house(900 + blocks, |_| {});
        let child = house.child.clone();
        let line = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} revoke account {child} --confirm {child} --journal {} --prove-for 0",
            env!("CARGO_BIN_EXE_sidsweep"),
            house.path("journal.jsonl"),
        );
        let plain = house.rig.command(&[]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).current_dir(house.rig.code());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        house.rig.check(&output);
        let (new, old) = house.has(&child);
        let expected = match 6 - new - old {
            0 => 2,
            6 if !stderr(&output).contains("cannot be written") => 0,
            _ => 1,
        };
        assert_eq!(output.status.code(), Some(expected), "{blocks} blocks: {}", told(&output));
        let output = house.confirmed(&child, &[]);
        assert_eq!(output.status.code(), Some(0), "{blocks}: {}", told(&output));
        assert_eq!((house.has(&child), house.has(&house.parent)), ((0, 0), (3, 3)), "{blocks}");
    }
}
