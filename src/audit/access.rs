//! What opens the forges of an audit: tokens from the environment or from a forge's own tool, and those that a GitHub App makes
//! itself. They are kept in memory, one for each source, and each is bound to the hosts that it is for: a source names a host,
//! and a source may come from a database that others write to.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;

use super::forge::api::{Api, Bearer, Faults, Problem, Say, Scheme};
use super::forge::{App, app};
use super::source::{Forge, Source};
use super::tokens::{self, Found, elsewhere, is_for};
use super::url::Url;
use crate::model::Secret;

/// A token of an App is made anew when it is good for less than this, in seconds.
const FRESH: i64 = 1200;

/// What opens one source.
#[derive(Debug, Clone)]
struct Key {
    scheme: Scheme,
    token: Secret,
    /// The user name for git.
    user: String,
    /// Whose it is.
    bearer: Bearer,
    /// Until when it is good, in seconds since 1970.
    until: Option<i64>,
}

/// The keys of all sources, by the source as it was given: two organizations on one host may have two.
#[derive(Debug, Default)]
pub struct Keys(RwLock<BTreeMap<String, (Source, Key)>>);

impl Keys {
    fn of(&self, source: &Source) -> Option<Key> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&source.text).map(|(_, key)| key.clone())
    }

    fn put(&self, source: &Source, key: Key) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(source.text.clone(), (source.clone(), key));
    }

    /// The user name and token for git: those of the source that a repository came from, if it may be cloned from this
    /// address. An address from a list has those of another source of this audit that has it.
    #[must_use]
    pub fn for_git(&self, source: &str, url: &Url) -> Option<(String, Secret)> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |(source, _): &&(Source, Key)| url.keeps_secrets() && source.clones_from(url);
        // A token of an App is good for the repositories of one organization.
        let opens =
            |(source, key): &&(Source, Key)| key.until.is_none() || is_below(url.path(), &source.path);
        let (_, key) = if let Some(own) = keys.get(source) {
            Some(own).filter(fits)
        } else {
            keys.values().filter(fits).find(opens)
        }?;
        Some((key.user.clone(), key.token.clone()))
    }
}

