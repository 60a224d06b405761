//! OAuth apps and the keys that sign webhooks: asked about only by an explicit wish, listed, deleted by plan or by name, and proven
//! dead by a refused token request.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::process::Output;

use common::rig::Rig;
use common::{hold_to, stderr, stdout};
use serde_json::Value;
use twilio_sim::{Fault, FaultKind, World};

/// A parent, a subaccount, and an OAuth app of it that leaked.
struct House {
    rig: Rig,
    child: String,
    app: (String, String),
}

fn house(seed: u64, switch: impl FnOnce(&mut World)) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let app = world.oauth_app(&child);
    world.oauth_app(&parent);
    switch(&mut world);
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    rig.write("shop/.env", &format!("TWILIO_CLIENT_ID={}\nTWILIO_CLIENT_SECRET={}\n", app.0, app.1));
    House { rig, child, app }
}

impl House {
    fn path(&self, name: &str) -> String {
        self.rig.out().join(name).display().to_string()
    }

    fn exists(&self) -> bool {
        self.rig.sim.world().app_exists(&self.app.0)
    }

    fn minted(&self) -> usize {
        self.rig.sim.world().minted.len()
    }

    fn plan(&self, more: &[&str]) -> Value {
        let (report, out) = (self.path("report.json"), self.path("plan.json"));
        self.rig.run(&["scan", "--report", &format!("json={report}")]);
        let output = self.rig.run(&[&["revoke", "plan", &report, "--out", &out], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let plan = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        hold_to(&plan, include_str!("../docs/schema/plan-1.schema.json"));
        plan
    }

    fn apply(&self, more: &[&str]) -> Output {
        let (plan, journal) = (self.path("plan.json"), self.path("journal.jsonl"));
        let output =
            self.rig.run(&[&["revoke", "apply", &plan, "--journal", &journal, "--yes"], more].concat());
        for line in self.rig.journal() {
            hold_to(&line, include_str!("../docs/schema/journal-1.schema.json"));
        }
        output
    }

    /// Deletes something by its id.
    fn revoke(&self, what: &str, id: &str) -> Output {
        let journal = self.path("journal.jsonl");
        self.rig.run(&["revoke", what, id, "--yes", "--journal", &journal, "--prove-for", "0"])
    }

    fn status(&self) -> Output {
        self.rig.run(&["revoke", "status", "--journal", &self.path("journal.jsonl")])
    }
}

fn told(output: &Output) -> String {
    format!("{:?} {}{}", output.status.code(), stdout(output), stderr(output))
}

#[test]
fn a_token_is_made_only_by_an_explicit_wish() {
    let house = house(1, |_| {});
    let (report, _) = house.rig.verified(&[]);
    let app = |report: &Value| {
        let all = report["credentials"].as_array().unwrap();
        all.iter().find(|one| one["type"] == "oauth_app").cloned().unwrap_or_else(|| panic!("{report}"))
    };
    assert_eq!(app(&report)["verdict"]["state"], "unverified");
    assert!(app(&report)["verdict"]["reason"].as_str().unwrap().contains("--mint"));
    let plan = house.plan(&[]);
    assert!(plan["steps"].as_array().unwrap().is_empty(), "{plan}");
    assert_eq!(house.minted(), 0);
    let (report, code) = house.rig.verified(&["--mint"]);
    let verdict = &app(&report)["verdict"];
    assert_eq!(
        (verdict["state"].as_str(), verdict["kind"].as_str()),
        (Some("live"), Some("oauth_app")),
        "{verdict}"
    );
    assert_eq!((code, house.minted()), (1, 1));
    assert_eq!(
        (&verdict["owner"], &verdict["ours"]),
        (&Value::from(house.child.clone()), &Value::Bool(true))
    );
}

#[test]
fn what_a_token_request_is_told_decides_and_nothing_else_is_dead() {
    let answers = [
        (FaultKind::Answer(401, 322_402, "Invalid credentials".into()), "rejected"),
        (FaultKind::Answer(400, 321_401, "Invalid credentials".into()), "rejected"),
        (FaultKind::Answer(401, 20003, "Authenticate".into()), "rejected"),
        (FaultKind::Answer(400, 20003, "Authenticate".into()), "unknown"),
        (FaultKind::Answer(403, 322_402, "Invalid credentials".into()), "unknown"),
        (FaultKind::Answer(404, 322_402, "Invalid credentials".into()), "unknown"),
        (FaultKind::Answer(400, 322_403, "Bad Request".into()), "unknown"),
        (FaultKind::Answer(403, 20403, "Forbidden".into()), "unknown"),
        (FaultKind::Answer(404, 20404, "not found".into()), "unknown"),
        (FaultKind::TooMany(Some(60)), "unknown"),
        (FaultKind::ServerError, "unknown"),
        (FaultKind::WrongType, "unknown"),
        (FaultKind::ProxyPage, "unknown"),
        (FaultKind::HalfBody, "unknown"),
        (FaultKind::ResetBefore, "unknown"),
        (FaultKind::Redirect("evil.example".into()), "unknown"),
    ];
    let house = house(2, |_| {});
    for (kind, expected) in answers {
        house.rig.sim.world().faults = vec![Fault::new(kind.clone(), "oauth.twilio.com", u32::MAX)];
        let (report, _) = house.rig.verified(&["--mint"]);
        let verdict = &report["credentials"][0]["verdict"];
        assert_eq!(verdict["state"], expected, "{kind:?}: {verdict}");
    }
    // Once refused and once not: one replica has not heard yet.
    let refusal = FaultKind::Answer(401, 322_402, "Invalid credentials".into());
    house.rig.sim.world().faults = vec![Fault::new(refusal, "oauth.twilio.com", 1)];
    let (report, _) = house.rig.verified(&["--mint"]);
    assert_eq!(report["credentials"][0]["verdict"]["state"], "live");
}

#[test]
fn a_leaked_app_is_deleted_by_plan_and_proven_by_a_refused_token_request() {
    for refusal in [(401, 322_402), (400, 321_401)] {
        for shown in ["oauth_apps", "content"] {
            let house = house(3, |world| {
                world.switches.oauth_refusal = refusal;
                world.switches.oauth_list = shown;
            });
            let plan = house.plan(&["--mint"]);
            let step = &plan["steps"][0];
            assert_eq!(
                (&step["action"], &step["target"]),
                (&"delete_oauth_app".into(), &house.app.0.clone().into()),
                "{plan}"
            );
            let output = house.apply(&[]);
            assert_eq!(output.status.code(), Some(2), "asking makes a token: {}", told(&output));
            assert!(house.exists() && stderr(&output).contains("--mint"), "{}", told(&output));
            let output = house.apply(&["--mint"]);
            assert_eq!(output.status.code(), Some(0), "{}", told(&output));
            assert!(!house.exists() && stdout(&output).contains("REVOKED"), "{}", told(&output));
            let others =
                house.rig.sim.world().oauth_apps.values().filter(|app| app.deleted.is_some()).count();
            assert_eq!(others, 1, "nothing else is deleted");
            assert_eq!(house.status().status.code(), Some(0));
        }
    }
}

#[test]
fn an_app_that_lingers_or_a_404_that_lies_is_not_revoked() {
    let house = house(4, |world| world.switches.delete_lag = 2);
    house.plan(&["--mint"]);
    let output = house.apply(&["--mint", "--prove-for", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(!stdout(&output).contains("REVOKED"), "{}", told(&output));
    assert_eq!(house.status().status.code(), Some(1));
    let output = house.apply(&["--mint"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));

    let house = self::house(5, |_| {});
    house.plan(&["--mint"]);
    let lie = FaultKind::Answer(404, 20404, "not found".into());
    house.rig.sim.order(Fault::new(lie, &house.app.0, u32::MAX).on("DELETE"));
    let output = house.apply(&["--mint", "--prove-for", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(house.exists() && !stdout(&output).contains("REVOKED"), "{}", told(&output));
    house.rig.sim.world().faults.clear();
    assert_eq!(house.apply(&["--mint"]).status.code(), Some(0));
    assert!(!house.exists());
}

#[test]
fn a_secret_that_does_not_open_the_app_deletes_nothing() {
    let house = house(6, |_| {});
    house.plan(&["--mint"]);
    // Somebody rotated it meanwhile.
    house.rig.sim.world().oauth_apps.get_mut(&house.app.0).unwrap().secret = "another".repeat(9);
    let output = house.apply(&["--mint"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(house.exists() && stderr(&output).contains("does not work"), "{}", told(&output));
}

#[test]
fn an_inventory_has_apps_with_policy_and_lifetime_and_keys_that_sign() {
    let house = house(7, |_| {});
    let child = house.child.clone();
    let key = house.rig.sim.world().shared_key(&child);
    let output = house.rig.run(&["inventory", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    hold_to(&shown, include_str!("../docs/schema/inventory-1.schema.json"));
    let own = shown["accounts"].as_array().unwrap().iter().find(|own| own["sid"] == *child).unwrap();
    let app = &own["oauth_apps"][0];
    assert_eq!((&app["sid"], &app["access_token_ttl"]), (&house.app.0.clone().into(), &3600.into()), "{app}");
    assert_eq!(app["policy"][0], "/twilio/messaging/messages/create");
    assert_eq!(own["shared_keys"][0]["id"], key);
    let text = stdout(&house.rig.run(&["inventory"]));
    for words in [&house.app.0, &key, "tokens live 3600 s", "signs webhooks"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for (within, what) in [("OAuthApps", "OAuth apps"), ("SharedKeys", "webhook SharedKeys")] {
        house.rig.sim.world().faults = vec![Fault::new(FaultKind::ProxyPage, within, u32::MAX)];
        let output = house.rig.run(&["inventory"]);
        assert_eq!(output.status.code(), Some(2), "{within}: {}", told(&output));
        assert!(stderr(&output).contains(what), "{within}: {}", told(&output));
    }
}

#[test]
fn apps_and_keys_that_sign_are_deleted_by_name_whatever_twilio_answers() {
    for later in [None, Some(0), Some(3)] {
        for (what, within) in [("oauth-app", "OAuthApps/OQ"), ("shared-key", "SharedKeys/webhooks")] {
            for kind in [
                None,
                Some(FaultKind::ServerError),
                Some(FaultKind::ResetAfter),
                Some(FaultKind::Answer(403, 20403, "Forbidden".into())),
                Some(FaultKind::Answer(404, 20404, "not found".into())),
            ] {
                let house = house(8, |world| world.switches.shared_key_goes_after = later);
                let child = house.child.clone();
                let key = house.rig.sim.world().shared_key(&child);
                let other = house.rig.sim.world().shared_key(&child);
                let id = if what == "oauth-app" { house.app.0.clone() } else { key.clone() };
                if let Some(kind) = &kind {
                    house.rig.sim.order(Fault::new(kind.clone(), within, 9).on("DELETE"));
                }
                let gone = || {
                    let world = house.rig.sim.world();
                    let keys = |id: &str| world.shared_keys.iter().any(|key| key.id == id && !key.deleted);
                    assert!(keys(&other));
                    if what == "oauth-app" { !world.app_exists(&id) } else { !keys(&id) }
                };
                let output = house.revoke(what, &id);
                let code = output.status.code();
                assert_eq!(code == Some(0), gone(), "{what} {kind:?} {later:?}: {}", told(&output));
                assert_eq!(house.status().status.code(), code, "{what} {kind:?}: {}", told(&house.status()));
                if code == Some(1) {
                    let say = format!("sidsweep revoke {what} {id}");
                    assert!(stderr(&house.status()).contains(&say), "{}", told(&house.status()));
                    house.rig.sim.world().faults.clear();
                    let output = house.revoke(what, &id);
                    assert_eq!(output.status.code(), Some(0), "{what} {kind:?}: {}", told(&output));
                    assert!(gone());
                    assert_eq!(house.status().status.code(), Some(0), "{}", told(&house.status()));
                }
            }
        }
    }
}

#[test]
fn ids_that_are_none_or_nobodys_are_errors() {
    let house = house(9, |world| world.switches.webhooks_beta = false);
    for (what, id, words) in [
        ("oauth-app", "OQ1", "32 letters and digits"),
        ("oauth-app", &format!("OQ{}", "0".repeat(32)), "none of the accounts"),
        ("shared-key", "../Rules", "begins with webhooks_sharedkey_"),
        ("shared-key", "webhooks_sharedkey_1", "none of the accounts"),
    ] {
        let output = house.revoke(what, id);
        assert_eq!(output.status.code(), Some(2), "{what} {id}: {}", told(&output));
        assert!(stderr(&output).contains(words), "{what} {id}: {}", told(&output));
    }
    assert!(house.exists());
}

#[test]
fn a_shared_key_in_code_is_found_and_says_how_it_is_deleted() {
    let house = house(10, |_| {});
    let child = house.child.clone();
    let key = house.rig.sim.world().shared_key(&child);
    house.rig.write("hooks/settings.json", &format!("{{\"sharedKeyId\": \"{key}\"}}\n"));
    let (report, _) = common::report(&house.rig.code(), &[]);
    common::hold_to_schema(&report);
    let all = report["credentials"].as_array().unwrap();
    let found =
        all.iter().find(|one| one["type"] == "webhook_shared_key").unwrap_or_else(|| panic!("{report}"));
    assert!(found["remedy"]["steps"].to_string().contains(&format!("revoke shared-key {key}")), "{found}");
    let path = house.path("report.json");
    house.rig.write("send.py", &common::rig::token_code(&child, &house.rig.sim.world().token(&child)));
    house.rig.run(&["scan", "--report", &format!("json={path}")]);
    let guide = stdout(&house.rig.run(&["revoke", "guide", &path]));
    assert!(guide.contains("SharedKey") && !guide.contains("still needs the Auth Token"), "{guide}");
}
