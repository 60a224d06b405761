//! Revoking in the worst hour: answers that lie, accounts that are suspended, keys that lists do not show, disks that are full, and
//! what a person reads of it.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::{Rig, key_code, token_code};
use common::{hold_to, stderr, stdout};
use serde_json::{Value, json};
use twilio_sim::{Fault, FaultKind, InactiveAnswer, KeyKind, Region, Status, World};

/// A parent, a subaccount, and a key of it that leaked.
struct House {
    rig: Rig,
    parent: String,
    child: String,
    key: (String, String),
}

fn house(seed: u64, kind: KeyKind, switch: impl FnOnce(&mut World)) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let key = world.key(&child, kind);
    world.key(&child, KeyKind::Standard);
    switch(&mut world);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("shop/.env", &key_code(&key.0, &key.1, &child));
    House { rig, parent, child, key }
}

impl House {
    fn exists(&self) -> bool {
        self.rig.sim.world().key_exists(&self.key.0)
    }

    /// Keys besides the leaked one that are gone.
    fn harmed(&self) -> usize {
        self.rig.sim.world().keys.values().filter(|k| k.deleted.is_some() && k.sid != self.key.0).count()
    }
}

fn path(rig: &Rig, name: &str) -> String {
    rig.out().join(name).display().to_string()
}

