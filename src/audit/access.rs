//! Tokens for forges: from the environment, or from the forge's own command-line tool. They are kept in memory, and each is
//! bound to the hosts that it is for: a source names a host, and a source may come from a database that others write to.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::forge::api::{Api, Problem, Say, Scheme};
use super::forge::{App, github};
use super::source::{Forge, Source};
use super::url::{Url, without_default_port};
use crate::model::Secret;

/// A token of an App is made anew when it is good for less than this, in seconds.
const FRESH: i64 = 1200;

/// The variables that hold a forge's secret. What is started here (git, gh, glab) does not inherit them: it gets the one
/// token that is for its host, or none.
pub const VARIABLES: [&str; 13] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "GITLAB_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "BITBUCKET_TOKEN",
    "BITBUCKET_API_TOKEN",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
];

/// What opens one source.
#[derive(Debug, Clone)]
struct Key {
    scheme: Scheme,
    token: Secret,
    /// The user name for git.
    user: String,
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
}

impl Access {
    /// Looks for the tokens of all sources.
    pub fn of(sources: &[Source]) -> Result<Self, String> {
        let mut access =
            Self { keys: Arc::default(), withheld: BTreeMap::new(), app: App::of_environment()? };
        for source in sources {
            let reason = match key(source)? {
                Found::Key(key) => {
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
        Api::new(&source.api(), token, accept(source), Arc::clone(stop), Arc::clone(say))
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
        let (token, until) = github::installation_token(&api, &source.path).await?;
        let user = "x-access-token".to_owned();
        self.keys.put(source, Key { scheme: Scheme::Bearer, token, user, until: Some(until) });
        Ok(())
    }

    /// Why a source is asked without a token; nothing where it has one, or an App that makes one.
    #[must_use]
    pub fn anonymous(&self, source: &Source) -> Option<String> {
        let given = given(source)?;
        if self.keys.of(source).is_some() || self.app_of(source).is_some() {
            return None;
        }
        let reason = self.withheld.get(&source.text).cloned().unwrap_or_else(|| {
            let host = source.host();
            let token = given.tokens.first().unwrap_or(&"");
            match given.hosts.first().filter(|_| !is_for(host, None, given.homes)) {
                Some(variable) => format!("set {token}, and {variable}={host}"),
                None => format!("set {token}"),
            }
        });
        Some(format!("asked without a token: {reason}"))
    }
}

fn accept(source: &Source) -> &'static str {
    if source.forge == Forge::Github { "application/vnd.github+json" } else { "application/json" }
}

fn named(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    })
}

/// The host that one of some variables names, however it is written.
pub fn host_named(names: &[&str]) -> Option<String> {
    let text = named(names)?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", &text));
    let host = rest.split('/').next().unwrap_or_default();
    Some(without_default_port(scheme, host).to_ascii_lowercase())
}

/// Whether a token is for a host: the one that its variable names, or else one of the hosts that it is for anyway.
fn is_for(host: &str, named: Option<&str>, homes: &[&str]) -> bool {
    match named {
        Some(named) => named == host,
        None => homes
            .iter()
            .any(|home| host == *home || home.strip_prefix('*').is_some_and(|ending| host.ends_with(ending))),
    }
}

fn elsewhere(what: &str, host: &str, home: &str, variable: &str) -> String {
    format!("{what} is for {home}, and is not sent to {host}: set {variable}={host} if it is for that host")
}

/// What was found for a source.
enum Found {
    Key(Key),
    /// There is a token, and it is for another host.
    Withheld(String),
    Nothing,
}

/// How the tokens of one kind of forge are given.
#[derive(Clone, Copy)]
struct Given {
    /// The variables that may hold a token.
    tokens: &'static [&'static str],
    /// The variables that may name the host that it is for.
    hosts: &'static [&'static str],
    /// The hosts that it is for where none is named.
    homes: &'static [&'static str],
}

impl Given {
    /// The token, if it is for this source; else why it is withheld.
    fn token(&self, source: &Source) -> Result<Option<String>, String> {
        let Some(token) = named(self.tokens) else { return Ok(None) };
        let named = host_named(self.hosts);
        if is_for(source.host(), named.as_deref(), self.homes) {
            return Ok(Some(token));
        }
        let variable = self.tokens.iter().find(|name| std::env::var_os(name).is_some()).unwrap_or(&"");
        let home = named.or_else(|| self.homes.first().map(|home| (*home).to_owned()));
        let home = home.unwrap_or_else(|| "a host that is not named".to_owned());
        Err(elsewhere(variable, source.host(), &home, self.hosts.first().unwrap_or(&"")))
    }
}

const GITHUB: Given =
    Given { tokens: &["GH_TOKEN", "GITHUB_TOKEN"], hosts: &[], homes: &["github.com", "*.ghe.com"] };
