//! Rotating keys and tokens, and containing a subaccount: the successor is in hands and works before the old one goes.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::path::PathBuf;
use std::process::Output;

use common::rig::Rig;
use common::{hold_to, stderr, stdout};
use serde_json::Value;
use twilio_sim::{Fault, FaultKind, KeyKind, Region, Status, World};

struct House {
    rig: Rig,
    parent: String,
    child: String,
    standard: (String, String),
    restricted: (String, String),
    main: (String, String),
}

const POLICY: [&str; 2] = ["/twilio/messaging/messages/create", "/twilio/voice/calls/create"];

fn house(seed: u64) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let standard = world.key(&child, KeyKind::Standard);
    let restricted = world.key(&child, KeyKind::Restricted(POLICY.map(str::to_owned).to_vec()));
    let main = world.key(&parent, KeyKind::Main);
    world.keys.get_mut(&standard.0).unwrap().friendly_name =
        Some("a very long name that somebody gave to this key, 64 characters!".into());
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    House { rig, parent, child, standard, restricted, main }
}

impl House {
    fn run(&self, arguments: &[&str]) -> Output {
        let journal = self.rig.out().join("journal.jsonl").display().to_string();
        let mut all = arguments.to_vec();
        all.extend(["--journal", &journal, "--rate", "10000"]);
        let output = self.rig.run(&all);
        for line in self.rig.journal() {
            hold_to(&line, include_str!("../docs/schema/journal-1.schema.json"));
        }
        output
    }

    fn file(&self) -> PathBuf {
        self.rig.out().join("new.secret")
    }

    /// SID and secret in the file.
    fn handed(&self) -> (String, String) {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        (value("TWILIO_API_KEY="), value("TWILIO_API_SECRET="))
    }

    /// The keys of the subaccount that exist.
    fn keys(&self) -> Vec<String> {
        let world = self.rig.sim.world();
        let of = |key: &&twilio_sim::world::Key| key.account == self.child && key.deleted.is_none();
        world.keys.values().filter(of).map(|key| key.sid.clone()).collect()
    }

    fn report(&self, key: &(String, String)) -> String {
        self.rig.write(
            "app/.env",
            &format!(
                "TWILIO_ACCOUNT_SID={}\nTWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n",
                self.child, key.0, key.1
            ),
        );
        let report = self.rig.out().join("report.json").display().to_string();
        self.rig.run(&["scan", "--report", &format!("json={report}")]);
        report
    }
}

fn code(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), format!("{}{}", stdout(output), stderr(output)))
}

