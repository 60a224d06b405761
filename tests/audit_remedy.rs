//! From an organization's audit to verdicts, a plan and revoked keys, by the same code as for one repository.
#![cfg(feature = "audit")]

mod common;

use std::path::Path;

use common::forge::{Forge, Repo, bare};
use common::rig::Rig;
use common::{hold_to_schema, stderr};
use serde_json::{Value, json};
use twilio_sim::{KeyKind, World};

#[test]
fn each_credential_of_an_organization_is_asked_about_once_and_revoked_once() {
    let mut world = World::new(71);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let key = world.key(&child, KeyKind::Standard);
    let bystander = world.key(&child, KeyKind::Standard);
    let token = world.token(&child);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    let key_code =
        format!("TWILIO_ACCOUNT_SID={child}\nTWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n", key.0, key.1);
    let token_code = format!("TWILIO_ACCOUNT_SID={child}\nTWILIO_AUTH_TOKEN={token}\n");
    rig.plant(&key.1);
    rig.plant(&token);

    let folder = tempfile::tempdir().expect("a folder");
    let repos = (0..12)
        .map(|number| {
            let path = folder.path().join(format!("r{number}"));
            let before = [("a/.env", Some(key_code.as_str()))];
            let after = [("a/.env", None), ("b/.env", Some(token_code.as_str()))];
            // The key stands in all of them, in half only in history; the token in that half.
            if number % 2 == 0 {
                bare(&path, &[&before, &after], &[]);
            } else {
                bare(&path, &[&before], &[]);
            }
            Repo::new(&format!("r{number}"), &path)
        })
        .collect();
    let forge = Forge::start(repos);
    let database = format!("sqlite:{}", rig.out().join("audit.db").display());
    let source = format!("github:{}/acme", forge.address);
    let saved = rig.out().join("report.json").display().to_string();
    let to = format!("json={saved}");
    let asking =
        ["--database", &database, "--verify", "--rate", "10000", "--report", &to, "--fail-on", "live"];
    let output = rig.run(&[&["audit", source.as_str(), "--visibility", "public"][..], &asking].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let read = || -> Value {
        serde_json::from_str(&std::fs::read_to_string(&saved).expect("a report")).expect("JSON")
    };
    let report = read();
    hold_to_schema(&report);
    let live: Vec<&Value> = report["credentials"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["verdict"]["state"] == "live")
        .collect();
    assert_eq!(live.len(), 2, "a key and a token: {report}");
    let places = |sid: &str| {
        let one = live.iter().find(|one| one["key_sid"] == sid).expect("there");
        one["findings"].as_array().map_or(0, Vec::len)
    };
    assert!(places(&key.0) >= 24, "twelve places of key and secret each");
    let by_key = rig.sim.log().iter().filter(|entry| entry.user.as_deref() == Some(key.0.as_str())).count();
    assert!((1..=4).contains(&by_key), "one credential, not twelve: {by_key} requests");

    // Later the verdicts are known without asking, and values are read again though the mirrors are gone.
    let asked = rig.sim.log().len();
    let output = rig.run(&["audit", "report", "--database", &database, "--format", "json"]);
    let known: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        known["credentials"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["verdict"]["state"] == "live")
            .count(),
        2
    );
    assert_eq!(rig.sim.log().len(), asked);
    std::fs::remove_dir_all(rig.out().join("audit.mirrors")).expect("removed");
    let output = rig.run(&[&["audit", "report"][..], &asking].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(
        read()["credentials"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["verdict"]["state"] == "live")
            .count(),
        2
    );

    // The plan names one key and one token, and reads values again from the repositories where they stand.
    let plan_file = rig.out().join("plan.json").display().to_string();
    let output = rig.run(&["revoke", "plan", &saved, "--out", &plan_file, "--rate", "10000"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(&plan_file).expect("a plan")).expect("JSON");
    common::hold_to(&plan, include_str!("../docs/schema/plan-1.schema.json"));
    let deletions: Vec<&Value> = plan["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|step| step["action"] == "delete_key")
        .collect();
    assert_eq!(deletions.len(), 1);
    assert_eq!((&deletions[0]["key_sid"], &deletions[0]["account_sid"]), (&json!(key.0), &json!(child)));
    assert!(deletions[0]["places"].to_string().contains("/acme/r3/a/.env"), "{}", deletions[0]["places"]);
    let journal = rig.out().join("journal.jsonl").display().to_string();
    let output = rig.run(&["revoke", "apply", &plan_file, "--yes", "--journal", &journal, "--rate", "10000"]);
    assert!(!rig.sim.world().key_exists(&key.0), "{} {}", common::stdout(&output), stderr(&output));
    assert!(rig.sim.world().key_exists(&bystander.0));
    assert!(Path::new(&journal).exists());
}
