//! Tokens for forges: from the environment, or from the forge's own command-line tool. They are kept in memory.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::forge::api::{Api, Problem, Say, Scheme};
use super::forge::{App, github};
use super::source::{Forge, Source};
use crate::model::Secret;

/// A token of an App is made anew when it is good for less than this, in seconds.
const FRESH: i64 = 1200;

/// For each `https://host`, the user name and token for git.
pub type Tokens = Arc<RwLock<BTreeMap<String, (String, Secret)>>>;

/// What opens one forge.
#[derive(Debug, Clone)]
struct Key {
    scheme: Scheme,
    token: Secret,
    /// The user name for git.
    user: String,
    /// Until when it is good, in seconds since 1970.
    until: Option<i64>,
}

/// The ways into the forges of an audit.
#[derive(Debug)]
pub struct Access {
    /// For git.
    pub tokens: Tokens,
    keys: RwLock<BTreeMap<String, Key>>,
    app: Option<App>,
}

impl Access {
    /// Looks for the tokens of all sources.
    pub fn of(sources: &[Source]) -> Result<Self, String> {
        let mut hosts: Vec<&str> =
            sources.iter().filter(|source| source.forge == Forge::Gitea).map(Source::host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() > 1 && named(&["GITEA_TOKEN", "FORGEJO_TOKEN"]).is_some() {
            return Err(format!(
                "GITEA_TOKEN is for one host, and there are {}: audit them one after the other",
                hosts.join(", ")
            ));
        }
        let mut keys = BTreeMap::new();
        for source in sources {
            if let Some(key) = key(source) {
                keys.insert(source.origin.clone(), key);
            }
        }
        let access = Self { tokens: Tokens::default(), keys: RwLock::new(keys), app: App::of_environment()? };
        for source in sources {
            access.publish(source);
        }
        Ok(access)
    }

    /// The API of a source, with a token where there is one.
    pub fn api(&self, source: &Source, stop: &Arc<AtomicBool>, say: &Say) -> Result<Api, Problem> {
        let key = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&source.origin).cloned();
        let accept =
            if source.forge == Forge::Github { "application/vnd.github+json" } else { "application/json" };
        let token = key.as_ref().map(|key| (key.scheme.clone(), &key.token));
        Api::new(&source.api(), token, accept, Arc::clone(stop), Arc::clone(say))
    }

    /// Makes the tokens of a GitHub App, or makes them anew where they are soon over.
    pub async fn refresh(&self, source: &Source, stop: &Arc<AtomicBool>, say: &Say) -> Result<(), Problem> {
        let Some(app) = self.app.as_ref().filter(|_| source.forge == Forge::Github) else { return Ok(()) };
        let now = Timestamp::now();
        let fresh = |key: &Key| key.until.is_none_or(|until| until - now.as_second() > FRESH);
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&source.origin).is_some_and(fresh) {
            return Ok(());
        }
        let statement = app.statement(now).map_err(Problem::Denied)?;
        let api = Api::new(
            &source.api(),
            Some((Scheme::Bearer, &statement)),
            "application/vnd.github+json",
            Arc::clone(stop),
            Arc::clone(say),
        )?;
        let (token, until) = github::installation_token(&api, &source.path).await?;
        let key =
            Key { scheme: Scheme::Bearer, token, user: "x-access-token".to_owned(), until: Some(until) };
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(source.origin.clone(), key);
        self.publish(source);
        Ok(())
    }

    /// Gives git the token of a source.
    fn publish(&self, source: &Source) {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = keys.get(&source.origin) else { return };
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let pair = || (key.user.clone(), key.token.clone());
        tokens.insert(source.origin.clone(), pair());
        if source.forge == Forge::Github && source.host() == "github.com" {
            tokens.insert(format!("https://{}", source.gists()), pair());
        }
    }
}

fn named(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    })
}

/// The token of a source. A token for one host is never taken for another.
fn key(source: &Source) -> Option<Key> {
    let host = source.host();
    let key = |scheme: Scheme, token: String, user: &str| {
        Some(Key { scheme, token: Secret::new(token), user: user.to_owned(), until: None })
    };
    match source.forge {
        Forge::Github => {
            let cloud = host == "github.com" || host.ends_with(".ghe.com");
            let names: &[&str] = if cloud {
                &["GH_TOKEN", "GITHUB_TOKEN"]
            } else {
                &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
            };
            let token = named(names).or_else(|| asked("gh", &["auth", "token", "--hostname", host]))?;
            key(Scheme::Bearer, token, "x-access-token")
        }
        Forge::Gitlab => {
            let own = named(&["GITLAB_HOST"]).map(|text| {
                text.trim_start_matches("https://")
                    .trim_start_matches("http://")
                    .trim_end_matches('/')
                    .to_owned()
            });
            let ours = own.map_or(host == "gitlab.com", |own| own.eq_ignore_ascii_case(host));
            let token = named(&["GITLAB_TOKEN"])
                .filter(|_| ours)
                .or_else(|| asked("glab", &["config", "get", "token", "--host", host]))?;
            key(Scheme::Bearer, token, "oauth2")
        }
        Forge::Bitbucket => {
            if let Some(token) = named(&["BITBUCKET_TOKEN"]) {
                return key(Scheme::Bearer, token, "x-token-auth");
            }
            let (user, password) = (named(&["BITBUCKET_USERNAME"])?, named(&["BITBUCKET_APP_PASSWORD"])?);
            key(Scheme::Basic(user.clone()), password, &user)
        }
        Forge::Gitea => key(Scheme::Token, named(&["GITEA_TOKEN", "FORGEJO_TOKEN"])?, "oauth2"),
        Forge::Azure => {
            let token = named(&["AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"])?;
            key(Scheme::Basic(String::new()), token, "sidsweep")
        }
        Forge::Folder | Forge::List => None,
    }
}

/// Asks the forge's own tool, where it is installed and knows a token.
fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty() && !text.contains(char::is_whitespace)).then_some(text)
}

impl Access {
    /// Whether a source has a token, or an App that can make one.
    #[must_use]
    pub fn has_key(&self, source: &Source) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(&source.origin)
            || self.app.is_some() && source.forge == Forge::Github
    }
}
