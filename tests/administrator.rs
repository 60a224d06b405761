//! What an administrator's credential adds: what is ours, whose a lone token or key is, and what the inventory shows.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use common::rig::Rig;
use common::{hold_to, stderr, stdout};
use serde_json::{Value, json};
use twilio_sim::{KeyKind, Status, World};

/// A parent with two subaccounts, a few keys, and a stranger.
struct House {
    rig: Rig,
    parent: String,
    child: String,
    closed: String,
    parent_key: (String, String),
    child_key: (String, String),
    restricted: (String, String),
    foreign: String,
    foreign_key: (String, String),
}

fn house(seed: u64, switch: impl FnOnce(&mut World)) -> House {
    let mut world = World::new(seed);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop \u{1b}[31m", Some(&parent));
    let closed = world.account("Gone", Some(&parent));
    world.set_status(&closed, Status::Closed);
    let parent_key = world.key(&parent, KeyKind::Main);
    let child_key = world.key(&child, KeyKind::Standard);
    let restricted =
        world.key(&parent, KeyKind::Restricted(vec!["/twilio/messaging/messages/create".into()]));
    world.keys.get_mut(&child_key.0).unwrap().friendly_name = Some("sms worker".into());
    let foreign = world.account("Stranger", None);
    let foreign_key = world.key(&foreign, KeyKind::Standard);
    switch(&mut world);
    let rig = Rig::new(world);
    House { rig, parent, child, closed, parent_key, child_key, restricted, foreign, foreign_key }
}

fn credential<'a>(report: &'a Value, field: &str, value: &str) -> &'a Value {
    report["credentials"]
        .as_array()
        .and_then(|list| list.iter().find(|c| c[field] == value))
        .unwrap_or_else(|| panic!("no credential with {field} {value}: {report}"))
}

