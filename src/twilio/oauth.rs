//! OAuth apps of the account that asks: listed, read, made and deleted; and the one way to learn whether a secret works, which makes
//! an access token.

use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::account::{self, Unreadable};
use super::change::Change;
use super::client::Client;
use super::lists;
use super::pair::Pair;
use super::product::Product;
use super::reading::{self, Reading};
use super::verify::Still;
use crate::model::{OauthApp, Region, Secret};

const APPS: &str = "/v1/Account/OAuthApps";
/// Twilio's codes for "invalid credentials" of a token request: of the token API, and of the service behind it.
const INVALID: [u32; 2] = [322_402, 321_401];

/// Whether a text is the client id of an OAuth app: a part of a path that was checked.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    text.len() == 34 && text.starts_with("OQ") && text[2..].bytes().all(|b| b.is_ascii_alphanumeric())
}

/// All OAuth apps of the account that asks.
pub async fn list(client: &Client, pair: &Pair) -> Result<Vec<OauthApp>, Unreadable> {
    let apps: Vec<OauthApp> =
        lists::rows(client, Product::Iam, &format!("{APPS}?PageSize=100"), pair).await?;
    if apps.iter().all(|app| is_client_id(&app.sid)) {
        Ok(apps)
    } else {
        Err(Unreadable::Foreign("a list of something else than OAuth apps".to_owned()))
    }
}

/// One OAuth app of the account that asks.
pub async fn read(client: &Client, app: &str, pair: &Pair) -> Result<OauthApp, Unreadable> {
    let path = format!("{APPS}/{app}");
    let found: OauthApp = account::read(client, Product::Iam, Region::Us1, &path, pair).await?;
    if found.sid == app {
        Ok(found)
    } else {
        Err(Unreadable::Foreign("an answer about another OAuth app".to_owned()))
    }
}

/// Deletes an OAuth app of the account that asks; its access tokens end with it.
pub async fn delete(client: &Client, app: &str, pair: &Pair) -> Change {
    let path = format!("{APPS}/{app}");
    Change::of(client.delete(Product::Iam, Region::Us1, &path, pair).await).only_204()
}

/// An OAuth app that was just made; its secret is shown only now.
#[derive(Debug)]
pub struct Made {
    /// `OQ…`.
    pub sid: String,
    /// Its secret.
    pub secret: Secret,
}

#[derive(Deserialize)]
struct MadeBody {
    sid: String,
    secret: String,
}

/// Makes an OAuth app like another, with another name.
pub async fn make_like(client: &Client, old: &OauthApp, name: &str, pair: &Pair) -> (Change, Option<Made>) {
    let mut document = serde_json::json!({
        "type": "Client Credential", "friendly_name": name, "policy": {"allow": old.policy},
    });
    if let Some(seconds) = old.access_token_ttl {
        document["access_token_ttl"] = seconds.into();
    }
    match Change::of(client.post_json(Product::Iam, APPS, pair, &document).await) {
        Change::Made(answer, told) => match reading::body::<MadeBody>(&answer.body) {
            Ok(body) if is_client_id(&body.sid) => {
                let secret = Zeroizing::new(body.secret);
                let made = Made { sid: body.sid, secret: Secret::new(secret.as_str().to_owned()) };
                (Change::Made(answer, told), Some(made))
            }
            _ => (Change::Unsure(told, "an answer that names no OAuth app".to_owned()), None),
        },
        change => (change, None),
    }
}

#[derive(Deserialize)]
struct Granted {
    #[serde(rename = "access_token")]
    _token: IgnoredAny,
}

/// Whether a client id with a secret is given an access token. Asking makes one where it works; it is thrown away unread.
pub async fn still(client: &Client, id: &str, secret: &Secret) -> Still {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret.expose())];
    let answer = match client.ask(Product::Oauth, "/v2/token", &form).await {
        Ok(answer) => answer,
        Err(fault) => return Still::Unsure(fault.to_string()),
    };
    match answer.reading() {
        Reading::Done => match reading::body::<Granted>(&answer.body) {
            Ok(_) => Still::Works,
            Err(reason) => Still::Unsure(reason),
        },
        Reading::Foreign(reason) => Still::Unsure(reason),
        Reading::Refused(refusal) => match (refusal.status, refusal.code) {
            (400 | 401, code) if INVALID.contains(&code) => Still::Refused { code },
            (401, 20003) if !refusal.stripped => Still::Refused { code: 20003 },
            (429, _) => Still::Unsure("Twilio was too busy to answer (429); ask again later".to_owned()),
            (status, code) => Still::Unsure(format!("Twilio answered error {code} (status {status})")),
        },
    }
}

#[derive(Deserialize)]
struct WithToken {
    access_token: String,
}

/// An access token of an OAuth app, for reading with it.
pub async fn token(client: &Client, id: &str, secret: &Secret) -> Result<Secret, Unreadable> {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret.expose())];
    let answer = client.ask(Product::Oauth, "/v2/token", &form).await?;
    match answer.reading() {
        Reading::Done => {
            let body: WithToken = reading::body(&answer.body).map_err(Unreadable::Foreign)?;
            Ok(Secret::new(body.access_token))
        }
        Reading::Refused(refusal) => Err(Unreadable::Refused(refusal)),
        Reading::Foreign(reason) => Err(Unreadable::Foreign(reason)),
    }
}
