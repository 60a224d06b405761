//! GitHub, github.com or Enterprise: <https://docs.github.com/en/rest/repos/repos#list-organization-repositories>.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::{Extras, Listed, Owner, Sink, Visibility, pages, pages_of_either, wiki_of};
use crate::audit::access::host_named;
use crate::model::Secret;

/// The path of an installation's token in the API, and how long it is good for: an hour.
const TOKEN_GOOD_FOR: i64 = 3600;

/// Lists the repositories of an organization, or of a user where there is no such organization.
pub async fn list(api: &Api, owner: &str, extras: Extras, sink: &Sink) -> Result<(), Problem> {
    let owner = part(owner);
    let query = "sort=full_name&per_page=100";
    let paths =
        [format!("/orgs/{owner}/repos?type=all&{query}"), format!("/users/{owner}/repos?type=owner&{query}")];
    let found = pages_of_either(api, [&paths[0], &paths[1]], sink, repository).await?;
    if extras.gists {
        let mut people = vec![owner.clone()];
        if found == Owner::Organization {
            people.clear();
            api.pages(&format!("/orgs/{owner}/members?per_page=100"), async |list, _| {
                people.extend(
                    list.iter().filter_map(|person| string(person, "login")).map(|login| part(&login)),
                );
                Ok(())
            })
            .await?;
        }
        for person in people {
            pages(api, &format!("/users/{person}/gists?per_page=100"), sink, gist).await?;
        }
    }
    Ok(())
}

fn repository(value: &Value) -> Option<Listed> {
    let clone = string(value, "clone_url")?;
    Some(Listed {
        path: string(value, "full_name")?,
        wiki: wiki_of(&clone).filter(|_| truth(value, "has_wiki")),
        clone,
        archived: truth(value, "archived"),
        fork: truth(value, "fork"),
        visibility: match string(value, "visibility").as_deref() {
            Some("public") => Visibility::Public,
            Some("internal") => Visibility::Internal,
            Some(_) => Visibility::Private,
            None if truth(value, "private") => Visibility::Private,
            None => Visibility::Public,
        },
        pushed: string(value, "pushed_at"),
        size_kib: value.get("size").and_then(Value::as_u64),
        api: string(value, "url"),
        gist: false,
    })
}

fn gist(value: &Value) -> Option<Listed> {
    let owner =
        value.get("owner").and_then(|owner| string(owner, "login")).unwrap_or_else(|| "anonymous".to_owned());
    Some(Listed {
        path: format!("{owner}/{}", string(value, "id")?),
        clone: string(value, "git_pull_url")?,
        archived: false,
        fork: false,
        visibility: if truth(value, "public") { Visibility::Public } else { Visibility::Private },
        pushed: string(value, "updated_at"),
        size_kib: None,
        wiki: None,
        api: None,
        gist: true,
    })
}

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

/// A token for what an App may see of an organization, and until when it is good. `api` shows the App's statement.
pub async fn installation_token(api: &Api, owner: &str) -> Result<(Secret, i64), Problem> {
    let owner = part(owner);
    let installation = match api.get(&format!("/orgs/{owner}/installation")).await {
        Err(Problem::Missing(_)) => api.get(&format!("/users/{owner}/installation")).await?,
        other => other?,
    };
    let id = installation.value.get("id").and_then(Value::as_u64);
    let id = id.ok_or_else(|| Problem::Failed("the App's installation has no id".to_owned()))?;
    let answer = api.post(&format!("/app/installations/{id}/access_tokens")).await?;
    let token = string(&answer.value, "token")
        .ok_or_else(|| Problem::Failed("no token was made for the App".to_owned()))?;
    Ok((Secret::new(token), Timestamp::now().as_second() + TOKEN_GOOD_FOR))
}
