//! API keys: read, made and deleted through the account that owns them.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::account::{self, Unreadable};
use super::change::Change;
use super::client::Client;
use super::pair::Pair;
use super::product::Product;
use super::reading;
use crate::model::{Key, Region, Secret};

/// A key that was just made; its secret is shown only now.
#[derive(Debug)]
pub struct Made {
    /// `SK…`.
    pub sid: String,
    /// Its secret.
    pub secret: Secret,
}

#[derive(Deserialize)]
struct MadeBody {
    sid: String,
    secret: String,
}

fn path(account: &str, key: &str) -> String {
    format!("/2010-04-01/Accounts/{account}/Keys/{key}.json")
}

/// One key of an account. An answer about another key is none.
pub async fn read(
    client: &Client,
    region: Region,
    account: &str,
    key: &str,
    pair: &Pair,
) -> Result<Key, Unreadable> {
    let found: Key = account::read(client, Product::Api, region, &path(account, key), pair).await?;
    if found.sid == key {
        Ok(found)
    } else {
        Err(Unreadable::Foreign("an answer about another key".to_owned()))
    }
}

/// Deletes a key through the path of the account that owns it, which the parent's Auth Token may.
pub async fn delete(client: &Client, region: Region, account: &str, key: &str, pair: &Pair) -> Change {
    Change::of(client.delete(Product::Api, region, &path(account, key), pair).await).only_204()
}

/// One key of the account that asks, Restricted ones too; us1 only.
pub async fn read_own(client: &Client, key: &str, pair: &Pair) -> Result<Key, Unreadable> {
    let path = format!("/v1/Keys/{key}");
    let found: Key = account::read(client, Product::Iam, Region::Us1, &path, pair).await?;
    if found.sid == key {
        Ok(found)
    } else {
        Err(Unreadable::Foreign("an answer about another key".to_owned()))
    }
}

/// Deletes a key of the account that asks, Restricted ones too; us1 only.
pub async fn delete_own(client: &Client, key: &str, pair: &Pair) -> Change {
    let path = format!("/v1/Keys/{key}");
    Change::of(client.delete(Product::Iam, Region::Us1, &path, pair).await).only_204()
}

/// Makes a Standard key in an account.
pub async fn make(
    client: &Client,
    region: Region,
    account: &str,
    name: &str,
    pair: &Pair,
) -> (Change, Option<Made>) {
    let path = format!("/2010-04-01/Accounts/{account}/Keys.json");
    made(client.post(Product::Api, region, &path, pair, &[("FriendlyName", name)]).await)
}

/// Makes a Restricted key in the account that asks; they exist in us1 only.
pub async fn make_restricted(
    client: &Client,
    account: &str,
    name: &str,
    allow: &[String],
    pair: &Pair,
) -> (Change, Option<Made>) {
    let policy = serde_json::json!({ "allow": allow }).to_string();
    let form =
        [("AccountSid", account), ("FriendlyName", name), ("KeyType", "restricted"), ("Policy", &policy)];
    made(client.post(Product::Iam, Region::Us1, "/v1/Keys", pair, &form).await)
}

fn made(answer: Result<super::client::Answer, super::Fault>) -> (Change, Option<Made>) {
    match Change::of(answer) {
        Change::Made(answer, told) => match reading::body::<MadeBody>(&answer.body) {
            Ok(body) if account::is_sid(&body.sid, "SK") => {
                let secret = Zeroizing::new(body.secret);
                let made = Made { sid: body.sid, secret: Secret::new(secret.as_str().to_owned()) };
                (Change::Made(answer, told), Some(made))
            }
            _ => (Change::Unsure(told, "an answer that names no key".to_owned()), None),
        },
        change => (change, None),
    }
}

#[derive(Deserialize)]
struct KeyPolicy {
    #[serde(default)]
    policy: Option<Allow>,
}

#[derive(Deserialize)]
struct Allow {
    #[serde(default)]
    allow: Vec<String>,
}

/// What a Restricted key of the asking account may do; `None` for a Main or Standard key, which no answer tells apart.
pub async fn policy(client: &Client, key: &str, pair: &Pair) -> Result<Option<Vec<String>>, Unreadable> {
    let read: KeyPolicy =
        account::read(client, Product::Iam, Region::Us1, &format!("/v1/Keys/{key}"), pair).await?;
    Ok(read.policy.map(|policy| policy.allow))
}
