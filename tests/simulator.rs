//! The simulator itself, held to twilio.md sections 2 to 6: the other tests stand on what it answers.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;
use sidsweep::model::{Region, Secret};
use sidsweep::twilio::{Client, Fault as Broken, Options, Pair, Product, block_on};
use twilio_sim::{Fault, FaultKind, KeyKind, Sim, Status, World};

struct Line {
    sim: Sim,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Line {
    fn to(world: World) -> Self {
        let sim = Sim::start(world);
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, &sim.authority).unwrap();
        let client = Client::new(&Options {
            endpoint: Some(sim.endpoint.clone()),
            authority: Some(authority.display().to_string()),
            timeout: Duration::from_secs(5),
            rate: NonZeroU32::new(10_000).unwrap(),
            pause: Duration::from_millis(20),
        })
        .unwrap();
        Self { sim, client, _folder: folder }
    }

    fn ask(
        &self,
        method: &str,
        product: Product,
        path: &str,
        user: &str,
        secret: &str,
        form: &[(&str, &str)],
    ) -> (u16, Value) {
        let pair = Pair::key(user.to_owned(), Secret::new(secret.to_owned()), None);
        let region = Region::Us1;
        let answer = block_on(async {
            match method {
                "GET" => self.client.get(product, region, path, &pair).await,
                "POST" => self.client.post(product, region, path, &pair, form).await,
                _ => self.client.delete(product, region, path, &pair).await,
            }
        })
        .expect("an answer");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        (answer.status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

fn refused(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["code"].as_u64().unwrap_or_default())
}

#[test]
fn keys_are_made_read_and_deleted_through_the_path_of_their_account() {
    let mut world = World::new(1);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let (token, child_token) = (world.token(&parent), world.token(&child));
    let (standard, secret) = world.key(&child, KeyKind::Standard);
    let line = Line::to(world);
    let keys = format!("/2010-04-01/Accounts/{child}/Keys.json");
    let form = [("FriendlyName", "fresh"), ("KeyType", "restricted"), ("Policy", r#"{"allow":[]}"#)];
    let (status, made) = line.ask("POST", Product::Api, &keys, &parent, &token, &form);
    assert_eq!(status, 201);
    let made_sid = made["sid"].as_str().unwrap().to_owned();
    assert_eq!(made["secret"].as_str().unwrap().len(), 32);
    assert_eq!(line.sim.world().keys[&made_sid].kind, KeyKind::Standard, "KeyType is passed over in silence");
    let one = format!("/2010-04-01/Accounts/{child}/Keys/{made_sid}.json");
    let (status, read) = line.ask("GET", Product::Api, &one, &parent, &token, &[]);
    assert_eq!((status, &read["friendly_name"]), (200, &Value::from("fresh")));
    assert!(read["secret"].is_null(), "shown once");
    assert_eq!(refused(&line.ask("DELETE", Product::Api, &one, &standard, &secret, &[])), (401, 20003));
    assert_eq!(
        line.ask("DELETE", Product::Api, &one, &parent, &token, &[]),
        (204, Value::String(String::new()))
    );
    assert_eq!(refused(&line.ask("DELETE", Product::Api, &one, &parent, &token, &[])), (404, 20404));
    let long = "x".repeat(65);
    let answer = line.ask("POST", Product::Api, &keys, &parent, &token, &[("FriendlyName", &long)]);
    assert_eq!(refused(&answer), (400, 70001));
    // Beside the classic API the parent is a stranger to its subaccount's keys.
    let iam = format!("/v1/Keys/{standard}");
    assert_eq!(refused(&line.ask("DELETE", Product::Iam, &iam, &parent, &token, &[])), (404, 20404));
    assert_eq!(line.ask("DELETE", Product::Iam, &iam, &child, &child_token, &[]).0, 204);
    let none = line.ask("GET", Product::Iam, "/v1/Keys", &child, &child_token, &[]);
    assert_eq!(refused(&none), (400, 20001), "AccountSid is required");
}

#[test]
fn the_classic_api_answers_xml_unless_json_is_asked_for_and_pages() {
    let mut world = World::new(2);
    let account = world.account("Shop & Sons", None);
    let token = world.token(&account);
    for _ in 0..5 {
        world.key(&account, KeyKind::Standard);
    }
    let line = Line::to(world);
    let (_, xml) =
        line.ask("GET", Product::Api, &format!("/2010-04-01/Accounts/{account}"), &account, &token, &[]);
    assert!(xml.as_str().unwrap().starts_with("<?xml") && xml.as_str().unwrap().contains("Shop &amp; Sons"));
    let mut next = Some(format!("/2010-04-01/Accounts/{account}/Keys.json?PageSize=2"));
    let mut pages = Vec::new();
    while let Some(path) = next {
        let (_, page) = line.ask("GET", Product::Api, &path, &account, &token, &[]);
        pages.push(page["keys"].as_array().unwrap().len());
        next = page["next_page_uri"].as_str().map(str::to_owned);
    }
    assert_eq!(pages, [2, 2, 1]);
    let path = format!("/v1/Keys?AccountSid={account}&PageSize=3");
    let (_, page) = line.ask("GET", Product::Iam, &path, &account, &token, &[]);
    let url = page["meta"]["next_page_url"].as_str().unwrap();
    assert!(url.starts_with("https://iam.twilio.com/v1/Keys?"), "absolute: {url}");
    assert_eq!(page["keys"][0]["flags"], serde_json::json!(["rest_api", "signing"]));
}

#[test]
fn a_subaccount_is_suspended_and_closed_by_its_parent_only() {
    let mut world = World::new(3);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let (token, child_token) = (world.token(&parent), world.token(&child));
    let line = Line::to(world);
    let path = format!("/2010-04-01/Accounts/{child}.json");
    let set = |user: &str, secret: &str, status: &str| {
        line.ask("POST", Product::Api, &path, user, secret, &[("Status", status)])
    };
    assert_ne!(set(&child, &child_token, "suspended").0, 200);
    assert_eq!(set(&parent, &token, "suspended").1["status"], "suspended");
    assert_eq!(refused(&line.ask("GET", Product::Api, &path, &child, &child_token, &[])), (401, 20003));
    assert_eq!(set(&parent, &token, "active").0, 200);
    assert_eq!(set(&parent, &token, "closed").0, 200);
    assert_eq!(line.sim.world().accounts[&child].status, Status::Closed);
    assert_eq!(refused(&set(&parent, &token, "active")), (400, 21479));
}

#[test]
fn tokens_rotate_in_two_steps_for_the_account_that_asks() {
    let mut world = World::new(4);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let line = Line::to(world);
    let secondary = "/v1/AuthTokens/Secondary";
    let promote = "/v1/AuthTokens/Promote";
    let ask = |method: &str, path: &str, secret: &str| {
        line.ask(method, Product::Accounts, path, &account, secret, &[])
    };
    assert_eq!(refused(&ask("POST", promote, &token)), (404, 20404));
    let (status, made) = ask("POST", secondary, &token);
    assert_eq!(status, 201);
    let fresh = made["secondary_auth_token"].as_str().unwrap().to_owned();
    assert_eq!(refused(&ask("POST", secondary, &token)), (400, 70002));
    assert_eq!(ask("DELETE", secondary, &token).0, 204);
    assert_eq!(refused(&ask("DELETE", secondary, &token)), (404, 20404));
    assert_eq!(refused(&ask("POST", secondary, &fresh)), (401, 20003), "the deleted one is dead");
    let fresh = ask("POST", secondary, &token).1["secondary_auth_token"].as_str().unwrap().to_owned();
    assert_eq!(ask("POST", promote, &fresh).0, 200);
    assert_eq!(refused(&ask("POST", secondary, &token)), (401, 20003), "the old primary is dead at once");
}

#[test]
fn changes_are_repeated_after_429_only() {
    let mut world = World::new(5);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let (key, _) = world.key(&account, KeyKind::Standard);
    let line = Line::to(world);
    let path = format!("/2010-04-01/Accounts/{account}/Keys/{key}.json");
    line.sim.order(Fault::new(FaultKind::TooMany(Some(0)), "Keys", 2));
    assert_eq!(line.ask("DELETE", Product::Api, &path, &account, &token, &[]).0, 204);
    let deletes = || line.sim.log().iter().filter(|entry| entry.method == "DELETE").count();
    assert_eq!(deletes(), 3);
    line.sim.order(Fault::new(FaultKind::ServerError, "Keys", 1));
    assert_eq!(line.ask("DELETE", Product::Api, &path, &account, &token, &[]).0, 500);
    assert_eq!(deletes(), 4, "whether it was done is not known: it is not repeated blindly");
    line.sim.order(Fault::new(FaultKind::ResetAfter, "Keys", 1));
    let pair = Pair::token(account.clone(), Secret::new(token));
    let broken = block_on(line.client.delete(Product::Api, Region::Us1, &path, &pair));
    assert!(matches!(broken, Err(Broken::Broken(_))), "{broken:?}");
    assert_eq!(deletes(), 5);
}