fn plan(rig: &Rig, more: &[&str]) -> (Value, Output) {
    let (report, out) = (path(rig, "report.json"), path(rig, "plan.json"));
    rig.run(&["scan", "--report", &format!("json={report}")]);
    let output = rig.run(&[&["revoke", "plan", &report, "--out", &out], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    hold_to(&plan, include_str!("../docs/schema/plan-1.schema.json"));
    (plan, output)
}

/// A subaccount whose leaked secondary token a plan deletes.
fn planned_secondary(seed: u64) -> (Rig, String) {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let leaked = world.secondary(&child);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.plant(&leaked);
    rig.write("child/.env", &token_code(&child, &leaked));
    plan(&rig, &[]);
    (rig, child)
}

fn apply(rig: &Rig, more: &[&str]) -> Output {
    let (plan, journal) = (path(rig, "plan.json"), path(rig, "journal.jsonl"));
    let output = rig.run(&[&["revoke", "apply", &plan, "--journal", &journal], more].concat());
    for line in rig.journal() {
        hold_to(&line, include_str!("../docs/schema/journal-1.schema.json"));
    }
    output
}

fn status(rig: &Rig) -> Output {
    rig.run(&["revoke", "status", "--journal", &path(rig, "journal.jsonl")])
}

fn told(output: &Output) -> String {
    format!("{:?} {}{}", output.status.code(), stdout(output), stderr(output))
}

fn standard() -> KeyKind {
    KeyKind::Standard
}

fn restricted() -> KeyKind {
    KeyKind::Restricted(vec!["/twilio/messaging/messages/create".into()])
}

#[test]
fn a_404_to_a_delete_is_looked_into() {
    // How often Twilio lies, and whether the step is done in the end.
    for (times, done) in [(1, true), (2, true), (u32::MAX, false)] {
        let house = house(1, standard(), |_| {});
        plan(&house.rig, &[]);
        let lie = FaultKind::Answer(404, 20404, "not found".into());
        house.rig.sim.order(Fault::new(lie, &house.key.0, times).on("DELETE"));
        let output = apply(&house.rig, &["--yes", "--prove-for", "0"]);
        assert_eq!(output.status.code(), Some(i32::from(!done)), "{}", told(&output));
        assert_eq!(house.exists(), !done, "{}", told(&output));
        assert_eq!(stdout(&output).contains("REVOKED"), done, "{}", told(&output));
        if !done {
            assert_eq!(status(&house.rig).status.code(), Some(1));
            house.rig.sim.world().faults.clear();
            assert_eq!(apply(&house.rig, &["--yes"]).status.code(), Some(0));
            assert!(!house.exists());
        }
        assert_eq!(house.harmed(), 0);
    }
}

#[test]
fn a_key_that_lives_reopens_its_step_whatever_was_noted() {
    let house = house(2, standard(), |_| {});
    plan(&house.rig, &[]);
    assert_eq!(apply(&house.rig, &["--yes"]).status.code(), Some(0));
    // As if a wrong answer had been believed.
    house.rig.sim.world().keys.get_mut(&house.key.0).unwrap().deleted = None;
    let output = apply(&house.rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!house.exists() && stdout(&output).contains("REVOKED"), "{}", told(&output));
    assert!(!stdout(&output).contains("proven before"), "{}", told(&output));
}

#[test]
fn a_404_to_the_deletion_of_a_secondary_token_is_looked_into() {
    for (times, done) in [(1, true), (u32::MAX, false)] {
        let (rig, child) = planned_secondary(3);
        let lie = FaultKind::Answer(404, 20404, "not found".into());
        rig.sim.order(Fault::new(lie, "Secondary", times).on("DELETE"));
        let output = apply(&rig, &["--yes", "--prove-for", "0"]);
        assert_eq!(output.status.code(), Some(i32::from(!done)), "{}", told(&output));
        let secondary = rig.sim.world().accounts[&child].tokens[&Region::Us1].secondary.clone();
        assert_eq!(secondary.is_none(), done, "{}", told(&output));
    }
}

#[test]
fn a_secondary_that_was_deleted_is_not_deleted_again_where_a_new_one_took_its_place() {
    let (mut rig, child) = planned_secondary(4);
    // It was deleted, and nothing can be learned of it.
    rig.sim.order(Fault::new(FaultKind::ServerError, "verify.twilio.com", u32::MAX).after(2));
    rig.sim.order(Fault::new(FaultKind::ServerError, "insights.twilio.com", u32::MAX));
    let output = apply(&rig, &["--yes", "--prove-for", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    rig.sim.world().faults.clear();
    let fresh = rig.sim.world().secondary(&child);
    rig.plant(&fresh);
    let output = apply(&rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(rig.sim.world().accounts[&child].tokens[&Region::Us1].secondary, Some(fresh));
}

#[test]
fn a_secondary_in_doubt_is_not_deleted() {
    let (rig, child) = planned_secondary(5);
    // One product refuses it already: a person deletes it in the console right now, and may make a new one.
    let refusal = FaultKind::Answer(401, 20003, "Authenticate".into());
    rig.sim.order(Fault::new(refusal, "verify.twilio.com", u32::MAX));
    let output = apply(&rig, &["--yes", "--prove-for", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(stdout(&output).contains("not yet everywhere"), "{}", told(&output));
    assert!(rig.sim.world().accounts[&child].tokens[&Region::Us1].secondary.is_some());
    assert_eq!(status(&rig).status.code(), Some(1), "{}", told(&status(&rig)));
}

#[test]
fn a_masked_token_is_no_secondary() {
    let mut world = World::new(6);
    world.switches.token_is_masked = true;
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let (primary, secondary) = (world.token(&child), world.secondary(&child));
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("a/.env", &token_code(&child, &primary));
    rig.write("b/.env", &token_code(&child, &secondary));
    let (plan, _) = plan(&rig, &[]);
    for step in plan["steps"].as_array().unwrap() {
        assert_eq!(step["action"], "manual", "which of the two it is cannot be told: {step}");
    }
    assert_eq!(apply(&rig, &["--yes"]).status.code(), Some(1));
    assert!(rig.sim.log().iter().all(|entry| entry.method == "GET"));
}

#[test]
fn restricted_keys_that_the_classic_api_does_not_show_are_deleted_in_their_account() {
    for shown in [true, false] {
        let house = house(7, restricted(), |world| world.switches.classic_shows_restricted = shown);
        let (plan, _) = plan(&house.rig, &[]);
        assert_eq!(plan["steps"][0]["action"], "delete_key", "{plan}");
        let output = apply(&house.rig, &["--yes"]);
        assert_eq!(output.status.code(), Some(0), "shown {shown}: {}", told(&output));
        assert!(!house.exists() && house.harmed() == 0);
        let by_iam = house.rig.sim.log().iter().any(|e| e.method == "DELETE" && e.host == "iam.twilio.com");
        assert_eq!(by_iam, !shown);
    }
}

#[test]
fn a_key_that_lingers_at_one_product_is_not_yet_revoked_everywhere() {
    for product in ["api", "verify"] {
        let house = house(8, standard(), |world| {
            world.switches.delete_lag = 2;
            world.switches.lingers_at = Some(product);
        });
        plan(&house.rig, &[]);
        let output = apply(&house.rig, &["--yes", "--prove-for", "0"]);
        assert_eq!(output.status.code(), Some(1), "{product}: {}", told(&output));
        let words = if product == "api" { "not yet everywhere" } else { "it still works" };
        assert!(stdout(&output).contains(words), "{product}: {}", told(&output));
        assert!(!stdout(&output).contains("REVOKED"), "{product}: {}", told(&output));
        let output = apply(&house.rig, &["--yes"]);
        assert_eq!(output.status.code(), Some(0), "{product}: {}", told(&output));
    }
}

#[test]
fn only_401_proves_a_death_and_only_by_two_products() {
    for (status, within) in [(400, ""), (403, ""), (404, ""), (409, ""), (401, "verify.twilio.com")] {
        let house = house(9, standard(), |_| {});
        plan(&house.rig, &[]);
        let answer = FaultKind::Answer(status, 20003, "Authenticate".into());
        let key = house.key.0.clone();
        // Twilio keeps the key, and says 204; then somebody answers what the leaked key asks.
        house.rig.sim.world().switches.delete_lag = u32::MAX;
        let mut faults =
            vec![Fault::new(answer.clone(), &format!("{within}/v2/Services"), u32::MAX).after(1)];
        if within.is_empty() {
            faults.push(Fault::new(answer.clone(), "IncomingPhoneNumbers", u32::MAX));
            faults.push(Fault::new(answer, "Voice/Settings", u32::MAX));
        }
        house.rig.sim.world().faults.extend(faults);
        let output = apply(&house.rig, &["--yes", "--prove-for", "0"]);
        assert_eq!(output.status.code(), Some(1), "{status} {within}: {}", told(&output));
        assert!(!stdout(&output).contains("REVOKED"), "{status} {within}: {}", told(&output));
        assert!(house.rig.journal().iter().all(|line| line["event"] != "proven"), "{status}: {key}");
    }
}

#[test]
fn the_key_that_the_tool_runs_on_stays_while_another_step_is_open() {
    let mut world = World::new(10);
    let parent = world.account("Example Inc.", None);
    world.switches.main_key_reaches_subaccounts = true;
    let own = world.key(&parent, KeyKind::Main);
    let other = world.key(&parent, KeyKind::Standard);
    let mut rig = Rig::new(world);
    rig.administer_with(&own.0, &own.1);
    rig.write("a/.env", &key_code(&own.0, &own.1, &parent));
    rig.write("b/.env", &key_code(&other.0, &other.1, &parent));
    plan(&rig, &[]);
    rig.sim.order(Fault::new(FaultKind::ServerError, &other.0, u32::MAX).on("DELETE"));
    let output = apply(&rig, &["--yes", "--prove-for", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(rig.sim.world().key_exists(&own.0) && rig.sim.world().key_exists(&other.0));
    assert!(stdout(&output).contains("sidsweep runs on this key"), "{}", told(&output));
    assert_eq!(status(&rig).status.code(), Some(1));
    rig.sim.world().faults.clear();
    let output = apply(&rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!rig.sim.world().key_exists(&own.0) && !rig.sim.world().key_exists(&other.0));
    // Its own credential is gone: said in clear words, and nothing else happens.
    let output = apply(&rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("was deleted"), "{}", told(&output));
}

#[test]
fn containing_does_not_make_revoking_impossible() {
    let house = house(11, standard(), |_| {});
    let journal = path(&house.rig, "journal.jsonl");
    let contained =
        house.rig.run(&["contain", &house.child, "--confirm", &house.child, "--journal", &journal]);
    let words = stdout(&contained).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("calls in progress") && words.contains("Status=completed"), "{words}");
    let (plan, _) = plan(&house.rig, &[]);
    let step = &plan["steps"][0];
    assert_eq!((&step["action"], &step["key_sid"]), (&json!("delete_key"), &json!(house.key.0)), "{plan}");
    assert_eq!(step["seen"]["account_status"], "suspended");
    assert!(step["why"].as_str().unwrap().contains("suspended"), "{step}");
    let output = apply(&house.rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!house.exists() && house.harmed() == 0);
    // It is refused either way, so that alone shows nothing: it is said what does.
    assert!(stdout(&output).contains("DELETED") && !stdout(&output).contains("REVOKED"), "{}", told(&output));
    assert_eq!(apply(&house.rig, &["--yes"]).status.code(), Some(0), "nothing is left");
    let report = path(&house.rig, "report.json");
    house.rig.sim.world().set_status(&house.child, Status::Active);
    let output = house.rig.run(&["verify", &report]);
    assert!(stdout(&output).contains("REJECTED"), "{}", told(&output));
}

#[test]
fn whatever_a_suspended_account_tells_its_keys_they_are_planned_and_deleted() {
    let words = "Authorization Error: account not found or suspended";
    let told_so = [
        (401, 70051, words),
        (403, 70051, words),
        (401, 20006, words),
        (404, 20404, "not found"),
        (403, 70052, words),
        (403, 20003, words),
        (403, 20008, words),
        (400, 20001, words),
        (500, 20500, "internal"),
    ];
    for (status, code, words) in told_so {
        let house = house(40, standard(), |world| {
            world.switches.inactive = InactiveAnswer::Other(status, code, words);
        });
        house.rig.sim.world().set_status(&house.child, Status::Suspended);
        let (plan, _) = plan(&house.rig, &[]);
        assert_eq!(plan["steps"][0]["action"], "delete_key", "{status}/{code}: {plan}");
        let output = apply(&house.rig, &["--yes"]);
        assert_eq!(output.status.code(), Some(0), "{status}/{code}: {}", told(&output));
        assert!(!house.exists() && house.harmed() == 0, "{status}/{code}");
        assert!(!stdout(&output).contains("REVOKED"), "{status}/{code}: {}", told(&output));
    }
}

#[test]
fn a_token_of_a_suspended_account_is_neither_forgotten_nor_called_dead() {
    let mut world = World::new(12);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let token = world.token(&child);
    world.set_status(&child, Status::Suspended);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("child/.env", &token_code(&child, &token));
    let (plan, _) = plan(&rig, &[]);
    assert_eq!(plan["steps"][0]["action"], "manual", "{plan}");
    let output = apply(&rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        stdout(&output).contains("BY HAND") && stdout(&output).contains("suspended"),
        "{}",
        told(&output)
    );
}

#[test]
fn an_account_that_is_suspended_meanwhile_proves_nothing() {
    let mut world = World::new(13);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let token = world.token(&child);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("child/.env", &token_code(&child, &token));
    plan(&rig, &[]);
    // Accounts were read when the run began; Twilio suspends the account right after.
    rig.sim.order(Fault::new(FaultKind::Latency(std::time::Duration::from_millis(300)), "Keys.json", 1));
    std::thread::scope(|scope| {
        let applying = scope.spawn(|| apply(&rig, &["--yes", "--prove-for", "0"]));
        while !rig.sim.log().iter().any(|entry| entry.fault) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        rig.sim.world().set_status(&child, Status::Suspended);
        let output = applying.join().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(!stdout(&output).contains("REVOKED"), "{}", told(&output));
    });
}

#[test]
fn a_plan_says_first_what_stays_live_and_last_what_is_deleted() {
    let mut world = World::new(14);
    let parent = world.account("Example Inc.", None);
    let stranger = world.account("Stranger", None);
    let own = world.key(&parent, KeyKind::Standard);
    let token = world.token(&parent);
    let foreign: Vec<(String, String)> = (0..12).map(|_| world.key(&stranger, KeyKind::Standard)).collect();
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("own/.env", &key_code(&own.0, &own.1, &parent));
    for (number, key) in foreign.iter().enumerate() {
        rig.write(&format!("foreign/{number}/.env"), &key_code(&key.0, &key.1, &stranger));
    }
    let headline = "12 live credentials belong to accounts you do not administer";
    let (_, output) = plan(&rig, &[]);
    let text = stdout(&output);
    assert!(text.starts_with(headline), "{text}");
    assert!(!text.contains(&foreign[0].0) && text.contains("--all"), "{text}");
    let (_, output) = plan(&rig, &["--all"]);
    assert!(foreign.iter().all(|(sid, _)| stdout(&output).contains(sid)), "{}", told(&output));
    let output = apply(&rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(
        stdout(&output).matches(headline).count(),
        2,
        "at the beginning and at the end: {}",
        told(&output)
    );
    assert!(!stdout(&output).contains("revoke key"), "{}", told(&output));

    // What is deleted stands right above the question.
    rig.write("token/.env", &token_code(&parent, &token));
    let again = rig.sim.world().key(&parent, KeyKind::Standard);
    rig.write("own/.env", &key_code(&again.0, &again.1, &parent));
    let (made, output) = plan(&rig, &[]);
    let made: sidsweep::model::Plan = serde_json::from_value(made).unwrap();
    for all in [true, false] {
        let mut page = Vec::new();
        sidsweep::report::plan::write(&made, all, 80, &mut page).unwrap();
        let page = anstream::adapter::strip_str(std::str::from_utf8(&page).unwrap()).to_string();
        for line in page.lines() {
            let is_one_word = line.trim().split(' ').count() <= 2;
            assert!(line.chars().count() <= 80 || is_one_word, "wider than 80 columns: {line}");
        }
    }
    assert!(sidsweep::report::plan::question(&made).len() < 70);
    let text = stdout(&output);
    let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("{needle}: {text}"));
    assert!(at("left out") < at("by hand: the") && at("by hand: the") < at(&again.0), "{text}");
    assert!(text.starts_with(headline) && text.contains("and 1 needs a person"), "{text}");
}

#[test]
fn a_plan_warns_of_keys_that_others_make_and_of_what_a_parents_token_opens() {
    let mut world = World::new(15);
    let parent = world.account("Example Inc.", None);
    for number in 0..3 {
        world.account(&format!("Customer {number}"), Some(&parent));
    }
    let token = world.token(&parent);
    for name in ["aws-sm-api-key-prod", "Studio API Key", "worker"] {
        let key = world.key(&parent, KeyKind::Standard);
        world.keys.get_mut(&key.0).unwrap().friendly_name = Some(name.into());
    }
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    let keys: Vec<(String, String, String)> = rig
        .sim
        .world()
        .keys
        .values()
        .map(|key| (key.sid.clone(), key.secret.clone(), key.friendly_name.clone().unwrap()))
        .collect();
    for (sid, secret, name) in &keys {
        rig.write(&format!("{}/.env", name.replace(' ', "-")), &key_code(sid, secret, &parent));
    }
    rig.write("token/.env", &token_code(&parent, &token));
    let (plan, _) = plan(&rig, &[]);
    let steps = plan["steps"].as_array().unwrap();
    for (sid, _, name) in &keys {
        let breaks = steps.iter().find(|step| step["key_sid"] == **sid).unwrap()["breaks"].to_string();
        assert_eq!(breaks.contains("AWS Secrets Manager"), name.starts_with("aws"), "{name}: {breaks}");
        assert_eq!(breaks.contains("Twilio Studio"), name.starts_with("Studio"), "{name}: {breaks}");
    }
    let token = steps.iter().find(|step| step["key_sid"].is_null()).unwrap();
    assert!(token["breaks"].to_string().contains("each of its 3 subaccounts"), "{token}");
}

#[test]
fn a_journal_that_is_none_is_no_all_clear() {
    let house = house(16, standard(), |_| {});
    let path = house.rig.out().join("journal.jsonl");
    for text in ["hello", "hello\n", "{}", "{\"schema\":\"sidsweep/plan/1\"}", "\0\0\0"] {
        std::fs::write(&path, text).unwrap();
        let output = status(&house.rig);
        assert_eq!(output.status.code(), Some(2), "{text:?}: {}", told(&output));
        assert!(!stdout(&output).contains("nothing is open"), "{text:?}");
    }
    // The first line of a journal that broke off is one.
    std::fs::write(&path, "{\"schema\":\"sidsweep/journal/1\",\"at\":\"20").unwrap();
    assert_eq!(status(&house.rig).status.code(), Some(0));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(status(&house.rig).status.code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_in_the_middle_is_told_with_what_was_done() {
    // How many blocks of 512 bytes the journal may have: from none to all.
    let mut codes = Vec::new();
    for blocks in 0..12 {
        let mut world = World::new(400 + blocks);
        let parent = world.account("Example Inc.", None);
        let keys: Vec<(String, String)> = (0..3).map(|_| world.key(&parent, KeyKind::Standard)).collect();
        let mut rig = Rig::new(world);
        rig.administer(&parent);
        for (number, key) in keys.iter().enumerate() {
            rig.write(&format!("{number}/.env"), &key_code(&key.0, &key.1, &parent));
        }
        plan(&rig, &[]);
        let line = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} revoke apply {} --journal {} --yes",
            env!("CARGO_BIN_EXE_sidsweep"),
            path(&rig, "plan.json"),
            path(&rig, "journal.jsonl"),
        );
        let plain = rig.command(&[]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).current_dir(rig.code());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        rig.check(&output);
        let gone = keys.iter().filter(|key| !rig.sim.world().key_exists(&key.0)).count();
        let expected = match gone {
            0 => 2,
            _ if stdout(&output).contains("3 of 3 steps")
                && !stderr(&output).contains("cannot be written") =>
            {
                0
            }
            _ => 1,
        };
        assert_eq!(output.status.code(), Some(expected), "{blocks} blocks, {gone} gone: {}", told(&output));
        if expected == 1 {
            assert!(stderr(&output).contains("go on where it was"), "{blocks}: {}", told(&output));
            assert_eq!(
                stdout(&output).matches("NOT ").count() + stdout(&output).matches("REVOKED").count(),
                3
            );
        }
        codes.push(expected);
        let output = apply(&rig, &["--yes"]);
        assert_eq!(output.status.code(), Some(0), "{blocks}: {}", told(&output));
        assert!(keys.iter().all(|key| !rig.sim.world().key_exists(&key.0)), "{blocks}");
    }
    assert!(codes.contains(&2) && codes.contains(&1), "{codes:?}");
}

#[test]
fn an_administrators_token_that_was_promoted_away_is_said_in_clear_words() {
    let house = house(17, standard(), |_| {});
    plan(&house.rig, &[]);
    let fresh = house.rig.sim.world().hex();
    house
        .rig
        .sim
        .world()
        .accounts
        .get_mut(&house.parent)
        .unwrap()
        .tokens
        .values_mut()
        .for_each(|tokens| tokens.primary.clone_from(&fresh));
    let output = apply(&house.rig, &["--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("promoted away"), "{}", told(&output));
    assert!(house.exists());
}

/// Runs the binary on a terminal of its own and types, each text after that many milliseconds more.
#[cfg(unix)]
fn on_a_terminal(rig: &Rig, arguments: &[&str], typed: &[(u64, &str)]) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let line = [&[env!("CARGO_BIN_EXE_sidsweep")], arguments].concat().join(" ");
    let plain = rig.command(&[]);
    let mut command = std::process::Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]).current_dir(rig.code());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux gives a terminal");
    let mut keys = child.stdin.take().unwrap();
    for (after, text) in typed {
        std::thread::sleep(std::time::Duration::from_millis(*after));
        let _ = keys.write_all(text.as_bytes());
        let _ = keys.flush();
    }
    let output = child.wait_with_output().unwrap();
    drop(keys);
    output
}

#[cfg(unix)]
#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let house = house(18, standard(), |_| {});
    plan(&house.rig, &[]);
    let (plan, journal) = (path(&house.rig, "plan.json"), path(&house.rig, "journal.jsonl"));
    let apply = ["revoke", "apply", &plan, "--journal", &journal];
    // The question comes only after Twilio answered, which takes its time here.
    house.rig.sim.order(Fault::new(FaultKind::Latency(std::time::Duration::from_millis(600)), "", 3));
    let output = on_a_terminal(&house.rig, &apply, &[(300, "yes\n"), (4000, "no\n")]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(house.exists(), "{}", told(&output));
    let output = on_a_terminal(&house.rig, &apply, &[(2500, "yes\n")]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!house.exists());
}
