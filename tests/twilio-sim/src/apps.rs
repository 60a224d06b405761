//! OAuth apps: `iam.twilio.com/v1/Account/OAuthApps`, the tokens that they make, and the users of an organization, who are listed
//! with such a token.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Answer, page};
use crate::auth::Principal;
use crate::products::listed;
use crate::request::Asked;
use crate::resources::OauthApp;
use crate::world::{Status, World};

fn body(app: &OauthApp) -> Value {
    json!({"type": "Client Credential", "sid": app.sid, "friendly_name": app.friendly_name, "description": "",
        "date_created": app.created.to_string(), "created_by": "somebody", "creator_sid": null, "secret": null,
        "status": "ACTIVE", "policy": {"allow": app.allow}, "access_token_ttl": app.lifetime})
}

/// What is answered about the apps of the account that asks.
pub fn answer(world: &mut World, asked: &Asked, who: &Principal, rest: &[&str]) -> Result<Answer, Answer> {
    let method = asked.method.as_str();
    let action = match (method, rest) {
        ("GET", []) => "list",
        ("GET", _) => "read",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        _ => "delete",
    };
    who.may_manage(world, &format!("twilio/iam/oauth-apps/{action}"))?;
    if method == "GET" && !world.switches.oauth_apps_are_shown {
        return Err(Answer::error(405, 20004, "Method not allowed"));
    }
    let own = who.account().to_owned();
    match (method, rest) {
        ("GET", []) => {
            let shown = world.oauth_apps.values().filter(|app| app.account == own && app.deleted.is_none());
            let rows: Vec<Value> = shown.map(body).collect();
            listed(asked, &rows, world.switches.oauth_list)
        }
        ("POST", []) => Ok(create(world, asked, &own)),
        (_, [sid]) => {
            let known = world.oauth_apps.get_mut(*sid).filter(|app| app.account == own);
            let Some(app) = known.filter(|app| app.deleted.is_none()) else {
                return Err(Answer::not_found(&asked.path));
            };
            match method {
                "GET" => Ok(Answer::ok(body(app))),
                "DELETE" => {
                    app.deleted = Some(Timestamp::now());
                    app.lingers = world.switches.delete_lag;
                    Ok(Answer::gone())
                }
                _ => Err(Answer::error(405, 20004, "Method not allowed")),
            }
        }
        _ => Err(Answer::not_found(&asked.path)),
    }
}

fn create(world: &mut World, asked: &Asked, own: &str) -> Answer {
    if world.accounts[own].status != Status::Active {
        return Answer::error(403, 20403, "Account lacks permission");
    }
    let allow: Vec<String> = asked.json["policy"]["allow"]
        .as_array()
        .map(|list| list.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let (sid, secret) = world.oauth_app(own);
    let app = world.oauth_apps.get_mut(&sid).expect("just made");
    app.friendly_name = asked.json["friendly_name"].as_str().map(str::to_owned);
    app.allow = allow;
    app.created = Timestamp::now();
    if let Some(lifetime) = asked.json["access_token_ttl"].as_u64() {
        app.lifetime = u32::try_from(lifetime).expect("a lifetime");
    }
    let mut made = body(app);
    made["secret"] = json!(secret);
    Answer::created(made)
}

/// `oauth.twilio.com/v2/token`: apps ask with a form, not with a Basic pair.
pub fn token(world: &mut World, asked: &Asked) -> Answer {
    let (id, secret) = (asked.form("client_id").unwrap_or_default(), asked.form("client_secret"));
    let (status, code) = world.switches.oauth_refusal;
    let refusal = Answer::error(status, code, "Invalid credentials");
    if asked.form("grant_type").as_deref() != Some("client_credentials") {
        return Answer::error(400, 322_403, "Bad Request");
    }
    let of_organization = world
        .organization
        .as_ref()
        .is_some_and(|one| one.client == id && secret.as_ref() == Some(&one.secret));
    if !of_organization {
        let Some(app) = world.oauth_apps.get_mut(&id).filter(|app| secret.as_ref() == Some(&app.secret))
        else {
            return refusal;
        };
        if world.accounts[&app.account].status != Status::Active {
            return refusal;
        }
        if app.deleted.is_some() {
            if app.lingers == 0 {
                return refusal;
            }
            app.lingers -= 1;
        }
    }
    let token = format!("eyJ{}{}", world.base62(), world.base62());
    world.minted.push((token.clone(), id));
    Answer::ok(json!({"access_token": token, "id_token": null, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": null}))
}

/// `preview-iam.twilio.com/Organizations/{OR}/scim/Users`, by a token of the organization's app.
pub fn users(world: &World, asked: &Asked) -> Answer {
    let path = asked.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let Some(organization) = &world.organization else { return Answer::not_found(&asked.path) };
    let is_minted = |(token, client): &(String, String)| {
        Some(token) == asked.bearer.as_ref() && *client == organization.client
    };
    if !world.minted.iter().any(is_minted) {
        return Answer::unauthorized();
    }
    let ["Organizations", sid, "scim", "Users"] = parts.as_slice() else {
        return Answer::not_found(&asked.path);
    };
    if *sid != organization.sid {
        return Answer::not_found(&asked.path);
    }
    // SCIM counts from 1, and by rows.
    let number = |name: &str, otherwise: usize| {
        asked.query(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (start, count) = (number("startIndex", 1).max(1), number("count", 50).min(100));
    let query = [("PageSize".to_owned(), organization.users.len().max(1).to_string())];
    let Ok((all, _, _)) = page(&organization.users, &query, usize::MAX) else {
        return Answer::error(400, 20007, "Page size too large");
    };
    let rows: Vec<Value> = all
        .iter()
        .skip(start - 1)
        .take(count)
        .map(|user| {
            json!({"id": user.sid, "userName": user.email, "displayName": user.email, "active": true,
                "meta": {"resourceType": "User", "created": user.created.to_string(),
                    "lastModified": user.created.to_string()}})
        })
        .collect();
    Answer::ok(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": all.len(), "startIndex": start, "itemsPerPage": rows.len(), "Resources": rows}))
}
