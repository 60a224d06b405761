//! Who signs an account's webhooks: keys that are made for it (a public beta), the settings that name them, and the rules that say
//! which webhooks have which setting.

use serde::Deserialize;

use super::account::{self, Unreadable};
use super::change::Change;
use super::client::Client;
use super::lists;
use super::pair::Pair;
use super::product::Product;
use crate::model::{Region, SharedKey};

/// What the id of a key that signs webhooks begins with.
pub const SHARED_KEY: &str = "webhooks_sharedkey_";

/// Whether a text is the id of a key that signs webhooks: a part of a path that was checked.
#[must_use]
pub fn is_shared_key(text: &str) -> bool {
    text.strip_prefix(SHARED_KEY).is_some_and(|rest| {
        (1..=64).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// All keys that sign webhooks of the account that asks.
pub async fn shared_keys(client: &Client, pair: &Pair) -> Result<Vec<SharedKey>, Unreadable> {
    let path = "/v1/Webhooks/SharedKeys?PageSize=100";
    let keys: Vec<SharedKey> = lists::rows(client, Product::Webhooks, path, pair).await?;
    if keys.iter().all(|key| is_shared_key(&key.id)) {
        Ok(keys)
    } else {
        Err(Unreadable::Foreign("a list of something else than SharedKeys".to_owned()))
    }
}

/// One key that signs webhooks of the account that asks.
pub async fn read(client: &Client, id: &str, pair: &Pair) -> Result<SharedKey, Unreadable> {
    let path = format!("/v1/Webhooks/SharedKeys/{id}");
    let found: SharedKey = account::read(client, Product::Webhooks, Region::Us1, &path, pair).await?;
    if found.id == id {
        Ok(found)
    } else {
        Err(Unreadable::Foreign("an answer about another SharedKey".to_owned()))
    }
}

/// Deletes a key that signs webhooks. 202 says that it was accepted, and not that it is done.
pub async fn delete(client: &Client, id: &str, pair: &Pair) -> Change {
    let path = format!("/v1/Webhooks/SharedKeys/{id}");
    Change::of(client.delete(Product::Webhooks, Region::Us1, &path, pair).await)
}

/// A rule: which webhooks have which settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// `webhooks_rule_…`.
    pub id: String,
    /// What the addresses begin with.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The whole address.
    #[serde(default)]
    pub value: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default, rename = "createdAt")]
    pub created: Option<String>,
    #[serde(default)]
    settings: Vec<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
struct Reference {
    #[serde(rename = "settingId")]
    setting: String,
}

#[derive(Deserialize)]
struct Setting {
    id: String,
    #[serde(default)]
    signature: Option<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(default, rename = "sharedKeyId")]
    shared_key: Option<String>,
}

impl Rule {
    /// Which webhooks it is for.
    #[must_use]
    pub fn address(&self) -> &str {
        self.prefix.as_deref().or(self.value.as_deref()).unwrap_or("an address that it does not name")
    }
}

/// All rules of the account that asks.
pub async fn rules(client: &Client, pair: &Pair) -> Result<Vec<Rule>, Unreadable> {
    lists::rows(client, Product::Webhooks, "/v1/Webhooks/Rules?PageSize=100", pair).await
}

/// Which webhooks keys sign, and which of the rules the Auth Token still signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Addresses of rules whose settings all name a key.
    pub by_key: Vec<String>,
    /// Addresses of rules with a setting that names none.
    pub by_token: Vec<String>,
}

/// Who signs what, by the rules and settings of the account that asks. Webhooks without a rule are signed by the Auth Token.
pub async fn signed(client: &Client, pair: &Pair) -> Result<Signed, Unreadable> {
    let rules = rules(client, pair).await?;
    let path = "/v1/Webhooks/Settings?PageSize=100";
    let settings: Vec<Setting> = lists::rows(client, Product::Webhooks, path, pair).await?;
    let has_key = |reference: &Reference| {
        let setting = settings.iter().find(|setting| setting.id == reference.setting);
        setting.and_then(|setting| setting.signature.as_ref()?.shared_key.as_ref()).is_some()
    };
    let is_by_key = |rule: &&Rule| !rule.settings.is_empty() && rule.settings.iter().all(has_key);
    let (by_key, by_token): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(is_by_key);
    let addresses = |rules: Vec<&Rule>| rules.iter().map(|rule| rule.address().to_owned()).collect();
    Ok(Signed { by_key: addresses(by_key), by_token: addresses(by_token) })
}
