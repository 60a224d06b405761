//! `api.twilio.com/2010-04-01`: accounts, keys, numbers, usage.

use jiff::{Timestamp, fmt::rfc2822};
use serde_json::{Value, json};

use crate::answer::{Answer, page};
use crate::auth::{Principal, Which};
use crate::request::Asked;
use crate::world::{Account, Key, KeyKind, Region, Status, World};

/// What the classic API answers. `rest` is the path below the version, without `.json`.
pub fn answer(world: &mut World, asked: &Asked, who: &Principal, rest: &[&str]) -> Answer {
    let answered = match (asked.method.as_str(), rest) {
        ("GET", ["Accounts"]) => list_accounts(world, asked, who),
        (_, ["Accounts", account, below @ ..]) => of_account(world, asked, who, account, below),
        _ => Err(Answer::not_found(&asked.path)),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

fn of_account(
    world: &mut World,
    asked: &Asked,
    who: &Principal,
    account: &str,
    below: &[&str],
) -> Result<Answer, Answer> {
    let method = asked.method.as_str();
    let account = &if world.switches.sid_in_any_case && account.len() == 34 {
        format!("AC{}", account[2..].to_ascii_lowercase())
    } else {
        account.to_owned()
    };
    let manages = matches!(below, [] | ["Keys" | "SigningKeys", ..]);
    if matches!(who, Principal::Test) {
        who.may(world, "")?;
    }
    reach(world, who, account, manages)?;
    match (method, below) {
        ("GET", []) => {
            who.may_manage(world, "twilio/accounts/accounts/read")
                .map_err(|refusal| on_accounts(world, who, refusal))?;
            Ok(Answer::ok(account_body(world, &world.accounts[account], who, asked.region)))
        }
        ("POST", []) => {
            who.may_manage(world, "twilio/accounts/accounts/update")?;
            set_status(world, asked, who, account)
        }
        ("GET", ["Keys" | "SigningKeys"]) => {
            who.may_manage(world, "twilio/iam/api-keys/list")?;
            list_keys(world, asked, account)
        }
        ("POST", ["Keys" | "SigningKeys"]) => {
            who.may_manage(world, "twilio/iam/api-keys/create")?;
            create_key(world, asked, account)
        }
        (_, ["Keys" | "SigningKeys", sid]) => one_key(world, asked, who, account, sid),
        ("GET", ["IncomingPhoneNumbers"]) => {
            who.may(world, "twilio/numbers/incoming-phone-numbers/list")?;
            let numbers: Vec<Value> =
                world.accounts[account].numbers.iter().map(|sid| number(world, account, sid)).collect();
            listed(asked, &numbers, "incoming_phone_numbers")
        }
        ("GET", [list @ ("ConnectApps" | "AuthorizedConnectApps")]) => {
            who.may(world, "twilio/connect-apps/list")?;
            connect_apps(world, asked, account, list)
        }
        ("GET", ["Balance"]) => {
            who.may(world, "twilio/billing/balance/read")?;
            Ok(Answer::ok(json!({"account_sid": account, "balance": "99.10", "currency": "USD"})))
        }
        ("GET", ["Usage", "Records", span]) => {
            who.may(world, "twilio/usage/records/list")?;
            let place = match *span {
                "Today" => 0,
                "Yesterday" => 1,
                _ => 2,
            };
            let price = world.accounts[account].spend[place];
            let number = price.parse::<f64>().ok().filter(|_| world.switches.price_is_number);
            let price = number.map_or_else(|| json!(price), |number| json!(number));
            let record = json!({"account_sid": account, "category": "totalprice", "price": price, "price_unit": "usd",
                "count": "7", "usage": price, "as_of": "2026-11-25T00:00:00+00:00"});
            listed(asked, &[record], "usage_records")
        }
        ("GET", ["Messages"]) => {
            who.may(world, "twilio/messaging/messages/list")?;
            listed(
                asked,
                &[json!({"sid": "SM…", "body": "A private message that no tool has any business reading"})],
                "messages",
            )
        }
        _ => Err(Answer::not_found(&asked.path)),
    }
}

/// A phone number; those of a fresh account are old.
fn number(world: &World, account: &str, sid: &str) -> Value {
    let created = world.number_dates.get(sid).copied().unwrap_or(Timestamp::UNIX_EPOCH);
    json!({"sid": sid, "account_sid": account, "phone_number": "+15005550006", "friendly_name": "a number",
        "date_created": date(created)})
}

/// Connect apps, of the account's own or let in by it. They have no date.
fn connect_apps(world: &World, asked: &Asked, account: &str, list: &str) -> Result<Answer, Answer> {
    let authorized = list == "AuthorizedConnectApps";
    let shown =
        world.connect_apps.iter().filter(|app| app.account == account && app.authorized == authorized);
    let rows: Vec<Value> = shown
        .map(|app| {
            if authorized {
                json!({"account_sid": account, "connect_app_sid": app.sid, "permissions": ["get-all"],
                    "connect_app_friendly_name": app.friendly_name})
            } else {
                json!({"account_sid": account, "sid": app.sid, "friendly_name": app.friendly_name})
            }
        })
        .collect();
    listed(asked, &rows, if authorized { "authorized_connect_apps" } else { "connect_apps" })
}

/// Whether the asking credential reaches an account at all.
fn reach(world: &World, who: &Principal, account: &str, manages: bool) -> Result<(), Answer> {
    let own = who.account();
    let Some(target) = world.accounts.get(account) else {
        return Err(match who {
            Principal::Token(..) => Answer::not_found(&format!("/2010-04-01/Accounts/{account}.json")),
            _ => Answer::unauthorized(),
        });
    };
    if own == account {
        return Ok(());
    }
    let is_child = target.owner == own;
    match who {
        Principal::Token(..) if is_child => Ok(()),
        Principal::Key(_, _, KeyKind::Main)
            if is_child && manages && world.switches.main_key_reaches_subaccounts =>
        {
            Ok(())
        }
        Principal::Token(..) => Err(Answer::not_found(&format!("/2010-04-01/Accounts/{account}.json"))),
        _ => Err(Answer::unauthorized()),
    }
}

/// What a Restricted key is told on Accounts is not stated.
fn on_accounts(world: &World, who: &Principal, refusal: Answer) -> Answer {
    match who {
        Principal::Key(_, _, KeyKind::Restricted(_)) if !world.switches.restricted_told_on_accounts => {
            Answer::unauthorized()
        }
        _ => refusal,
    }
}

fn account_body(world: &World, account: &Account, who: &Principal, region: Region) -> Value {
    let region = if world.switches.regional_body_shows_us1 { Region::Us1 } else { region };
    let tokens = account.tokens.get(&region);
    let shown = match (who, tokens) {
        (Principal::Token(own, Which::Secondary), Some(tokens))
            if own == &account.sid && world.switches.secondary_sees_itself =>
        {
            tokens.secondary.clone().unwrap_or_default()
        }
        (Principal::Token(..), Some(tokens)) => tokens.primary.clone(),
        _ => String::new(),
    };
    let shown = if world.switches.token_is_masked { "*".repeat(32) } else { shown };
    json!({
        "sid": account.sid,
        "owner_account_sid": account.owner,
        "friendly_name": account.friendly_name,
        "status": account.status.as_str(),
        "type": if account.trial { "Trial" } else { "Full" },
        "auth_token": shown,
        "date_created": "Thu, 01 Jan 2026 00:00:00 +0000",
        "date_updated": "Thu, 01 Jan 2026 00:00:00 +0000",
        "uri": format!("/2010-04-01/Accounts/{}.json", account.sid),
        "subresource_uris": {"keys": format!("/2010-04-01/Accounts/{}/Keys.json", account.sid)},
    })
}

fn list_accounts(world: &World, asked: &Asked, who: &Principal) -> Result<Answer, Answer> {
    who.may_manage(world, "twilio/accounts/accounts/list")
        .map_err(|refusal| on_accounts(world, who, refusal))?;
    let status = asked.query("Status");
    let rows: Vec<Value> = world
        .accounts
        .values()
        .filter(|account| account.sid == who.account() || account.owner == who.account())
        .filter(|account| status.as_deref().is_none_or(|status| status == account.status.as_str()))
        .map(|account| account_body(world, account, who, asked.region))
        .collect();
    listed(asked, &rows, "accounts")
}

fn listed(asked: &Asked, rows: &[Value], name: &str) -> Result<Answer, Answer> {
    let (rows, next, size) = page(rows, &asked.query, 1000)?;
    let path = asked.path.split('?').next().unwrap_or_default();
    let mut query: Vec<String> = asked
        .query
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "Page" | "PageSize" | "PageToken"))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    query.push(format!("PageSize={size}"));
    let at = |page: usize| format!("{path}?{}&Page={page}&PageToken=PT{page}", query.join("&"));
    Ok(Answer::ok(json!({
        name: rows,
        "page": asked.query("Page").and_then(|page| page.parse::<usize>().ok()).unwrap_or(0),
        "page_size": size,
        "first_page_uri": at(0),
        "next_page_uri": next.map(at),
        "previous_page_uri": null,
        "uri": asked.path,
        "start": 0,
        "end": rows.len().saturating_sub(1),
    })))
}

