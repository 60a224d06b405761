//! `rotate key --least-privilege`: the successor may do what the code calls, and no more; and what is told before an Auth Token is
//! promoted.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::Rig;
use common::{stderr, stdout};
use twilio_sim::resources::days_ago;
use twilio_sim::{KeyKind, Region, World};

struct House {
    rig: Rig,
    account: String,
    key: String,
}

fn house(seed: u64, code: &str) -> House {
    let mut world = World::new(seed);
    let account = world.account("Example Inc.", None);
    let key = world.key(&account, KeyKind::Standard).0;
    let mut rig = Rig::new(world);
    rig.administer(&account);
    rig.write("send.py", code);
    House { rig, account, key }
}

const SENDS: &str =
    "from twilio.rest import Client\nclient.messages.create(to=to)\nclient.messages(sid).fetch()\n";

impl House {
    fn path(&self, name: &str) -> String {
        self.rig.out().join(name).display().to_string()
    }

    fn rotate(&self, more: &[&str]) -> Output {
        let (file, journal) = (self.path("new.secret"), self.path("journal.jsonl"));
        self.rig
            .run(&[&["rotate", "key", &self.key, "--to-file", &file, "--journal", &journal], more].concat())
    }

    /// What the successor may do, if there is one.
    fn successor(&self) -> Option<KeyKind> {
        let world = self.rig.sim.world();
        world
            .keys
            .values()
            .find(|key| key.sid != self.key && key.deleted.is_none())
            .map(|key| key.kind.clone())
    }
}

fn told(output: &Output) -> String {
    format!("{:?} {}{}", output.status.code(), stdout(output), stderr(output))
}

#[test]
fn the_successor_may_do_what_the_code_calls() {
    let house = house(1, SENDS);
    let output = house.rotate(&["--least-privilege", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let expected =
        ["/twilio/messaging/messages/create", "/twilio/messaging/messages/read"].map(str::to_owned);
    assert_eq!(house.successor(), Some(KeyKind::Restricted(expected.to_vec())), "{}", told(&output));
    assert!(!house.rig.sim.world().key_exists(&house.key));
    assert!(stdout(&output).contains("send.py:2"), "{}", told(&output));
}

#[test]
fn a_policy_is_written_changed_by_hand_and_used() {
    let house = house(2, SENDS);
    let policy = house.path("policy.json");
    let output = house.rotate(&["--least-privilege", "--policy-out", &policy]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        house.rig.sim.log().is_empty() && stdout(&output).contains("Nothing was changed"),
        "{}",
        told(&output)
    );
    let again = house.rotate(&["--least-privilege", "--policy-out", &policy]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "what was changed by hand is not written over: {}",
        told(&again)
    );
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("messages/read", "messages/list")).unwrap();
    let output = house.rotate(&["--policy", &policy, "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let expected =
        ["/twilio/messaging/messages/create", "/twilio/messaging/messages/list"].map(str::to_owned);
    assert_eq!(house.successor(), Some(KeyKind::Restricted(expected.to_vec())));
}

#[test]
fn what_is_in_doubt_is_a_persons() {
    let studio = "from twilio.rest import Client\nclient.messages.create()\nclient.studio.v2.flows(f).executions.create()\n";
    let signs = "from twilio.jwt.access_token import AccessToken\nclient.messages.create()\ntoken = AccessToken(a, k, s)\n";
    for (code, words) in [
        (studio, "no permission is known for: studio"),
        (signs, "signs Access Tokens"),
        ("import twilio\n", "it allows nothing"),
        ("openai.messages.create()\n", "it allows nothing"),
    ] {
        let house = house(3, code);
        let output = house.rotate(&["--least-privilege", "--yes"]);
        assert_eq!(output.status.code(), Some(2), "{code}: {}", told(&output));
        assert!(told(&output).contains(words), "{code}: {}", told(&output));
        assert!(house.successor().is_none() && house.rig.sim.world().key_exists(&house.key));
    }
    let house = house(4, SENDS);
    let path = house.path("policy.json");
    for text in [
        "{}",
        "{\"allow\": []}",
        "{\"allow\": [\"/Messages\"]}",
        "[]",
        "{\"allow\": [\"/twilio/a/b/c\"], \"deny\": []}",
    ] {
        std::fs::write(&path, text).unwrap();
        let output = house.rotate(&["--policy", &path, "--yes"]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", told(&output));
        assert!(stderr(&output).contains("policy.json"), "{text}: {}", told(&output));
    }
    let output = house.rotate(&["--least-privilege", "--code", "nowhere", "--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(house.successor().is_none() && house.rig.sim.world().key_exists(&house.key));
}

#[test]
fn a_key_of_another_region_gets_no_restricted_successor() {
    let mut world = World::new(5);
    let account = world.account("Example Inc.", None);
    let token = world.token(&account);
    let region = world.accounts[&account].tokens[&Region::Us1].clone();
    world.accounts.get_mut(&account).unwrap().tokens.insert(Region::Ie1, region);
    let key = world.regional_key(&account, KeyKind::Standard, Region::Ie1).0;
    let mut rig = Rig::new(world);
    rig.administer_with(&account, &token);
    rig.write("send.py", SENDS);
    let house = House { rig, account, key };
    let output = house.rotate(&["--least-privilege", "--regions", "ie1", "--yes"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(stderr(&output).contains("us1 only") && house.successor().is_none(), "{}", told(&output));
}

#[test]
fn before_a_promotion_the_webhooks_that_the_token_signs_are_told() {
    for beta in [true, false] {
        let house = house(6, SENDS);
        let account = house.account.clone();
        {
            let mut world = house.rig.sim.world();
            world.switches.webhooks_beta = beta;
            let key = world.shared_key(&account);
            world.rule(&account, "https://signed-by-key.example/", Some(&key), days_ago(1));
            world.rule(&account, "https://signed-by-token.example/", None, days_ago(1));
        }
        let (file, journal) = (house.path("new.secret"), house.path("journal.jsonl"));
        let run = |more: &[&str]| {
            house.rig.run(
                &[&["rotate", "auth-token", &account, "--confirm", &account, "--journal", &journal], more]
                    .concat(),
            )
        };
        let output = run(&["--begin", "--to-file", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let output = run(&["--finish", "--new-file", &file]);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            text.contains("the token signs, by a rule: https://signed-by-token.example/"),
            beta,
            "{text}"
        );
        assert_eq!(
            text.contains("a SharedKey signs, and nothing changes: https://signed-by-key.example/"),
            beta,
            "{text}"
        );
        assert!(text.contains("The token signs all webhooks"), "{text}");
    }
}