fn json_of(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

#[test]
fn the_inventory_shows_accounts_and_keys_and_never_a_token() {
    let mut house = house(1, |_| {});
    house.rig.administer(&house.parent.clone());
    let output = house.rig.run(&["inventory", "--format", "json"]);
    let shown = json_of(&output);
    hold_to(&shown, include_str!("../docs/schema/inventory-1.schema.json"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(shown["admin"], json!({"user": house.parent, "account": house.parent}));
    let accounts = shown["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 3);
    assert_eq!(accounts[0]["sid"], json!(house.parent), "the parent comes first");
    let of = |sid: &str| accounts.iter().find(|a| a["sid"] == sid).unwrap();
    assert_eq!(of(&house.closed)["status"], "closed");
    assert_eq!(of(&house.child)["owner_account_sid"], json!(house.parent));
    let key = |account: &str, sid: &str| {
        of(account)["keys"].as_array().unwrap().iter().find(|k| k["sid"] == sid).unwrap().clone()
    };
    assert_eq!(key(&house.parent, &house.parent_key.0)["kind"], "main_or_standard");
    assert_eq!(key(&house.parent, &house.restricted.0)["kind"], "restricted");
    assert_eq!(
        key(&house.parent, &house.restricted.0)["policy"],
        json!(["/twilio/messaging/messages/create"])
    );
    assert_eq!(key(&house.child, &house.child_key.0)["kind"], Value::Null, "iam does not reach subaccounts");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("auth_token"));

    let text = house.rig.run(&["inventory"]);
    let page = stdout(&text);
    assert!(page.contains("3 accounts, 3 keys"), "{page}");
    assert!(page.contains("sms worker") && page.contains("closed"), "{page}");
    assert!(!page.contains('\u{1b}'), "an account's name is text of a stranger's: {page:?}");
    assert!(house.rig.sim.log().iter().all(|entry| entry.method == "GET"));
}

#[test]
fn the_inventory_says_whose_each_leaked_sid_is() {
    let mut house = house(2, |_| {});
    let gone = house.rig.sim.world().sid("SK");
    house.rig.write(
        "settings.py",
        &format!(
            "TWILIO_ACCOUNT_SID = '{}'\nTWILIO_API_KEY = '{}'\nOTHER_TWILIO_API_KEY = '{}'\nOLD_TWILIO_API_KEY = '{gone}'\nPARTNER_ACCOUNT_SID = '{}'\n",
            house.child, house.child_key.0, house.foreign_key.0, house.foreign
        ),
    );
    let report = house.rig.out().join("report.json");
    let scan = house.rig.run(&["scan", "--report", &format!("json={}", report.display())]);
    assert_eq!(scan.status.code(), Some(0), "identifiers alone do not count: {}", stdout(&scan));
    house.rig.administer(&house.parent.clone());
    let output = house.rig.run(&["inventory", "--format", "json", "--report", &report.display().to_string()]);
    let shown = json_of(&output);
    hold_to(&shown, include_str!("../docs/schema/inventory-1.schema.json"));
    let rows = shown["report"].as_array().unwrap();
    let row = |sid: &str| rows.iter().find(|row| row["sid"] == sid).unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!(rows.len(), 5);
    assert_eq!(row(&house.child_key.0)["account_sid"], json!(house.child));
    assert_eq!(row(&house.child_key.0)["ours"], true);
    assert_eq!(row(&house.child)["ours"], true);
    for foreign in [&house.foreign_key.0, &gone, &house.foreign] {
        assert_eq!(row(foreign)["ours"], false, "{foreign}");
        assert_eq!(row(foreign)["account_sid"], Value::Null);
    }
    let text = house.rig.run(&["inventory", "--report", &report.display().to_string()]);
    assert!(
        stdout(&text)
            .contains(&format!("{}  ours, exists (sms worker) in {}", house.child_key.0, house.child))
    );
}

#[test]
fn a_lone_token_is_known_by_comparing_and_is_sent_nowhere() {
    let mut house = house(3, |_| {});
    let token = house.rig.sim.world().token(&house.child);
    house.rig.write("deploy.sh", &format!("export TWILIO_AUTH_TOKEN={token}\n"));
    let (report, _) = house.rig.verified(&[]);
    let found = credential(&report, "type", "auth_token");
    assert_eq!(found["verdict"]["state"], "unverified", "nobody to ask with: {found}");
    house.rig.administer(&house.parent.clone());
    let (report, code) = house.rig.verified(&["--fail-on", "live"]);
    let found = credential(&report, "type", "auth_token");
    assert_eq!(found["verdict"]["state"], "live", "{found}");
    assert_eq!(found["verdict"]["kind"], "primary_token");
    assert_eq!(found["verdict"]["owner"], json!(house.child));
    assert_eq!(found["verdict"]["parent"], json!(house.parent));
    assert_eq!(found["verdict"]["ours"], true);
    assert_eq!(found["account_sid"], json!(house.child));
    assert_eq!(code, 1);
    let users: Vec<_> = house.rig.sim.log().into_iter().filter_map(|entry| entry.user).collect();
    assert!(users.iter().all(|user| *user == house.parent), "only the administrator asked: {users:?}");
}

#[test]
fn a_main_key_sees_no_tokens_and_says_so_by_leaving_them_unverified() {
    let mut house = house(4, |_| {});
    let token = house.rig.sim.world().token(&house.child);
    house.rig.write("deploy.sh", &format!("export TWILIO_AUTH_TOKEN={token}\n"));
    let (user, secret) = house.parent_key.clone();
    house.rig.administer_with(&user, &secret);
    let (report, code) = house.rig.verified(&[]);
    let found = credential(&report, "type", "auth_token");
    assert_eq!(found["verdict"]["state"], "unverified", "{found}");
    assert_eq!(code, 1);
}

#[test]
fn a_lone_key_is_looked_up_and_a_foreign_one_told_apart() {
    let mut house = house(5, |_| {});
    house.rig.write(
        "a.env",
        &format!("TWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n", house.child_key.0, house.child_key.1),
    );
    house.rig.write(
        "sub/b.env",
        &format!("TWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n", house.foreign_key.0, house.foreign_key.1),
    );
    house.rig.write("sub2/c.py", &format!("TWILIO_API_KEY_SID = '{}'\n", house.restricted.0));
    house.rig.administer(&house.parent.clone());
    let (report, _) = house.rig.verified(&[]);
    let ours = credential(&report, "key_sid", &house.child_key.0);
    assert_eq!(ours["verdict"]["state"], "live");
    assert_eq!(ours["verdict"]["owner"], json!(house.child));
    assert_eq!(ours["verdict"]["ours"], true);
    let foreign = credential(&report, "key_sid", &house.foreign_key.0);
    assert_eq!(foreign["verdict"]["state"], "live");
    assert_eq!(foreign["verdict"]["ours"], false);
    assert_eq!(foreign["verdict"]["owner"], json!(house.foreign));
    let alone = credential(&report, "key_sid", &house.restricted.0);
    assert_eq!(alone["verdict"]["state"], "unverified");
    assert_eq!(alone["verdict"]["ours"], true);
    assert!(alone["verdict"]["reason"].as_str().unwrap().contains("the key exists"), "{alone}");
}

#[test]
fn a_main_key_reaches_subaccounts_or_does_not_and_either_is_said() {
    for reaches in [false, true] {
        let mut house = house(6, |world| world.switches.main_key_reaches_subaccounts = reaches);
        let (user, secret) = house.parent_key.clone();
        house.rig.administer_with(&user, &secret);
        let output = house.rig.run(&["inventory", "--format", "json"]);
        let shown = json_of(&output);
        assert_eq!(shown["admin"]["account"], json!(house.parent));
        let child = shown["accounts"].as_array().unwrap().iter().find(|a| a["sid"] == *house.child).unwrap();
        if reaches {
            // OAuth apps and SharedKeys only the subaccount itself lists, and a key does not see its token.
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            assert!(!stderr(&output).contains("not read: the keys"), "{}", stderr(&output));
            assert!(stderr(&output).contains("not read: the OAuth apps"), "{}", stderr(&output));
            assert_eq!(child["keys"][0]["sid"], json!(house.child_key.0));
        } else {
            assert_eq!(output.status.code(), Some(2), "it is not all that there is");
            assert!(stderr(&output).contains(&format!("not read: the keys of {}", house.child)));
            assert!(
                child["keys_unread"].as_str().unwrap().contains("use the parent's Auth Token"),
                "{child}"
            );
        }
    }
}

#[test]
fn an_administrator_that_is_none_stops_the_command() {
    let mut house = house(7, |_| {});
    let refused = |rig: &Rig, arguments: &[&str], words: &str| {
        let output = rig.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    };
    refused(&house.rig, &["inventory"], "SIDSWEEP_ADMIN_USER and SIDSWEEP_ADMIN_SECRET");
    let wrong = house.rig.sim.world().hex();
    house.rig.administer_with(&house.parent.clone(), &wrong);
    refused(&house.rig, &["inventory"], "was not accepted");
    refused(&house.rig, &["scan", "--verify"], "was not accepted");
    let (user, secret) = house.child_key.clone();
    house.rig.administer_with(&user, &secret);
    refused(&house.rig, &["inventory"], "a Main key is needed");
    house.rig.administer_with("not a user", &secret);
    refused(&house.rig, &["inventory"], "must be an Account SID");
    // A key of another account than was said.
    let (user, secret) = house.parent_key.clone();
    house.rig.administer_with(&user, &secret);
    let output =
        house.rig.command(&["inventory"]).env("SIDSWEEP_ADMIN_ACCOUNT", &house.foreign).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("check SIDSWEEP_ADMIN_ACCOUNT"), "{}", stderr(&output));
    // The application's own variables are not an administrator's.
    let token = house.rig.sim.world().token(&house.parent);
    let mut command = house.rig.command(&["inventory"]);
    command.env_remove("SIDSWEEP_ADMIN_USER").env_remove("SIDSWEEP_ADMIN_SECRET");
    let output =
        command.env("TWILIO_ACCOUNT_SID", &house.parent).env("TWILIO_AUTH_TOKEN", token).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn an_administrator_comes_from_a_command_or_from_twilio_cli() {
    let house = house(8, |_| {});
    let token = house.rig.sim.world().token(&house.parent);
    let vault = house.rig.home().join("admin.secret");
    std::fs::write(
        &vault,
        format!(
            "# made by hand\nexport SIDSWEEP_ADMIN_USER=\"{}\"\nSIDSWEEP_ADMIN_SECRET={token}\n",
            house.parent
        ),
    )
    .unwrap();
    let output = house.rig.run(&["inventory", "--admin-from", &format!("cat {}", vault.display())]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = house.rig.run(&["inventory", "--admin-from", "exit 3"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the command failed"), "{}", stderr(&output));
    let output = house.rig.run(&["inventory", "--admin-from", "echo hello"]);
    assert!(stderr(&output).contains("printed neither"), "{}", stderr(&output));

    let folder = house.rig.home().join(".twilio-cli");
    std::fs::create_dir(&folder).unwrap();
    let (user, secret) = &house.parent_key;
    let config =
        json!({"profiles": {"work": {"accountSid": house.parent, "apiKey": user, "apiSecret": secret}}});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let output = house.rig.command(&["inventory", "--admin-profile", "work"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "it does not see the subaccount's keys: {}", stderr(&output));
    assert!(stdout(&output).contains(&format!("seen by {user}")), "{}", stderr(&output));
    let output = house.rig.command(&["inventory", "--admin-profile", "play"]).output().unwrap();
    assert!(stderr(&output).contains("no profile \"play\"; there are: work"), "{}", stderr(&output));
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_file(vault).unwrap();
}

#[test]
fn a_thousand_subaccounts_come_page_by_page() {
    let mut world = World::new(9);
    let parent = world.account("Example Inc.", None);
    for number in 0..1100 {
        let child = world.account(&format!("Customer {number}"), Some(&parent));
        if number % 100 == 0 {
            world.key(&child, KeyKind::Standard);
        }
    }
    for _ in 0..2500 {
        world.key(&parent, KeyKind::Standard);
    }
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    let output = rig.run(&["inventory", "--format", "json", "--rate", "100000"]);
    let shown = json_of(&output);
    let accounts = shown["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 1101);
    let keys: usize = accounts.iter().map(|a| a["keys"].as_array().unwrap().len()).sum();
    assert_eq!(keys, 2511);
    assert!(rig.sim.world().peak.values().all(|peak| *peak <= 4), "at most four in flight");
}