fn set_status(world: &mut World, asked: &Asked, who: &Principal, account: &str) -> Result<Answer, Answer> {
    if let Some(status) = asked.form("Status") {
        let target = &world.accounts[account];
        if target.owner == target.sid || who.account() != target.owner {
            return Err(Answer::unauthorized());
        }
        if target.status == Status::Closed {
            return Err(Answer::error(400, 21479, "Closed accounts cannot be reopened"));
        }
        let status = match status.as_str() {
            "active" => Status::Active,
            "suspended" => Status::Suspended,
            "closed" => Status::Closed,
            _ => return Err(Answer::error(400, 20001, "Invalid status")),
        };
        world.set_status(account, status);
    }
    if let Some(name) = asked.form("FriendlyName") {
        world.accounts.get_mut(account).expect("reached").friendly_name = name;
    }
    Ok(Answer::ok(account_body(world, &world.accounts[account], who, asked.region)))
}

fn date(time: Timestamp) -> String {
    rfc2822::DateTimePrinter::new().timestamp_to_string(&time).expect("a date")
}

fn key_body(key: &Key) -> Value {
    json!({"sid": key.sid, "friendly_name": key.friendly_name, "date_created": date(key.created), "date_updated": date(key.created)})
}

fn list_keys(world: &World, asked: &Asked, account: &str) -> Result<Answer, Answer> {
    let rows: Vec<Value> = world
        .keys
        .values()
        .filter(|key| key.account == account && key.region == asked.region && key.deleted.is_none())
        .filter(|key| is_shown(world, key))
        .map(key_body)
        .collect();
    listed(asked, &rows, "keys")
}

