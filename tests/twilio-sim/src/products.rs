//! The hosts beside the classic API: verify, iam, accounts, monitor, insights, conversations, oauth. They act on the
//! account that asks, never on another.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::answer::{Answer, page};
use crate::apps;
use crate::auth::Principal;
use crate::request::Asked;
use crate::v2010::{delete_key, has_room};
use crate::webhooks;
use crate::world::{Key, KeyKind, World};

/// What a product answers.
pub fn answer(world: &mut World, asked: &Asked, who: &Principal) -> Answer {
    let path = asked.path.split('?').next().unwrap_or_default().trim_start_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let answered = match (asked.product.as_str(), asked.method.as_str(), parts.as_slice()) {
        ("verify", "GET", ["v2", "Services"]) => {
            who.may(world, "twilio/verify/services/list").and_then(|()| listed(asked, &[], "services"))
        }
        ("insights", "GET", ["v1", "Voice", "Settings"]) => who.may(world, "twilio/insights/settings/read").and_then(|()| {
            if world.switches.insights_answers {
                Ok(Answer::ok(json!({"account_sid": who.account(), "advanced_features": false, "voice_trace": false})))
            } else {
                Err(Answer::not_found(&asked.path))
            }
        }),
        ("conversations", "GET", ["v1", "Configuration"]) => who.may(world, "twilio/conversations/configuration/read").map(|()| {
            Answer::ok(json!({"account_sid": who.account()}))
        }),
        ("iam", method, ["v1", "Keys", rest @ ..]) => keys(world, asked, who, method, rest),
        ("iam", _, ["v1", "Account", "OAuthApps", rest @ ..]) => apps::answer(world, asked, who, rest),
        ("webhooks", _, ["v1", "Webhooks", rest @ ..]) => webhooks::answer(world, asked, who, rest),
        ("voice", "GET", ["v1", "DialingPermissions", "Countries"]) => dialling(world, asked, who),
        ("accounts", "GET", ["v1", "Messaging", "GeoPermissions"]) => messaging(world, who),
        ("accounts", method, ["v1", "AuthTokens", which]) => tokens(world, who, method, which),
        ("monitor", "GET", ["v1", "Events"]) => {
            who.may(world, "twilio/monitor/events/list").and_then(|()| events(world, asked, who))
        }
        _ => Err(Answer::not_found(&asked.path)),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

/// A page of a product's list.
pub fn listed(asked: &Asked, rows: &[Value], name: &str) -> Result<Answer, Answer> {
    let (rows, next, size) = page(rows, &asked.query, 1000)?;
    let path = asked.path.split('?').next().unwrap_or_default();
    let others: String = asked
        .query
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "Page" | "PageSize" | "PageToken"))
        .map(|(key, value)| format!("&{key}={value}"))
        .collect();
    let at = |page: usize| {
        format!("https://{}{path}?PageSize={size}&Page={page}&PageToken=PT{page}{others}", asked.host)
    };
    Ok(Answer::ok(json!({
        name: rows,
        "meta": {"page": 0, "page_size": size, "first_page_url": at(0), "previous_page_url": null,
            "url": at(0), "next_page_url": next.map(at), "key": name},
    })))
}

fn key_body(key: &Key) -> Value {
    let policy = match &key.kind {
        KeyKind::Restricted(allow) => json!({"allow": allow}),
        _ => Value::Null,
    };
    json!({"sid": key.sid, "friendly_name": key.friendly_name, "date_created": key.created.to_string(),
        "date_updated": key.created.to_string(), "policy": policy})
}