const ENTERPRISE: Given =
    Given { tokens: &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"], hosts: &["GH_HOST"], homes: &[] };
const GITLAB: Given = Given { tokens: &["GITLAB_TOKEN"], hosts: &["GITLAB_HOST"], homes: &["gitlab.com"] };
const BITBUCKET: Given = Given {
    tokens: &["BITBUCKET_API_TOKEN", "BITBUCKET_TOKEN"],
    hosts: &["BITBUCKET_HOST"],
    homes: &["bitbucket.org"],
};
const GITEA: Given =
    Given { tokens: &["GITEA_TOKEN", "FORGEJO_TOKEN"], hosts: &["GITEA_HOST", "FORGEJO_HOST"], homes: &[] };
const AZURE: Given = Given {
    tokens: &["AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"],
    hosts: &["AZURE_DEVOPS_HOST"],
    homes: &["dev.azure.com"],
};

/// How the token of a source is given; nothing for what needs none.
fn given(source: &Source) -> Option<Given> {
    Some(match source.forge {
        Forge::Github if is_for(source.host(), None, GITHUB.homes) => GITHUB,
        Forge::Github => ENTERPRISE,
        Forge::Gitlab => GITLAB,
        Forge::Bitbucket => BITBUCKET,
        Forge::Gitea => GITEA,
        Forge::Azure => AZURE,
        Forge::Folder | Forge::List => return None,
    })
}

/// The token of a source. A token for one host is never taken for another.
fn key(source: &Source) -> Result<Found, String> {
    let Some(given) = given(source) else { return Ok(Found::Nothing) };
    let host = source.host();
    let (scheme, user) = match source.forge {
        Forge::Github => (Scheme::Bearer, "x-access-token"),
        Forge::Bitbucket => bitbucket()?,
        Forge::Gitea => (Scheme::Token, "oauth2"),
        Forge::Azure => (Scheme::Basic(String::new()), "sidsweep"),
        Forge::Gitlab | Forge::Folder | Forge::List => (Scheme::Bearer, "oauth2"),
    };
    let (token, withheld) = match given.token(source) {
        Ok(token) => (token, None),
        Err(reason) => (None, Some(reason)),
    };
    let token = token.or_else(|| match source.forge {
        Forge::Github => asked("gh", &["auth", "token", "--hostname", host]),
        Forge::Gitlab => asked("glab", &["config", "get", "token", "--host", host]),
        _ => None,
    });
    Ok(match (token, withheld) {
        (Some(token), _) => {
            Found::Key(Key { scheme, token: Secret::new(token), user: user.to_owned(), until: None })
        }
        (None, Some(reason)) => Found::Withheld(reason),
        (None, None) => Found::Nothing,
    })
}

/// How a token of Bitbucket's is sent, and git's user name with it: an API token is a person's, and goes with their e-mail
/// address; an access token is a repository's, project's or workspace's.
/// <https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/>
fn bitbucket() -> Result<(Scheme, &'static str), String> {
    if named(&["BITBUCKET_API_TOKEN"]).is_some() {
        let email = named(&["BITBUCKET_EMAIL"]).ok_or(
            "BITBUCKET_API_TOKEN needs BITBUCKET_EMAIL beside it: the e-mail address of the Atlassian account that it is of",
        )?;
        return Ok((Scheme::Basic(email), "x-bitbucket-api-token-auth"));
    }
    if named(&["BITBUCKET_APP_PASSWORD"]).is_some() && named(&["BITBUCKET_TOKEN"]).is_none() {
        return Err("BITBUCKET_APP_PASSWORD: Bitbucket takes no app passwords any more; make an API token and set BITBUCKET_EMAIL and BITBUCKET_API_TOKEN".to_owned());
    }
    Ok((Scheme::Bearer, "x-token-auth"))
}

/// Asks the forge's own tool, where it is installed and knows a token. It does not see our variables: it would give a token
/// in them out for any host.
fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty() && !text.contains(char::is_whitespace)).then_some(text)
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

    #[test]
    fn a_token_is_for_the_host_that_is_named_or_for_its_home() {
        for (host, named, homes, fits) in [
            ("gitlab.com", None, &["gitlab.com"][..], true),
            ("gitlab.com", Some("git.example"), &["gitlab.com"], false),
            ("git.example", Some("git.example"), &["gitlab.com"], true),
            ("acme.ghe.com", None, &["github.com", "*.ghe.com"], true),
            ("ghe.com.evil.example", None, &["github.com", "*.ghe.com"], false),
            ("git.example", None, &[], false),
        ] {
            assert_eq!(is_for(host, named, homes), fits, "{host} {named:?}");
        }
    }
}