/// Whether the classic API knows a key.
fn is_shown(world: &World, key: &Key) -> bool {
    world.switches.classic_shows_restricted || !matches!(key.kind, KeyKind::Restricted(_))
}

/// Whether an account may have one key more.
pub fn has_room(world: &World, account: &str) -> Result<(), Answer> {
    let of = &world.accounts[account];
    if of.status != Status::Active {
        return Err(Answer::error(403, 20403, "Account lacks permission"));
    }
    let count = world.keys.values().filter(|key| key.account == account && key.deleted.is_none()).count();
    if count >= of.most_keys {
        return Err(Answer::error(400, 70151, "Maximum number of API keys reached"));
    }
    Ok(())
}

/// Makes a Standard key: `KeyType` and `Policy` are passed over in silence, as by Twilio.
fn create_key(world: &mut World, asked: &Asked, account: &str) -> Result<Answer, Answer> {
    let name = asked.form("FriendlyName");
    if name.as_ref().is_some_and(|name| name.chars().count() > 64) {
        return Err(Answer::error(400, 70001, "FriendlyName is longer than 64 characters"));
    }
    has_room(world, account)?;
    let (sid, secret) = world.regional_key(account, KeyKind::Standard, asked.region);
    let key = world.keys.get_mut(&sid).expect("just made");
    key.friendly_name = name;
    key.created = Timestamp::now();
    let mut body = key_body(key);
    body["secret"] = json!(secret);
    Ok(Answer::created(body))
}

fn one_key(
    world: &mut World,
    asked: &Asked,
    who: &Principal,
    account: &str,
    sid: &str,
) -> Result<Answer, Answer> {
    let permission = match asked.method.as_str() {
        "GET" => "twilio/iam/api-keys/read",
        "POST" => "twilio/iam/api-keys/update",
        _ => "twilio/iam/api-keys/delete",
    };
    who.may_manage(world, permission)?;
    let known = world.keys.get(sid).is_some_and(|key| {
        key.account == account && key.region == asked.region && key.deleted.is_none() && is_shown(world, key)
    });
    if !known {
        let was = world.keys.get(sid).is_some_and(|key| key.account == account && key.deleted.is_some());
        return if asked.method == "DELETE" && was && !world.switches.second_delete_is_404 {
            Ok(Answer::gone())
        } else {
            Err(Answer::not_found(&asked.path))
        };
    }
    match asked.method.as_str() {
        "GET" => Ok(Answer::ok(key_body(&world.keys[sid]))),
        "POST" => {
            let key = world.keys.get_mut(sid).expect("known");
            key.friendly_name = asked.form("FriendlyName").or(key.friendly_name.take());
            Ok(Answer::ok(key_body(key)))
        }
        "DELETE" => delete_key(world, who, sid),
        _ => Err(Answer::error(405, 20004, "Method not allowed")),
    }
}

/// Deletes a key that is known to exist.
pub fn delete_key(world: &mut World, who: &Principal, sid: &str) -> Result<Answer, Answer> {
    if matches!(who, Principal::Key(own, _, _) if own == sid) && !world.switches.main_key_deletes_itself {
        return Err(Answer::unauthorized());
    }
    let lag = world.switches.delete_lag;
    let key = world.keys.get_mut(sid).expect("known");
    key.deleted = Some(Timestamp::now());
    key.lingers = lag;
    Ok(Answer::gone())
}