fn is_below(path: &str, owner: &str) -> bool {
    path.split('/').zip(owner.split('/')).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// The ways into the forges of an audit.
#[derive(Debug)]
pub struct Access {
    /// The tokens, for git as well.
    pub keys: Arc<Keys>,
    /// Why a source is asked without the token that there is.
    withheld: BTreeMap<String, String>,
    app: Option<App>,
    /// By the address of an API, what failed there: each repository of a forge is asked for by an [`Api`] of its own.
    faults: Mutex<BTreeMap<String, Faults>>,
}

impl Access {
    /// Looks for the tokens of all sources.
    pub fn of(sources: &[Source]) -> Result<Self, String> {
        let mut access = Self {
            keys: Arc::default(),
            withheld: BTreeMap::new(),
            app: App::of_environment()?,
            faults: Mutex::default(),
        };
        for source in sources {
            let reason = match tokens::find(source)? {
                Found::Token(token) => {
                    let key = Key {
                        scheme: token.scheme,
                        token: token.secret,
                        user: token.user.to_owned(),
                        bearer: Bearer::Person { classic: token.classic },
                        until: None,
                    };
                    access.keys.put(source, key);
                    continue;
                }
                Found::Nothing | Found::Withheld(_) if access.app_of(source).is_some() => continue,
                Found::Withheld(reason) => reason,
                Found::Nothing => match access.app.as_ref().filter(|_| source.forge == Forge::Github) {
                    Some(app) => {
                        let home = app.host.as_deref().unwrap_or("github.com");
                        elsewhere("the GitHub App", source.host(), home, "GITHUB_APP_HOST")
                    }
                    None => continue,
                },
            };
            access.withheld.insert(source.text.clone(), reason);
        }
        Ok(access)
    }

    /// The App, where it is one of this source's host.
    fn app_of(&self, source: &Source) -> Option<&App> {
        let app = self.app.as_ref().filter(|_| source.forge == Forge::Github)?;
        is_for(source.host(), app.host.as_deref(), &["github.com"]).then_some(app)
    }

    /// The API of a source, with a token where there is one.
    pub fn api(&self, source: &Source, stop: &Arc<AtomicBool>, say: &Say) -> Result<Api, Problem> {
        let key = self.keys.of(source);
        let token = key.as_ref().map(|key| (key.scheme.clone(), &key.token));
        let mut api = Api::new(&source.api(), token, accept(source), Arc::clone(stop), Arc::clone(say))?;
        api.bearer = key.map_or(Bearer::Nobody, |key| key.bearer);
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        api.faults = Arc::clone(faults.entry(source.api()).or_default());
        Ok(api)
    }

    /// Makes the token of a GitHub App for a source's organization, or makes it anew where it is soon over.
    pub async fn refresh(&self, source: &Source, stop: &Arc<AtomicBool>, say: &Say) -> Result<(), Problem> {
        let Some(app) = self.app_of(source) else { return Ok(()) };
        let now = Timestamp::now();
        let fresh = |key: &Key| key.until.is_none_or(|until| until - now.as_second() > FRESH);
        if self.keys.of(source).as_ref().is_some_and(fresh) {
            return Ok(());
        }
        let statement = app.statement(now).map_err(Problem::Denied)?;
        let api = Api::new(
            &source.api(),
            Some((Scheme::Bearer, &statement)),
            accept(source),
            Arc::clone(stop),
            Arc::clone(say),
        )?;
        let made = app::installation(&api, &source.path).await?;
        let key = Key {
            scheme: Scheme::Bearer,
            token: made.token,
            user: "x-access-token".to_owned(),
            bearer: Bearer::Installation { selected: made.selected },
            until: Some(made.until),
        };
        self.keys.put(source, key);
        Ok(())
    }

    /// Why a source is asked without a token; nothing where it has one, or an App that makes one.
    #[must_use]
    pub fn anonymous(&self, source: &Source) -> Option<String> {
        let advice = tokens::advice(source)?;
        if self.keys.of(source).is_some() || self.app_of(source).is_some() {
            return None;
        }
        let reason = self.withheld.get(&source.text).unwrap_or(&advice);
        Some(format!("asked without a token: {reason}"))
    }
}

fn accept(source: &Source) -> &'static str {
    if source.forge == Forge::Github { "application/vnd.github+json" } else { "application/json" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(all: &[(&str, &str, Option<i64>)]) -> Keys {
        let keys = Keys::default();
        for (source, token, until) in all {
            let key = Key {
                scheme: Scheme::Bearer,
                token: Secret::new((*token).to_owned()),
                user: "user".to_owned(),
                bearer: Bearer::Nobody,
                until: *until,
            };
            keys.put(&source.parse().unwrap(), key);
        }
        keys
    }

    fn given(keys: &Keys, source: &str, url: &str) -> Option<String> {
        keys.for_git(source, &Url::parse(url).unwrap()).map(|(_, token)| token.expose().to_owned())
    }

    #[test]
    fn git_has_the_token_of_the_source_that_a_repository_came_from() {
        let keys = keys(&[
            ("github:acme", "a", Some(1)),
            ("github:beta", "b", Some(1)),
            ("azure:acme", "c", None),
            ("gitea:git.example/acme", "d", None),
        ]);
        for (source, url, token) in [
            ("github:acme", "https://github.com/acme/shop.git", Some("a")),
            ("github:beta", "https://github.com/renamed/shop.git", Some("b")),
            ("github:beta", "https://gist.github.com/1234.git", Some("b")),
            ("github:beta", "http://github.com/beta/shop.git", None),
            ("github:beta", "https://git.example/beta/shop.git", None),
            ("azure:acme", "https://acme.visualstudio.com/shop/_git/shop", Some("c")),
            ("azure:acme", "https://other.visualstudio.com/shop/_git/shop", None),
            ("list:all.txt", "https://github.com/Beta/shop.git", Some("b")),
            ("list:all.txt", "https://github.com/gamma/shop.git", None),
            ("list:all.txt", "https://git.example/gamma/shop.git", Some("d")),
            ("list:all.txt", "https://elsewhere.example/acme/shop.git", None),
        ] {
            assert_eq!(given(&keys, source, url).as_deref(), token, "{source} {url}");
        }
    }
}
