//! A GitHub App: how it shows who it is, and makes itself tokens.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::api::{Api, Problem, part, string};
use crate::audit::tokens::host_named;
use crate::model::Secret;

/// How long an installation's token is good for: an hour.
const TOKEN_GOOD_FOR: i64 = 3600;

/// A GitHub App that is installed in an organization: it makes itself tokens of an hour.
#[derive(Debug)]
pub struct App {
    /// Its id or client id.
    pub id: String,
    /// Its private key, in PEM.
    pub key: Secret,
    /// The host that it is registered at, where that is not github.com.
    pub host: Option<String>,
}

impl App {
    /// The App that the environment names: `GITHUB_APP_ID`, `GITHUB_APP_PRIVATE_KEY` with the key or the file of it, and
    /// `GITHUB_APP_HOST` for one that is not github.com's.
    pub fn of_environment() -> Result<Option<Self>, String> {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let (Some(id), Some(key)) = (variable("GITHUB_APP_ID"), variable("GITHUB_APP_PRIVATE_KEY")) else {
            return Ok(None);
        };
        let key = if key.contains("-----BEGIN") {
            key
        } else {
            std::fs::read_to_string(Path::new(&key))
                .map_err(|error| format!("GITHUB_APP_PRIVATE_KEY: {key}: {error}"))?
        };
        Ok(Some(Self { id, key: Secret::new(key), host: host_named(&["GITHUB_APP_HOST"]) }))
    }

    /// The statement by which an App shows who it is: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.
    pub fn statement(&self, now: Timestamp) -> Result<Secret, String> {
        let wrong = |reason: &str| format!("the App's private key is of no use: {reason}");
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes())
            .map_err(|_| wrong("it is not PEM"))?;
        let pair = match &key {
            PrivateKeyDer::Pkcs1(der) => ring::signature::RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => ring::signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(wrong("it is not an RSA key")),
        }
        .map_err(|error| wrong(&error.to_string()))?;
        // A minute back, for clocks that are not quite right; ten minutes is the most.
        let claims =
            serde_json::json!({ "iat": now.as_second() - 60, "exp": now.as_second() + 540, "iss": self.id });
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(br#"{"alg":"RS256","typ":"JWT"}"#),
            BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
        );
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &ring::signature::RSA_PKCS1_SHA256,
            &ring::rand::SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|error| wrong(&error.to_string()))?;
        Ok(Secret::new(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))))
    }
}

/// A token for what an App may see of an organization.
#[derive(Debug)]
pub struct Installation {
    /// The token.
    pub token: Secret,
    /// Until when it is good, in seconds since 1970.
    pub until: i64,
    /// The App is installed on selected repositories, not on all.
    pub selected: bool,
}

/// Makes a token for an App's installation in an organization. `api` shows the App's statement.
pub async fn installation(api: &Api, owner: &str) -> Result<Installation, Problem> {
    let owner = part(owner);
    let found = match api.get(&format!("/orgs/{owner}/installation")).await {
        Err(Problem::Missing(_)) => api.get(&format!("/users/{owner}/installation")).await?,
        other => other?,
    };
    let id = found.value.get("id").and_then(Value::as_u64);
    let id = id.ok_or_else(|| Problem::Failed("the App's installation has no id".to_owned()))?;
    let answer = api.post(&format!("/app/installations/{id}/access_tokens")).await?;
    let token = string(&answer.value, "token")
        .ok_or_else(|| Problem::Failed("no token was made for the App".to_owned()))?;
    Ok(Installation {
        token: Secret::new(token),
        until: Timestamp::now().as_second() + TOKEN_GOOD_FOR,
        selected: string(&found.value, "repository_selection").as_deref() == Some("selected"),
    })
}
