//! `webhooks.twilio.com/v1/Webhooks`: who signs which webhooks. Lists are paged by tokens; a deletion may be accepted with 202 and
//! done later.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::auth::Principal;
use crate::request::Asked;
use crate::world::World;

/// A page has at most so many rows.
const MOST: usize = 100;

/// What is answered about the webhooks of the account that asks.
pub fn answer(world: &mut World, asked: &Asked, who: &Principal, rest: &[&str]) -> Result<Answer, Answer> {
    let own = who.account().to_owned();
    let what = rest.first().copied().unwrap_or_default().to_lowercase();
    who.may(world, &format!("twilio/webhooks/{what}/{}", asked.method.to_lowercase()))?;
    if !world.switches.webhooks_beta {
        return Err(Answer::not_found(&asked.path));
    }
    match (asked.method.as_str(), rest) {
        ("GET", ["SharedKeys"]) => {
            let shown = world.shared_keys.iter().filter(|key| key.account == own && !key.deleted);
            let rows: Vec<Value> = shown
                .map(|key| {
                    json!({"id": key.id, "friendlyName": key.friendly_name,
                        "createdAt": key.created.to_string(), "updatedAt": key.created.to_string()})
                })
                .collect();
            listed(asked, &rows, "sharedKeys")
        }
        ("GET", ["Settings"]) => {
            let shown = world.settings.iter().filter(|setting| setting.account == own);
            let rows: Vec<Value> = shown
                .map(|setting| {
                    let signature = setting
                        .shared_key
                        .as_ref()
                        .map(|key| json!({"algorithm": "HMAC_SHA256", "sharedKeyId": key}));
                    json!({"id": setting.id, "friendlyName": "", "signature": signature})
                })
                .collect();
            listed(asked, &rows, "settings")
        }
        ("GET", ["Rules"]) => {
            let shown = world.rules.iter().filter(|rule| rule.account == own);
            let rows: Vec<Value> = shown
                .map(|rule| {
                    let settings: Vec<Value> = rule
                        .settings
                        .iter()
                        .map(|id| json!({"settingId": id, "percentage": 100 / rule.settings.len()}))
                        .collect();
                    json!({"id": rule.id, "friendlyName": "", "matchType": "PREFIX", "prefix": rule.prefix,
                        "settings": settings, "createdAt": rule.created.to_string(),
                        "updatedAt": rule.created.to_string()})
                })
                .collect();
            listed(asked, &rows, "rules")
        }
        (method, ["SharedKeys", id]) => one(world, asked, &own, method, id),
        _ => Err(Answer::not_found(&asked.path)),
    }
}

fn one(world: &mut World, asked: &Asked, own: &str, method: &str, id: &str) -> Result<Answer, Answer> {
    let later = world.switches.shared_key_goes_after;
    let known = world.shared_keys.iter_mut().find(|key| key.id == id && key.account == own && !key.deleted);
    let Some(key) = known else { return Err(Answer::not_found(&asked.path)) };
    match method {
        "GET" => {
            if let Some(left) = &mut key.going {
                if *left == 0 {
                    key.deleted = true;
                    return Err(Answer::not_found(&asked.path));
                }
                *left -= 1;
            }
            Ok(Answer::ok(json!({"id": key.id, "friendlyName": key.friendly_name,
                "createdAt": key.created.to_string(), "updatedAt": key.created.to_string()})))
        }
        "DELETE" => match later {
            None => {
                key.deleted = true;
                Ok(Answer::gone())
            }
            Some(looks) => {
                key.going = Some(looks);
                Ok(Answer {
                    status: 202,
                    body: Some(json!({"operation": {"id": "webhooks_operation_1",
                    "status": "PENDING", "resourceId": key.id}})),
                })
            }
        },
        _ => Err(Answer::error(405, 20004, "Method not allowed")),
    }
}

fn listed(asked: &Asked, rows: &[Value], name: &str) -> Result<Answer, Answer> {
    let size = asked.query("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50);
    if size == 0 || size > MOST {
        return Err(Answer::error(400, 20007, "Page size too large"));
    }
    let token = asked.query("PageToken").or(asked.query("pageToken"));
    let begin: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let end = (begin + size).min(rows.len());
    let next = (end < rows.len()).then(|| end.to_string());
    Ok(Answer::ok(json!({name: rows[begin.min(end)..end],
        "meta": {"key": name, "pageSize": size, "nextToken": next, "previousToken": null}})))
}