fn keys(
    world: &mut World,
    asked: &Asked,
    who: &Principal,
    method: &str,
    rest: &[&str],
) -> Result<Answer, Answer> {
    let action = match (method, rest) {
        ("GET", []) => "list",
        ("GET", _) => "read",
        ("POST", []) => "create",
        ("POST", _) => "update",
        _ => "delete",
    };
    who.may_manage(world, &format!("twilio/iam/api-keys/{action}"))?;
    let own = who.account().to_owned();
    match (method, rest) {
        ("GET", []) => {
            let Some(account) = asked.query("AccountSid") else {
                return Err(Answer::error(400, 20001, "Missing required parameter AccountSid"));
            };
            if account != own {
                return Err(Answer::unauthorized());
            }
            let rows: Vec<Value> = world
                .keys
                .values()
                .filter(|key| key.account == own && key.region == asked.region && key.deleted.is_none())
                .map(|key| {
                    let mut body = key_body(key);
                    body.as_object_mut().expect("an object").remove("policy");
                    body["flags"] = json!(["rest_api", "signing"]);
                    body
                })
                .collect();
            listed(asked, &rows, "keys")
        }
        ("POST", []) => create(world, asked, &own),
        (_, [sid]) => {
            let known = world
                .keys
                .get(*sid)
                .is_some_and(|key| key.account == own && key.region == asked.region && key.deleted.is_none());
            if !sid.starts_with("SK") || sid.len() != 34 {
                return Err(Answer::error(400, 70002, "Invalid SID"));
            }
            match (method, known) {
                (_, false) => Err(Answer::not_found(&asked.path)),
                ("GET", true) => Ok(Answer::ok(key_body(&world.keys[*sid]))),
                ("DELETE", true) => delete_key(world, who, sid),
                _ => Err(Answer::error(405, 20004, "Method not allowed")),
            }
        }
        _ => Err(Answer::not_found(&asked.path)),
    }
}

fn create(world: &mut World, asked: &Asked, own: &str) -> Result<Answer, Answer> {
    if asked.form("AccountSid").as_deref() != Some(own) {
        return Err(Answer::error(400, 20001, "Missing required parameter AccountSid"));
    }
    let name = asked.form("FriendlyName");
    if name.as_ref().is_some_and(|name| name.chars().count() > 64) {
        return Err(Answer::error(400, 70001, "FriendlyName is longer than 64 characters"));
    }
    let kind = match asked.form("KeyType").as_deref() {
        Some("restricted") => {
            let policy: Value = serde_json::from_str(&asked.form("Policy").unwrap_or_default())
                .map_err(|_| Answer::error(400, 70002, "Invalid policy"))?;
            let allow: Vec<String> = policy["allow"]
                .as_array()
                .map(|list| list.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect())
                .unwrap_or_default();
            if allow.is_empty() || !allow.iter().all(|permission| permission.starts_with("/twilio/")) {
                return Err(Answer::error(400, 70002, "Invalid policy"));
            }
            KeyKind::Restricted(allow)
        }
        _ => KeyKind::Standard,
    };
    has_room(world, own)?;
    let (sid, secret) = world.regional_key(own, kind, asked.region);
    let key = world.keys.get_mut(&sid).expect("just made");
    key.friendly_name = name;
    key.created = Timestamp::now();
    let mut body = key_body(key);
    body["secret"] = json!(secret);
    Ok(Answer::created(body))
}

fn tokens(world: &mut World, who: &Principal, method: &str, which: &str) -> Result<Answer, Answer> {
    let own = match who {
        Principal::Token(own, _) => own.clone(),
        Principal::Key(_, own, KeyKind::Main) if world.switches.main_key_rotates_tokens => own.clone(),
        Principal::Test => return Err(who.may(world, "").expect_err("tests are refused")),
        Principal::Key(..) => return Err(Answer::unauthorized()),
    };
    let fresh = world.hex();
    let account = world.accounts.get_mut(&own).expect("authenticated");
    if !account.token_api {
        return Err(Answer::not_found("/v1/AuthTokens"));
    }
    let tokens = account.tokens.get_mut(&crate::world::Region::Us1).expect("tokens");
    let now = Timestamp::now().to_string();
    match (method, which) {
        ("POST", "Secondary") => {
            if tokens.secondary.is_some() {
                return Err(Answer::error(400, 70002, "A secondary token exists already"));
            }
            tokens.secondary = Some(fresh.clone());
            Ok(Answer::created(
                json!({"account_sid": own, "secondary_auth_token": fresh, "date_created": now,
                "date_updated": now, "url": "https://accounts.twilio.com/v1/AuthTokens/Secondary"}),
            ))
        }
        ("DELETE", "Secondary") => match tokens.secondary.take() {
            Some(_) => Ok(Answer::gone()),
            None => Err(Answer::not_found("/v1/AuthTokens/Secondary")),
        },
        ("POST", "Promote") => match tokens.secondary.take() {
            Some(token) => {
                tokens.primary.clone_from(&token);
                Ok(Answer::ok(json!({"account_sid": own, "auth_token": token, "date_created": now,
                    "date_updated": now, "url": "https://accounts.twilio.com/v1/AuthTokens/Promote"})))
            }
            None => Err(Answer::not_found("/v1/AuthTokens/Promote")),
        },
        _ => Err(Answer::not_found("/v1/AuthTokens")),
    }
}

