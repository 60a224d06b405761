//! What happened in an account, and what it has: recorded changes, page by page, and lists of things with their dates. All requests
//! read.

use jiff::Timestamp;
use serde::Deserialize;

use super::account::{self, Unreadable};
use super::client::Client;
use super::lists;
use super::pair::Pair;
use super::product::Product;
use super::reading::{self, Reading};
use crate::model::{Recorded, Region, Secret, Thing, ThingKind, instant};

/// A page may have up to 1000 rows.
const PAGE: usize = 1000;
/// Users are listed in pages of this size.
const USERS: usize = 100;
/// A list of users that goes on for longer than this is no list.
const MOST_USERS: usize = 100_000;

/// Beginnings of the types of changes that whoever holds a leaked credential makes, or that let them come back.
const TELLING: [&str; 27] = [
    "account.",
    "account-api-keys.",
    "account-auth-token.",
    "account-credentials.",
    "account-keys.",
    "account-settings.",
    "address.",
    "application.",
    "authorized-connect-app.",
    "calling-geographic-permissions.",
    "connect-app.",
    "credential-list.",
    "flow.",
    "function.",
    "messaging-service.",
    "phone-number.",
    "security-settings.",
    "short-code.",
    "sip-domain.",
    "sip-trunk.",
    "sms-geographic-permissions.",
    "studio-flow.",
    "usage-trigger.",
    "user.",
    "user-invite.",
    "user-session.",
    "voice-geographic-permissions.",
];

#[derive(Deserialize)]
struct Event {
    event_type: String,
    #[serde(default)]
    event_date: Option<String>,
    #[serde(default)]
    resource_sid: Option<String>,
    #[serde(default)]
    actor_sid: Option<String>,
    #[serde(default)]
    actor_type: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    source_ip_address: Option<String>,
}

