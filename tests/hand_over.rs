//! Handing a new secret over, and what is open when a rotation is stopped: a hand-over counts when every byte was taken.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::Rig;
use common::{stderr, stdout};
use serde_json::Value;
use twilio_sim::{Fault, FaultKind, KeyKind, Region, Status, World};

struct House {
    rig: Rig,
    child: String,
    key: (String, String),
}

fn house(seed: u64) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let key = world.key(&child, KeyKind::Standard);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    House { rig, child, key }
}

impl House {
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let journal = self.rig.out().join("journal.jsonl").display().to_string();
        told(&self.rig.run(&[arguments, &["--journal", &journal]].concat()))
    }

    fn rotate(&self, more: &[&str]) -> (Option<i32>, String) {
        self.run(&[&["rotate", "key", &self.key.0, "--kind", "standard", "--yes"], more].concat())
    }

    fn status(&self) -> (Option<i32>, String) {
        self.run(&["revoke", "status"])
    }

    /// The keys of the subaccount that exist.
    fn keys(&self) -> Vec<String> {
        let world = self.rig.sim.world();
        world.keys.values().filter(|key| key.deleted.is_none()).map(|key| key.sid.clone()).collect()
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), format!("{}{}", stdout(output), stderr(output)))
}

#[test]
fn a_command_that_does_not_take_every_byte_gets_no_key() {
    for command in ["true", "head -c 5 >/dev/null", "exec 0<&-; true", "sleep 0.1", "cat >/dev/null; exit 3"]
    {
        let house = house(1);
        let before = house.keys();
        let (code, words) = house.rotate(&["--to-command", command]);
        assert_eq!(code, Some(1), "{command}: {words}");
        assert_eq!(house.keys(), before, "{command}: the old key stays, and there is no other: {words}");
        assert!(words.contains("may hold a dead secret"), "{command}: {words}");
    }
    let house = house(2);
    let (code, words) = house.rotate(&["--to-command", "cat >/dev/null"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(!house.keys().contains(&house.key.0));
}

#[test]
fn a_command_has_its_time() {
    let house = house(3);
    let before = house.keys();
    let (code, words) = house.rotate(&["--to-command", "cat >/dev/null; exec sleep 600", "--to-within", "1"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("did not end within 1 s"), "{words}");
    assert_eq!(house.keys(), before);
}

#[test]
fn of_several_receivers_those_are_named_that_may_hold_a_dead_secret() {
    let house = house(4);
    let file = house.rig.out().join("new.secret").display().to_string();
    let (code, words) = house.rotate(&[
        "--to-file",
        &file,
        "--to-command",
        "cat >/dev/null",
        "--to-command",
        "false",
        "--to-command",
        "tee /dev/null",
    ]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("the command cat (receiver 2), the command false (receiver 3)"), "{words}");
    assert!(!words.contains("tee"), "it was given nothing: {words}");
    assert!(!std::path::Path::new(&file).exists(), "a file is taken back");
}

#[test]
fn a_command_can_be_given_json_as_aws_secrets_manager_keeps_it() {
    let house = house(5);
    let out = house.rig.out().join("given.secret").display().to_string();
    let (code, words) = house.rotate(&["--to-command", &format!("cat > {out}"), "--as", "json"]);
    assert_eq!(code, Some(0), "{words}");
    let given: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let sid = given["apiKeySid"].as_str().unwrap();
    assert_eq!(given["accountSid"], Value::from(house.child.as_str()));
    assert_eq!(given["apiKeySecret"], Value::from(house.rig.sim.world().keys[sid].secret.as_str()));
    assert_eq!(given.as_object().unwrap().len(), 3);
    let begin = ["rotate", "auth-token", &house.child, "--begin", "--confirm", &house.child, "--as", "json"];
    let (code, words) = house.run(&[&begin[..], &["--to-command", &format!("cat > {out}")]].concat());
    assert_eq!(code, Some(0), "{words}");
    let given: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let secondary = house.rig.sim.world().accounts[&house.child].tokens[&Region::Us1].secondary.clone();
    assert_eq!(given["authToken"].as_str().map(str::to_owned), secondary);
}

#[test]
fn a_kill_in_the_grace_leaves_something_open_and_says_how_to_go_on() {
    let house = house(6);
    let (file, journal) = (house.rig.out().join("new.secret"), house.rig.out().join("journal.jsonl"));
    let (file, path) = (file.display().to_string(), journal.display().to_string());
    let key = house.key.0.clone();
    let all = [
        "rotate",
        "key",
        &key,
        "--kind",
        "standard",
        "--to-file",
        &file,
        "--grace",
        "1h",
        "--journal",
        &path,
    ];
    house.rig.kill(&all, &mut || {
        std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("the successor works"))
    });
    let (code, words) = house.status();
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("is not deleted yet") && words.contains(&format!("sidsweep rotate key {key}")),
        "{words}"
    );
    let (code, words) = house.run(&["revoke", "key", &key, "--yes"]);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(house.status().0, Some(0), "{:?}", house.status());
}

#[test]
fn between_begin_and_finish_something_is_open() {
    let house = house(7);
    let child = house.child.clone();
    let old = house.rig.sim.world().token(&child);
    let mut house = house;
    house.rig.plant(&old);
    let file = house.rig.out().join("new.secret").display().to_string();
    let begin = ["rotate", "auth-token", &child, "--begin", "--to-file", &file, "--confirm", &child];
    assert_eq!(house.run(&begin).0, Some(0));
    let (code, words) = house.status();
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("not promoted yet") && words.contains("--finish --new-file"), "{words}");
    let finish = ["rotate", "auth-token", &child, "--finish", "--new-file", &file, "--confirm", &child];
    assert_eq!(house.run(&finish).0, Some(0));
    let (code, words) = house.status();
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn a_run_of_a_plan_that_was_killed_is_open_with_its_command() {
    let house = house(8);
    let out = house.rig.out();
    let (plan, journal) = (out.join("plan.json").display().to_string(), out.join("journal.jsonl"));
    let path = journal.display().to_string();
    let other = house.rig.sim.world().key(&house.child, KeyKind::Standard);
    for (number, key) in [&house.key, &other].iter().enumerate() {
        let code = format!(
            "TWILIO_ACCOUNT_SID={}\nTWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n",
            house.child, key.0, key.1
        );
        house.rig.write(&format!("{number}/.env"), &code);
    }
    house.rig.run(&["revoke", "plan", "--scan", ".", "--out", &plan]);
    house.rig.sim.order(Fault::new(FaultKind::Latency(std::time::Duration::from_millis(200)), "", u32::MAX));
    let all = ["revoke", "apply", &plan, "--yes", "--journal", &path];
    assert!(house.rig.kill(&all, &mut || {
        std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"started\""))
    }));
    let (code, words) = house.status();
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains(&format!("sidsweep revoke apply {plan}")), "{words}");
    house.rig.sim.world().faults.clear();
    assert_eq!(house.run(&["revoke", "apply", &plan, "--yes"]).0, Some(0));
    assert_eq!(house.status().0, Some(0));
}

