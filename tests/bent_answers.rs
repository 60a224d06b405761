//! Twilio's good answers, bent: whoever stands between us and Twilio, or a change of its API, must not make a live credential
//! a dead one, change anything, or break the program.

mod common;

use common::rig::Rig;
use twilio_sim::{Fault, FaultKind, KeyKind, World};

/// How many worlds are tried.
const SEEDS: u64 = 60;

/// A world with three live keys, and perhaps a token, and the code that leaks them; with the parent of their account.
fn rig(seed: u64, with_token: bool) -> (Rig, String, String) {
    let mut world = World::new(seed);
    let parent = world.account("Parent", None);
    let child = world.account("Child", Some(&parent));
    let mut code = format!("TWILIO_ACCOUNT_SID={child}\n");
    if with_token {
        code += &format!("TWILIO_AUTH_TOKEN={}\n", world.token(&child));
    }
    for (number, kind) in [
        KeyKind::Main,
        KeyKind::Standard,
        KeyKind::Restricted(vec!["/twilio/messaging/messages/create".to_owned()]),
    ]
    .into_iter()
    .enumerate()
    {
        let (key, secret) = world.key(&child, kind);
        code += &format!("TWILIO_API_KEY_{number}={key}\nTWILIO_API_KEY_SECRET_{number}={secret}\n");
    }
    let rig = Rig::new(world);
    rig.write("app/.env", &code);
    (rig, child, parent)
}

#[test]
fn a_bent_answer_is_never_taken_for_a_refusal() {
    let (mut live, mut unknown) = (0, 0);
    for seed in 0..SEEDS {
        let (rig, ..) = rig(seed, true);
        rig.sim.world().faults.push(Fault::new(FaultKind::Bent(seed), "", u32::MAX).percent(60));
        let (report, code) = rig.verified(&["--exposure"]);
        assert_eq!(code, 1, "seed {seed}: {report}");
        for credential in report["credentials"].as_array().expect("a list") {
            match credential["verdict"]["state"].as_str().expect("a state") {
                "live" => live += 1,
                "unknown" => unknown += 1,
                "unverified" => {}
                other => panic!("seed {seed}: {other} of a live credential: {credential}"),
            }
        }
        let changed = rig.sim.world().log.iter().any(|entry| entry.method != "GET");
        assert!(!changed, "seed {seed}: verifying only reads");
    }
    println!("{live} live, {unknown} unknown");
    assert!(live > 20 && unknown > 5, "{live} live, {unknown} unknown: both are to be seen");
}

#[test]
fn a_revocation_under_bent_answers_says_what_is_true() {
    let (mut proven, mut failed) = (0, 0_u64);
    for seed in 0..SEEDS / 2 {
        let (mut rig, child, parent) = rig(1_000 + seed, false);
        rig.administer(&parent);
        let (plan, journal) = (rig.out().join("plan.json"), rig.out().join("journal.jsonl"));
        let (plan, journal) = (plan.to_str().expect("a path"), journal.to_str().expect("a path"));
        let planned = rig.run(&["revoke", "plan", "--scan", ".", "--out", plan, "--rate", "10000"]);
        assert!(planned.status.success(), "seed {seed}: {}", common::stderr(&planned));
        rig.sim.world().faults.push(Fault::new(FaultKind::Bent(seed), "", u32::MAX).percent(15));
        let applied = rig.run(&["revoke", "apply", plan, "--yes", "--journal", journal, "--rate", "10000"]);
        let code = applied.status.code().expect("not killed");
        assert!((0..=2).contains(&code), "seed {seed}");
        // What the journal calls proven is gone, and nothing else is gone unsaid.
        let records = rig.journal();
        for key in rig.sim.world().keys.values().filter(|key| key.deleted.is_some()) {
            let said = records.iter().any(|record| record["key_sid"] == *key.sid);
            assert!(said, "seed {seed}: {} is gone, and the journal does not know it", key.sid);
        }
        for record in &records {
            let Some(key) = record["key_sid"].as_str() else { continue };
            if record["event"] == "proven" {
                proven += 1;
                assert!(!rig.sim.world().key_exists(key), "seed {seed}: {key} is said to be gone");
            }
        }
        failed += u64::from(code != 0);
        let world = rig.sim.world();
        let left =
            world.keys.values().filter(|key| key.account == child && world.key_exists(&key.sid)).count();
        assert!(code != 0 || left == 0, "seed {seed}: done, and {left} keys are left");
    }
    println!("{proven} proven, {failed} of {} runs did not do all", SEEDS / 2);
    assert!(
        proven > 20 && (4..SEEDS / 2 - 3).contains(&failed),
        "{proven} proven, {failed} runs said that they did not do all"
    );
}