/// All changes that were recorded since then, the newest first.
pub async fn events(client: &Client, since: Timestamp, pair: &Pair) -> Result<Vec<Recorded>, Unreadable> {
    let path = format!("/v1/Events?StartDate={since}&PageSize={PAGE}");
    let rows: Vec<Event> = lists::rows(client, Product::Monitor, &path, pair).await?;
    let mut events: Vec<(Option<Timestamp>, Recorded)> = rows
        .into_iter()
        .map(|event| {
            let at = event.event_date.as_deref().and_then(instant);
            let recorded = Recorded {
                at: at.map(|at| at.to_string()).or(event.event_date).unwrap_or_default(),
                telling: TELLING.iter().any(|beginning| event.event_type.starts_with(beginning)),
                type_: event.event_type,
                resource_sid: event.resource_sid,
                actor_sid: event.actor_sid,
                actor_type: event.actor_type,
                source: event.source,
                source_ip: event.source_ip_address,
            };
            (at, recorded)
        })
        // Twilio is asked for these only; a change without a date that can be read is shown rather than dropped.
        .filter(|(at, _)| at.is_none_or(|at| at >= since))
        .collect();
    events.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// Whether a change is still kept that is as old as this.
pub async fn has_event_until(client: &Client, until: Timestamp, pair: &Pair) -> Result<bool, Unreadable> {
    #[derive(Deserialize)]
    struct Page {
        events: Vec<Event>,
    }
    let path = format!("/v1/Events?EndDate={until}&PageSize=1");
    let page: Page = account::read(client, Product::Monitor, Region::Us1, &path, pair).await?;
    let is_old = |event: &Event| event.event_date.as_deref().and_then(instant).is_some_and(|at| at <= until);
    Ok(page.events.iter().any(is_old))
}

/// A row of any of the classic lists.
#[derive(Deserialize)]
struct Row {
    #[serde(default, alias = "connect_app_sid")]
    sid: Option<String>,
    #[serde(default, alias = "connect_app_friendly_name")]
    friendly_name: Option<String>,
    #[serde(default)]
    phone_number: Option<String>,
    #[serde(default)]
    date_created: Option<String>,
}

/// One of the classic API's lists of an account.
pub async fn classic(
    client: &Client,
    account: &str,
    list: &str,
    kind: ThingKind,
    pair: &Pair,
) -> Result<Vec<Thing>, Unreadable> {
    let path = if list == "Accounts" {
        format!("/2010-04-01/Accounts.json?PageSize={PAGE}")
    } else {
        format!("/2010-04-01/Accounts/{account}/{list}.json?PageSize={PAGE}")
    };
    let rows: Vec<Row> = lists::rows(client, Product::Api, &path, pair).await?;
    let mut things = Vec::new();
    for row in rows {
        let Some(sid) = row.sid else {
            return Err(Unreadable::Foreign("a list of something else".to_owned()));
        };
        if kind == ThingKind::Subaccount && sid == account {
            continue;
        }
        let name = row.phone_number.or(row.friendly_name);
        things.push(thing(kind, sid, name, row.date_created.as_deref()));
    }
    Ok(things)
}

/// A thing with its date as it should be written.
#[must_use]
pub fn thing(kind: ThingKind, id: String, name: Option<String>, created: Option<&str>) -> Thing {
    Thing { kind, id, name, created: created.and_then(instant).map(|at| at.to_string()) }
}

#[derive(Deserialize)]
struct Dialled {
    iso_code: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    high_risk_tollfraud_numbers_enabled: bool,
    #[serde(default)]
    high_risk_special_numbers_enabled: bool,
}

/// Countries where numbers may be called that fraud uses. They have no date.
pub async fn calls_to(client: &Client, pair: &Pair) -> Result<Vec<Thing>, Unreadable> {
    let path = format!("/v1/DialingPermissions/Countries?PageSize={PAGE}");
    let rows: Vec<Dialled> = lists::rows(client, Product::Voice, &path, pair).await?;
    let risky = rows
        .into_iter()
        .filter(|row| row.high_risk_tollfraud_numbers_enabled || row.high_risk_special_numbers_enabled);
    Ok(risky.map(|row| thing(ThingKind::CallsTo, row.iso_code, row.name, None)).collect())
}

#[derive(Deserialize)]
struct Permissions {
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
struct Permission {
    country_code: String,
    #[serde(default)]
    enabled: bool,
}

/// Countries that messages may be sent to. They have no date.
pub async fn messages_to(client: &Client, pair: &Pair) -> Result<Vec<Thing>, Unreadable> {
    let path = "/v1/Messaging/GeoPermissions";
    let read: Permissions = account::read(client, Product::Accounts, Region::Us1, path, pair).await?;
    let enabled = read.permissions.into_iter().filter(|permission| permission.enabled);
    Ok(enabled.map(|one| thing(ThingKind::MessagesTo, one.country_code, None, None)).collect())
}

#[derive(Deserialize)]
struct Users {
    #[serde(rename = "totalResults")]
    total: usize,
    #[serde(rename = "Resources", default)]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default, rename = "userName")]
    name: Option<String>,
    #[serde(default)]
    meta: Option<UserMeta>,
}

#[derive(Deserialize)]
struct UserMeta {
    #[serde(default)]
    created: Option<String>,
}

/// Whether a text is the SID of an organization: a part of a path that was checked.
#[must_use]
pub fn is_organization(text: &str) -> bool {
    text.len() == 34 && text.starts_with("OR") && text[2..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// All users of an organization, by a token of its app.
pub async fn users(client: &Client, organization: &str, token: &Secret) -> Result<Vec<Thing>, Unreadable> {
    let mut things: Vec<Thing> = Vec::new();
    while things.len() < MOST_USERS {
        let start = things.len() + 1;
        let path = format!("/Organizations/{organization}/scim/Users?startIndex={start}&count={USERS}");
        let answer = client.get_as(Product::PreviewIam, &path, token).await?;
        let page: Users = match answer.reading() {
            Reading::Done => reading::body(&answer.body).map_err(Unreadable::Foreign)?,
            Reading::Refused(refusal) => return Err(Unreadable::Refused(refusal)),
            Reading::Foreign(reason) => return Err(Unreadable::Foreign(reason)),
        };
        let is_last = page.users.is_empty();
        things.extend(page.users.into_iter().map(|user| {
            let created = user.meta.and_then(|meta| meta.created);
            thing(ThingKind::User, user.id, user.name, created.as_deref())
        }));
        if things.len() >= page.total {
            return Ok(things);
        }
        if is_last {
            return Err(Unreadable::Foreign("a list of users that ends before its end".to_owned()));
        }
    }
    Err(Unreadable::Foreign(format!("a list of more than {MOST_USERS} users")))
}