#[test]
fn where_no_key_can_be_made_the_words_are_clear_and_nothing_is_changed() {
    // Too many keys.
    let house = house(9);
    house.rig.sim.world().accounts.get_mut(&house.child).unwrap().most_keys = 1;
    let (code, words) = house.rotate(&["--to-command", "cat >/dev/null"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("70151") && words.contains("as many API keys as it may have"), "{words}");
    assert_eq!(house.keys(), std::slice::from_ref(&house.key.0));
    // Twilio suspended the account, after a take-over for instance.
    house.rig.sim.world().set_status(&house.child, Status::Suspended);
    let (code, words) = house.rotate(&["--to-command", "cat >/dev/null"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("suspended") && words.contains("reactivated"), "{words}");
    // It is suspended between the look and the request.
    house.rig.sim.world().set_status(&house.child, Status::Active);
    let answer = FaultKind::Answer(403, 20403, "Account lacks permission".into());
    house.rig.sim.order(Fault::new(answer, "Keys.json", 1).on("POST"));
    let (code, words) = house.rotate(&["--to-command", "cat >/dev/null"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("suspended") && words.contains("reactivated"), "{words}");
    assert_eq!(house.keys(), std::slice::from_ref(&house.key.0));
}

#[test]
fn a_successor_that_the_classic_list_does_not_show_leaves_no_stray_key() {
    for kind in [FaultKind::ResetAfter, FaultKind::HalfBody] {
        let mut world = World::new(10);
        world.switches.classic_shows_restricted = false;
        let parent = world.account("Example Inc.", None);
        let policy = KeyKind::Restricted(vec!["/twilio/messaging/messages/create".into()]);
        let key = world.key(&parent, policy.clone());
        let mut rig = Rig::new(world);
        rig.administer(&parent);
        rig.sim.order(Fault::new(kind.clone(), "/v1/Keys", 1).on("POST"));
        let journal = rig.out().join("journal.jsonl").display().to_string();
        let output = rig.run(&[
            "rotate",
            "key",
            &key.0,
            "--to-command",
            "cat >/dev/null",
            "--yes",
            "--journal",
            &journal,
        ]);
        let (code, words) = told(&output);
        assert_eq!(code, Some(0), "{kind:?}: {words}");
        let world = rig.sim.world();
        let left: Vec<_> = world.keys.values().filter(|key| key.deleted.is_none()).collect();
        assert_eq!(left.len(), 1, "{kind:?}: {words}");
        assert!(left[0].sid != key.0 && left[0].kind == policy);
    }
}

#[test]
fn the_file_of_the_old_token_does_not_end_a_rotation() {
    let mut house = house(30);
    let child = house.child.clone();
    let old = house.rig.sim.world().token(&child);
    house.rig.plant(&old);
    let (old_file, new_file) =
        (house.rig.out().join("old.secret"), house.rig.out().join("new.secret").display().to_string());
    std::fs::write(&old_file, format!("TWILIO_AUTH_TOKEN={old}\n")).unwrap();
    let old_file = old_file.display().to_string();
    let begin = ["rotate", "auth-token", &child, "--begin", "--to-file", &new_file, "--confirm", &child];
    assert_eq!(house.run(&begin).0, Some(0));
    let finish = |file: &str| {
        house.run(&["rotate", "auth-token", &child, "--finish", "--new-file", file, "--confirm", &child])
    };
    let (code, words) = finish(&old_file);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("the one of before"), "{words}");
    assert_eq!(house.status().0, Some(1), "it stays open");
    assert_eq!(house.rig.sim.world().token(&child), old);
    let (code, words) = finish(&new_file);
    assert_eq!(code, Some(0), "{words}");
    assert_ne!(house.rig.sim.world().token(&child), old);
    assert_eq!(house.status().0, Some(0));
    // Whoever promotes it in the console may say so afterwards.
    let more = house.rig.out().join("more.secret").display().to_string();
    let begin = ["rotate", "auth-token", &child, "--begin", "--to-file", &more, "--confirm", &child];
    assert_eq!(house.run(&begin).0, Some(0));
    {
        let mut world = house.rig.sim.world();
        let tokens = world.accounts.get_mut(&child).unwrap().tokens.get_mut(&Region::Us1).unwrap();
        tokens.primary = tokens.secondary.take().unwrap();
    }
    let (code, words) = finish(&more);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(house.status().0, Some(0));
}

/// The commands that `revoke status` names, without what it says about them.
fn named(words: &str) -> Vec<Vec<String>> {
    let lines = words.lines().filter_map(|line| line.trim().strip_prefix("to go on: sidsweep "));
    let command = |line: &str| line.split(" (").next().unwrap().split(' ').map(str::to_owned).collect();
    let mut commands: Vec<Vec<String>> = lines.map(command).collect();
    commands.dedup();
    commands
}

/// After each kill that struck once Twilio had done all: whatever `revoke status` names ends with nothing open. A kill leaves the
/// beginning of the journal.
fn after_each_kill(house: &House, more: &[&str], mut before: impl FnMut()) -> usize {
    let path = house.rig.out().join("journal.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let mut open = 0;
    for count in 1..lines.len() {
        std::fs::write(&path, lines[..count].concat()).unwrap();
        before();
        let (code, words) = house.status();
        if code == Some(0) {
            continue;
        }
        open += 1;
        let commands = named(&words);
        assert!(!commands.is_empty(), "{words}");
        let mut heard = words.clone();
        for command in commands {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            heard += &house.run(&[&command[..], more].concat()).1;
        }
        let (code, words) = house.status();
        assert_eq!(code, Some(0), "after {count} lines: {heard}\n{words}");
    }
    open
}

#[test]
fn a_contain_that_was_killed_is_closed_by_the_command_that_status_names() {
    let house = house(31);
    let confirm = ["--confirm", house.child.as_str()];
    for more in [&[][..], &["--release"]] {
        let _ = std::fs::remove_file(house.rig.out().join("journal.jsonl"));
        let (code, words) = house.run(&[&["contain", &house.child], more, &confirm[..]].concat());
        assert_eq!(code, Some(0), "{words}");
        assert!(after_each_kill(&house, &confirm, || {}) >= 2);
    }
}

/// Two leaked keys of which a plan was made and applied; the plan's place.
fn applied(seed: u64) -> (House, String) {
    let house = house(seed);
    let plan = house.rig.out().join("plan.json").display().to_string();
    let other = house.rig.sim.world().key(&house.child, KeyKind::Standard);
    for (number, key) in [&house.key, &other].iter().enumerate() {
        house.rig.write(&format!("{number}/.env"), &common::rig::key_code(&key.0, &key.1, &house.child));
    }
    house.rig.run(&["revoke", "plan", "--scan", ".", "--out", &plan]);
    let (code, words) = house.run(&["revoke", "apply", &plan, "--yes"]);
    assert_eq!(code, Some(0), "{words}");
    (house, plan)
}

#[test]
fn a_plan_that_was_killed_is_closed_by_the_command_that_status_names_wherever_the_plan_is() {
    let (house, _) = applied(32);
    assert!(after_each_kill(&house, &["--yes"], || {}) >= 5);
    // The account was suspended meanwhile.
    let (house, _) = applied(33);
    house.rig.sim.world().set_status(&house.child, Status::Suspended);
    assert!(after_each_kill(&house, &["--yes"], || {}) >= 4);
    // The plan is gone, or was written over: once a change was asked for, each key is named.
    for text in [None, Some("{}")] {
        let (house, plan) = applied(34);
        let path = house.rig.out().join("journal.jsonl");
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        std::fs::remove_file(&plan).unwrap();
        if let Some(text) = text {
            std::fs::write(&plan, text).unwrap();
        }
        for count in 1..lines.len() {
            std::fs::write(&path, lines[..count].concat()).unwrap();
            let (code, mut words) = house.status();
            if code == Some(0) {
                continue;
            }
            for command in named(&words) {
                let command: Vec<&str> = command.iter().map(String::as_str).collect();
                words += &house.run(&[&command[..], &["--yes"]].concat()).1;
            }
            assert_eq!(house.status().0, Some(0), "after {count} lines: {words}");
        }
    }
}

#[test]
fn a_rotation_whose_command_got_the_secret_is_closed_by_either_deletion() {
    for end in ["old", "new"] {
        let house = house(35);
        let path = house.rig.out().join("journal.jsonl");
        let args = [
            "rotate",
            "key",
            &house.key.0,
            "--kind",
            "standard",
            "--to-command",
            "cat >/dev/null",
            "--grace",
            "1h",
        ];
        let all = [&args[..], &["--journal", path.to_str().unwrap()]].concat();
        let is_handed_over = || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("\"proven\""));
        assert!(house.rig.kill(&all, &mut || is_handed_over()));
        let text = std::fs::read_to_string(&path).unwrap();
        let until = text.split_inclusive('\n').take_while(|line| !line.contains("\"proven\""));
        std::fs::write(&path, until.collect::<String>()).unwrap();
        let (code, words) = house.status();
        assert_eq!(code, Some(1), "{words}");
        let new = house.keys().into_iter().find(|key| *key != house.key.0).unwrap();
        let key = if end == "old" { house.key.0.clone() } else { new };
        let command = format!("sidsweep revoke key {key}");
        assert!(words.split_whitespace().collect::<Vec<_>>().join(" ").contains(&command), "{words}");
        assert_eq!(house.run(&["revoke", "key", &key, "--yes"]).0, Some(0));
        let (code, words) = house.status();
        assert_eq!(code, Some(0), "{end}: {words}");
    }
}

#[test]
fn the_main_key_that_sidsweep_runs_on_is_not_followed_by_a_standard_one() {
    let mut world = World::new(36);
    let parent = world.account("Example Inc.", None);
    let own = world.key(&parent, KeyKind::Main);
    let mut rig = Rig::new(world);
    rig.administer_with(&own.0, &own.1);
    let house = House { rig, child: parent, key: own };
    let file = house.rig.out().join("new.secret").display().to_string();
    let (code, words) = house.rotate(&["--to-file", &file]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("Main key") && words.contains("1."), "the console's steps: {words}");
    assert_eq!(house.keys(), std::slice::from_ref(&house.key.0));
    assert!(house.rig.sim.log().iter().all(|entry| entry.method == "GET"));
}