/// Where may be called.
fn dialling(world: &World, asked: &Asked, who: &Principal) -> Result<Answer, Answer> {
    who.may(world, "twilio/voice/dialing-permissions/list")?;
    let wanted = asked.query("HighRiskTollfraudNumbersEnabled");
    let rows: Vec<Value> = world
        .countries
        .iter()
        .filter(|country| country.account == who.account())
        .filter(|country| wanted.as_deref().is_none_or(|wanted| wanted == country.toll_fraud.to_string()))
        .map(|country| {
            json!({"iso_code": country.iso, "name": country.iso, "continent": "X", "country_codes": ["+1"],
                "low_risk_numbers_enabled": true, "high_risk_special_numbers_enabled": country.toll_fraud,
                "high_risk_tollfraud_numbers_enabled": country.toll_fraud})
        })
        .collect();
    listed(asked, &rows, "content")
}

/// Where messages may be sent to.
fn messaging(world: &World, who: &Principal) -> Result<Answer, Answer> {
    who.may(world, "twilio/accounts/geo-permissions/read")?;
    let rows: Vec<Value> = world
        .countries
        .iter()
        .filter(|country| country.account == who.account())
        .map(|country| json!({"country_code": country.iso, "type": "country", "enabled": country.messages}))
        .collect();
    Ok(Answer::ok(json!({"permissions": rows})))
}

/// What was recorded, no older than it is kept.
fn events(world: &World, asked: &Asked, who: &Principal) -> Result<Answer, Answer> {
    let kept = world.switches.events_are_kept * 24;
    let oldest = Timestamp::now().checked_sub(kept.hours()).expect("a time");
    let date = |name: &str| {
        let wanted = asked.query(name).filter(|_| world.switches.events_know_dates);
        wanted.and_then(|text| text.parse::<Timestamp>().ok())
    };
    let (from, until) = (date("StartDate"), date("EndDate"));
    let (resource, type_) = (asked.query("ResourceSid"), asked.query("EventType"));
    let rows: Vec<Value> = world.accounts[who.account()]
        .events
        .iter()
        .filter(|event| event.date.parse::<Timestamp>().is_ok_and(|date| {
            date >= oldest && from.is_none_or(|from| date >= from) && until.is_none_or(|until| date <= until)
        }))
        .filter(|event| resource.as_ref().is_none_or(|sid| *sid == event.resource))
        .filter(|event| type_.as_ref().is_none_or(|type_| *type_ == event.type_))
        .map(|event| {
            json!({"sid": "AE…", "account_sid": who.account(), "event_type": event.type_, "resource_sid": event.resource,
                "event_date": event.date, "source_ip_address": event.ip, "source": if event.actor.is_some() { "web" } else { "api" },
                "actor_type": if event.actor.is_some() { "user" } else { "account" },
                "actor_sid": event.actor.clone().unwrap_or_else(|| who.account().to_owned()),
                "resource_type": event.type_.split('.').next(), "event_data": {}})
        })
        .collect();
    listed(asked, &rows, "events")
}
