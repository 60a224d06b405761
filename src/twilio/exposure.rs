//! What a live credential reaches. Each question is one small read; what may not be read is named. Messages, calls and
//! recordings are never looked at.

use serde::Deserialize;

use super::account::{self, Unreadable};
use super::client::Client;
use super::pair::Pair;
use super::product::Product;
use crate::model::{Exposure, Region, SecurityEvent, Spend, Unread};

/// Changes that somebody who holds a leaked credential would make.
const TELLING: [&str; 9] = [
    "account-api-keys.",
    "account-keys.",
    "account-auth-token.",
    "account-credentials.",
    "phone-number.",
    "voice-geographic-permissions.",
    "sms-geographic-permissions.",
    "security-settings.",
    "usage-trigger.",
];
/// How many recorded changes are kept.
const MOST_EVENTS: usize = 20;

#[derive(Deserialize)]
struct Records {
    usage_records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    price: Option<Price>,
    price_unit: Option<String>,
}

/// Twilio's documentation has a price as a number, its answers as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Price {
    Text(String),
    Number(serde_json::Number),
}

impl std::fmt::Display for Price {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    event_type: String,
    #[serde(default)]
    resource_sid: Option<String>,
    #[serde(default)]
    event_date: Option<String>,
    #[serde(default)]
    source_ip_address: Option<String>,
}

/// Looks at what a pair that works reaches; `account` is the account that it belongs to, where known.
pub async fn look(client: &Client, pair: &Pair, region: Region, account: Option<&str>) -> Exposure {
    let mut seen = Exposure::default();
    let mut unread = Vec::new();
    let mut note = |what: &str, unreadable: &Unreadable| {
        let reason = match unreadable {
            Unreadable::Refused(refusal) if refusal.permission.is_some() => {
                format!("the key lacks {}", refusal.permission.as_deref().unwrap_or_default())
            }
            refused if refused.is_unauthorized() => "this kind of credential may not".to_owned(),
            other => other.to_string(),
        };
        unread.push(Unread { what: what.to_owned(), reason });
    };
    let Some(account) = account else {
        seen.unread
            .push(Unread { what: "everything".to_owned(), reason: "its account is not known".to_owned() });
        return seen;
    };
    match account::account(client, region, account, pair).await {
        Ok(found) => {
            seen.account_name.clone_from(&found.friendly_name);
            seen.account_status = Some(found.status.clone());
            seen.account_type.clone_from(&found.type_);
        }
        Err(unreadable) => note("the account's name and status", &unreadable),
    }
    match account::accounts(client, region, pair).await {
        Ok(all) => seen.subaccounts = Some(all.iter().filter(|a| a.sid != account).count() as u64),
        Err(unreadable) => note("subaccounts", &unreadable),
    }
    match account::numbers(client, region, account, pair).await {
        Ok(count) => seen.numbers = Some(count),
        Err(unreadable) => note("phone numbers", &unreadable),
    }
    match account::keys(client, region, account, pair).await {
        Ok(keys) => seen.keys = Some(keys.len() as u64),
        Err(unreadable) => note("API keys", &unreadable),
    }
    if let Err(unreadable) = spend(client, pair, region, account, &mut seen.spend).await {
        note("spend", &unreadable);
    }
    match events(client, pair, region).await {
        Ok(events) => (seen.events_read, seen.events) = (true, events),
        Err(unreadable) => note("recorded changes", &unreadable),
    }
    seen.unread = unread;
    seen
}

/// What the account spent lately, as far as it can be read.
async fn spend(
    client: &Client,
    pair: &Pair,
    region: Region,
    account: &str,
    spent: &mut Vec<Spend>,
) -> Result<(), Unreadable> {
    for (span, name) in [("Today", "today"), ("Yesterday", "yesterday"), ("ThisMonth", "this_month")] {
        let path = format!("/2010-04-01/Accounts/{account}/Usage/Records/{span}.json?Category=totalprice");
        let records = account::read::<Records>(client, Product::Api, region, &path, pair).await?;
        let first = records.usage_records.into_iter().next();
        spent.extend(first.and_then(|record| {
            Some(Spend {
                span: name.to_owned(),
                price: record.price?.to_string(),
                unit: record.price_unit.unwrap_or_default(),
            })
        }));
    }
    Ok(())
}

/// What was changed on the account lately that tells of misuse.
async fn events(client: &Client, pair: &Pair, region: Region) -> Result<Vec<SecurityEvent>, Unreadable> {
    let path = "/v1/Events?PageSize=1000";
    let read = account::read::<Events>(client, Product::Monitor, region, path, pair).await?;
    let telling = |event: &Event| TELLING.iter().any(|prefix| event.event_type.starts_with(prefix));
    let told = read.events.into_iter().filter(telling).take(MOST_EVENTS);
    Ok(told
        .map(|event| SecurityEvent {
            date: event.event_date.unwrap_or_default(),
            type_: event.event_type,
            resource: event.resource_sid,
            source_ip: event.source_ip_address,
        })
        .collect())
}