#[test]
fn a_standard_key_gets_a_successor_before_it_goes() {
    let house = house(1);
    let report = house.report(&house.standard);
    let file = house.file().display().to_string();
    let output =
        house.run(&["rotate", "key", &house.standard.0, "--to-file", &file, "--report", &report, "--yes"]);
    let (exit, told) = code(&output);
    assert_eq!(exit, Some(0), "{told}");
    let (sid, secret) = house.handed();
    let world = house.rig.sim.world();
    assert!(world.key_exists(&sid) && world.keys[&sid].secret == secret);
    assert_eq!(world.keys[&sid].kind, KeyKind::Standard);
    assert_eq!(world.keys[&sid].account, house.child);
    let name = world.keys[&sid].friendly_name.clone().unwrap();
    assert!(
        name.starts_with("a very long name") && name.contains("(rotated 20") && name.chars().count() <= 64,
        "{name}"
    );
    assert!(!world.key_exists(&house.standard.0));
    drop(world);
    assert!(told.contains("REVOKED"), "its old secret was tried: {told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(house.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The new one was tried before the old one was deleted.
    let log = house.rig.sim.log();
    let tried = log.iter().position(|e| e.user.as_ref() == Some(&sid) && e.status == 200).unwrap();
    let deleted = log.iter().position(|e| e.method == "DELETE").unwrap();
    assert!(tried < deleted);
}

#[test]
fn a_restricted_key_keeps_its_policy_in_a_subaccount_too() {
    let house = house(2);
    let out = house.rig.out().join("given.secret").display().to_string();
    let command = format!("cat > {out}; printf '\\n%s' \"$SIDSWEEP_NEW_KEY_SID\" >> {out}");
    let output =
        house.run(&["rotate", "key", &house.restricted.0, "--to-command", &command, "--grace", "0s"]);
    let (exit, told) = code(&output);
    assert_eq!(exit, Some(0), "{told}");
    let given = std::fs::read_to_string(&out).unwrap();
    let (secret, sid) = given.split_once('\n').unwrap();
    let world = house.rig.sim.world();
    assert_eq!(world.keys[sid].kind, KeyKind::Restricted(POLICY.map(str::to_owned).to_vec()));
    assert_eq!(world.keys[sid].secret, secret);
    assert_eq!(world.keys[sid].account, house.child);
    assert!(world.key_exists(sid) && !world.key_exists(&house.restricted.0));
    assert!(told.contains("DELETED") && !told.contains("REVOKED"), "its old secret is not known: {told}");
}

#[test]
fn a_main_key_is_left_to_a_person_with_the_steps() {
    let house = house(3);
    let file = house.file().display().to_string();
    let output = house.run(&["rotate", "key", &house.main.0, "--to-file", &file, "--yes"]);
    let (exit, told) = code(&output);
    assert_eq!(exit, Some(2), "{told}");
    assert!(told.contains("--kind standard or --kind main"), "Twilio does not tell them apart: {told}");
    for more in [&["--kind", "main"][..], &["--report", &house.report(&house.main)]] {
        let output =
            house.run(&[&["rotate", "key", &house.main.0, "--to-file", &file, "--yes"], more].concat());
        let (exit, told) = code(&output);
        assert_eq!(exit, Some(2), "{told}");
        assert!(told.contains("1. Open https://console.twilio.com/us1/"), "{told}");
        assert!(told.contains("of the type Main"), "{told}");
    }
    assert!(house.rig.sim.log().iter().all(|entry| entry.method == "GET"));
    assert!(!house.file().exists());
}

#[test]
fn what_cannot_be_handed_over_is_taken_back() {
    let house = house(4);
    let before = house.keys();
    let file = house.file().display().to_string();
    let rotate = |more: &[&str]| {
        house.run(&[&["rotate", "key", &house.standard.0, "--kind", "standard", "--yes"], more].concat())
    };
    let (exit, told) = code(&rotate(&[]));
    assert_eq!(exit, Some(2), "{told}");
    assert!(told.contains("--to-file or --to-command"), "{told}");
    std::fs::write(house.file(), "precious").unwrap();
    let (exit, told) = code(&rotate(&["--to-file", &file]));
    assert_eq!(exit, Some(2), "{told}");
    assert_eq!(std::fs::read_to_string(house.file()).unwrap(), "precious");
    std::fs::remove_file(house.file()).unwrap();
    assert!(house.rig.sim.log().iter().all(|entry| entry.method == "GET"), "nothing was made yet");
    // The file is written, the command fails: neither keeps the secret.
    let (exit, told) = code(&rotate(&["--to-file", &file, "--to-command", "cat >/dev/null; exit 7"]));
    assert_eq!(exit, Some(1), "{told}");
    assert!(told.contains("could not be handed over") && told.contains("works as before"), "{told}");
    assert!(!house.file().exists());
    assert_eq!(house.keys(), before, "the successor is gone, the old key stays");
}

#[test]
fn without_leave_the_old_key_stays() {
    let house = house(5);
    let file = house.file().display().to_string();
    let before = house.keys();
    let output = house.run(&["rotate", "key", &house.standard.0, "--kind", "standard", "--to-file", &file]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(house.keys(), before);
    assert!(!house.file().exists());
}

#[test]
fn a_key_whose_making_has_no_clear_answer_is_not_left_behind() {
    for (number, (kind, times, done)) in (0..).zip([
        (FaultKind::ResetAfter, 1, true),
        (FaultKind::HalfBody, 1, true),
        (FaultKind::WrongType, 1, true),
        (FaultKind::ServerError, 1, true),
        (FaultKind::ResetBefore, 1, true),
        (FaultKind::ResetAfter, u32::MAX, false),
        (FaultKind::Answer(403, 20403, "no".into()), 1, false),
    ]) {
        let house = house(60 + number);
        let before = house.keys();
        house.rig.sim.order(Fault::new(kind.clone(), "Keys.json", times).on("POST"));
        let file = house.file().display().to_string();
        let output = house.run(&[
            "rotate",
            "key",
            &house.standard.0,
            "--kind",
            "standard",
            "--to-file",
            &file,
            "--yes",
        ]);
        let (exit, told) = code(&output);
        assert_eq!(exit, Some(i32::from(!done)), "{kind:?}: {told}");
        let after = house.keys();
        if done {
            let (sid, _) = house.handed();
            let mut expected: Vec<String> =
                before.iter().filter(|sid| **sid != house.standard.0).cloned().collect();
            expected.push(sid);
            expected.sort();
            assert_eq!(after, expected, "{kind:?}: {told}");
        } else {
            assert_eq!(after, before, "{kind:?}: {told}");
            assert!(!house.file().exists(), "{kind:?}");
        }
    }
}

#[test]
fn killed_at_any_line_a_rotation_goes_on_and_leaves_no_stray_key() {
    std::thread::scope(|scope| {
        for line in 1..=8 {
            scope.spawn(move || {
                let house = house(80 + line as u64);
                let report = house.report(&house.standard);
                house.rig.sim.order(Fault::new(
                    FaultKind::Latency(std::time::Duration::from_millis(40)),
                    "",
                    u32::MAX,
                ));
                let before = house.keys();
                let file = house.file().display().to_string();
                let journal = house.rig.out().join("journal.jsonl");
                let path = journal.display().to_string();
                let all = [
                    "rotate",
                    "key",
                    &house.standard.0,
                    "--to-file",
                    &file,
                    "--report",
                    &report,
                    "--yes",
                    "--journal",
                    &path,
                ];
                house.rig.kill(&all, &mut || {
                    std::fs::read_to_string(&journal).is_ok_and(|text| text.matches('\n').count() >= line)
                });
                house.rig.sim.world().faults.clear();
                let output = house.rig.run(&all);
                let (exit, told) = code(&output);
                assert_eq!(exit, Some(0), "line {line}: {told}");
                let (sid, secret) = house.handed();
                assert_eq!(house.rig.sim.world().keys[&sid].secret, secret);
                let mut expected: Vec<String> =
                    before.iter().filter(|sid| **sid != house.standard.0).cloned().collect();
                expected.push(sid);
                expected.sort();
                assert_eq!(house.keys(), expected, "line {line}: {told}");
            });
        }
    });
}

#[test]
fn killed_between_the_file_and_the_line_that_tells_of_it_a_rotation_goes_on() {
    // What the file of the new secret holds when the next run finds it, and whether that run goes on.
    type Left = fn(&str) -> String;
    let cases: [(Left, bool); 4] = [
        (str::to_owned, true),
        (|whole| whole[..whole.len() / 2].to_owned(), true),
        (|_| String::new(), true),
        (|_| "TWILIO_ACCOUNT_SID=somebody else's\n".to_owned(), false),
    ];
    for (number, (left, goes_on)) in (0..).zip(cases) {
        let house = house(120 + number);
        let file = house.file().display().to_string();
        let journal = house.rig.out().join("journal.jsonl");
        let path = journal.display().to_string();
        let report = house.report(&house.standard);
        let sid = &house.standard.0;
        let all =
            ["rotate", "key", sid, "--to-file", &file, "--report", &report, "--yes", "--journal", &path];
        let before = house.keys();
        house.rig.sim.order(Fault::new(
            FaultKind::Latency(std::time::Duration::from_millis(200)),
            "",
            u32::MAX,
        ));
        house.rig.kill(&all, &mut || {
            std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("handed_over"))
        });
        house.rig.sim.world().faults.clear();
        // The line was not on the disk yet.
        let text = std::fs::read_to_string(&journal).expect("a journal");
        let kept: String =
            text.split_inclusive('\n').take_while(|line| !line.contains("handed_over")).collect();
        std::fs::write(&journal, kept).expect("written");
        let whole = std::fs::read_to_string(house.file()).expect("the file");
        std::fs::write(house.file(), left(&whole)).expect("written");

        let (exit, told) = code(&house.rig.run(&all));
        assert_eq!(exit, Some(i32::from(!goes_on)), "{number}: {told}");
        let mut expected = before.clone();
        if goes_on {
            let (new, secret) = house.handed();
            assert_eq!(house.rig.sim.world().keys[&new].secret, secret);
            expected.retain(|key| key != sid);
            expected.push(new);
            expected.sort();
        } else {
            assert_eq!(std::fs::read_to_string(house.file()).expect("the file"), left(&whole));
        }
        assert_eq!(house.keys(), expected, "{number}: {told}");
    }
}

#[test]
fn an_auth_token_is_rotated_in_two_steps_by_the_accounts_own_word() {
    for of_child in [true, false] {
        let mut house = house(9);
        let account = if of_child { house.child.clone() } else { house.parent.clone() };
        let old = house.rig.sim.world().token(&account);
        house.rig.plant(&old);
        let file = house.file().display().to_string();
        let begin = ["rotate", "auth-token", &account, "--begin", "--to-file", &file];
        let (exit, told) = code(&house.run(&begin));
        assert_eq!(exit, Some(2), "typed, or nothing: {told}");
        let wrong = [&begin[..], &["--confirm", &house.main.0]].concat();
        assert_eq!(house.run(&wrong).status.code(), Some(2));
        assert!(house.rig.sim.log().iter().all(|entry| entry.method == "GET"));
        let (exit, told) = code(&house.run(&[&begin[..], &["--confirm", &account]].concat()));
        assert_eq!(exit, Some(0), "{told}");
        let text = std::fs::read_to_string(house.file()).unwrap();
        let new = text.lines().find_map(|line| line.strip_prefix("TWILIO_AUTH_TOKEN=")).unwrap().to_owned();
        {
            let world = house.rig.sim.world();
            let tokens = &world.accounts[&account].tokens[&Region::Us1];
            assert_eq!((&tokens.primary, tokens.secondary.as_ref()), (&old, Some(&new)), "both work");
        }
        let again = house.rig.out().join("again.secret").display().to_string();
        let (exit, told) = code(&house.run(&[
            "rotate",
            "auth-token",
            &account,
            "--begin",
            "--to-file",
            &again,
            "--confirm",
            &account,
        ]));
        assert_eq!(exit, Some(1), "{told}");
        assert!(told.contains("has a secondary token already"), "{told}");

        let finish = ["rotate", "auth-token", &account, "--finish", "--new-file", &file];
        assert_eq!(house.run(&finish).status.code(), Some(2), "typed, or nothing");
        let (exit, told) = code(&house.run(&[&finish[..], &["--confirm", &account]].concat()));
        assert_eq!(exit, Some(0), "{told}");
        assert!(told.contains("the old token is refused"), "{told}");
        {
            let world = house.rig.sim.world();
            let tokens = &world.accounts[&account].tokens[&Region::Us1];
            assert_eq!((&tokens.primary, &tokens.secondary), (&new, &None));
        }
        if !of_child {
            assert!(told.contains("give it the new one"), "{told}");
            house.rig.administer_with(&account, &new);
        }
        let (exit, told) = code(&house.run(&[&finish[..], &["--confirm", &account]].concat()));
        assert_eq!(exit, Some(0), "{told}");
        assert!(told.contains("already"), "{told}");
        let promotes =
            house.rig.sim.log().iter().filter(|e| e.path.contains("Promote") && e.status == 200).count();
        assert_eq!(promotes, 1, "not twice");
    }
}

#[test]
fn a_token_that_does_not_work_is_not_promoted() {
    let mut house = house(10);
    let child = house.child.clone();
    let secondary = house.rig.sim.world().secondary(&child);
    let wrong = house.rig.sim.world().hex();
    house.rig.plant(&wrong);
    std::fs::write(house.file(), format!("TWILIO_AUTH_TOKEN={wrong}\n")).unwrap();
    let file = house.file().display().to_string();
    let (exit, told) = code(&house.run(&[
        "rotate",
        "auth-token",
        &child,
        "--finish",
        "--new-file",
        &file,
        "--confirm",
        &child,
    ]));
    assert_eq!(exit, Some(2), "{told}");
    assert!(told.contains("was not seen to work"), "{told}");
    std::fs::write(house.file(), "nothing here\n").unwrap();
    assert_eq!(
        house
            .run(&["rotate", "auth-token", &child, "--finish", "--new-file", &file, "--confirm", &child])
            .status
            .code(),
        Some(2)
    );
    let world = house.rig.sim.world();
    assert_eq!(world.accounts[&child].tokens[&Region::Us1].secondary, Some(secondary));
    assert!(world.log.iter().all(|entry| entry.method == "GET"));
}

#[test]
fn a_token_that_cannot_be_handed_over_is_deleted_again() {
    let house = house(11);
    let child = &house.child;
    let old = house.rig.sim.world().token(child);
    let (exit, told) = code(&house.run(&[
        "rotate",
        "auth-token",
        child,
        "--begin",
        "--to-command",
        "cat >/dev/null; false",
        "--confirm",
        child,
    ]));
    assert_eq!(exit, Some(1), "{told}");
    assert!(told.contains("deleted again"), "{told}");
    let world = house.rig.sim.world();
    let tokens = &world.accounts[child].tokens[&Region::Us1];
    assert_eq!((&tokens.primary, &tokens.secondary), (&old, &None));
}

#[test]
fn a_lost_answer_to_a_promotion_is_looked_into() {
    for (kind, done) in [(FaultKind::ResetAfter, true), (FaultKind::ResetBefore, false)] {
        let house = house(12);
        let child = &house.child;
        let new = house.rig.sim.world().secondary(child);
        std::fs::write(house.file(), &new).unwrap();
        house.rig.sim.order(Fault::new(kind, "Promote", 1));
        let file = house.file().display().to_string();
        let finish = [
            "rotate",
            "auth-token",
            child,
            "--finish",
            "--new-from",
            &format!("cat {file}"),
            "--confirm",
            child,
        ];
        let (exit, told) = code(&house.run(&finish));
        assert_eq!(exit, Some(i32::from(!done)), "{told}");
        let (exit, told) = code(&house.run(&finish));
        assert_eq!(exit, Some(0), "{told}");
        assert_eq!(house.rig.sim.world().token(child), new);
    }
}

#[test]
fn a_subaccount_is_contained_and_released_and_never_closed() {
    let house = house(13);
    let (parent, child) = (&house.parent, &house.child);
    let status = || house.rig.sim.world().accounts[child].status;
    assert_eq!(house.run(&["contain", child]).status.code(), Some(2), "typed, or nothing");
    assert_eq!(house.run(&["contain", parent, "--confirm", parent]).status.code(), Some(2), "not the parent");
    let stranger = house.rig.sim.world().account("Stranger", None);
    assert_eq!(house.run(&["contain", &stranger, "--confirm", &stranger]).status.code(), Some(2));
    assert_eq!(status(), Status::Active);
    house.rig.sim.order(Fault::new(FaultKind::ResetAfter, child, 1).on("POST"));
    let (exit, told) = code(&house.run(&["contain", child, "--confirm", child]));
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(status(), Status::Suspended);
    assert!(told.contains("Not revoked"), "{told}");
    let (exit, told) = code(&house.run(&["contain", child, "--confirm", child]));
    assert_eq!(exit, Some(2), "{told}");
    assert!(told.contains("suspended already"), "{told}");
    let (exit, told) = code(&house.run(&["contain", child, "--release", "--confirm", child]));
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(status(), Status::Active);
    house.rig.sim.world().set_status(child, Status::Closed);
    let (exit, told) = code(&house.run(&["contain", child, "--release", "--confirm", child]));
    assert_eq!(exit, Some(2), "{told}");
    let closing = |entry: &twilio_sim::Entry| entry.form.iter().any(|(_, value)| value == "closed");
    assert!(!house.rig.sim.log().iter().any(closing));
    let lines: Vec<Value> = house.rig.journal();
    assert!(lines.iter().any(|line| line["action"] == "suspend" && line["event"] == "proven"), "{lines:?}");
}
