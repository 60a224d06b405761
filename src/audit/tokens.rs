//! The variables and tools that give tokens for forges, and the hosts that each of them is for.

use std::process::{Command, Stdio};

use super::forge::api::Scheme;
use super::source::{Forge, Source};
use super::url::without_default_port;
use crate::model::Secret;

/// The variables that hold a forge's secret. What is started here (git, gh, glab) does not inherit them: it gets the one
/// token that is for its host, or none.
pub const VARIABLES: [&str; 15] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "GITLAB_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "OAUTH_TOKEN",
    "BITBUCKET_APP_PASSWORD",
    "BITBUCKET_TOKEN",
    "BITBUCKET_API_TOKEN",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
];

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
pub fn is_for(host: &str, named: Option<&str>, homes: &[&str]) -> bool {
    match named {
        Some(named) => named == host,
        None => homes
            .iter()
            .any(|home| host == *home || home.strip_prefix('*').is_some_and(|ending| host.ends_with(ending))),
    }
}

/// Why a token is withheld.
pub fn elsewhere(what: &str, host: &str, home: &str, variable: &str) -> String {
    format!("{what} is for {home}, and is not sent to {host}: set {variable}={host} if it is for that host")
}

/// What was found for a source.
pub enum Found {
    /// A token for its host.
    Token(Token),
    /// There is a token, and it is for another host: why it is withheld.
    Withheld(String),
    /// There is none.
    Nothing,
}

/// A token, and how it is used.
pub struct Token {
    /// How it is sent to the API.
    pub scheme: Scheme,
    /// The token.
    pub secret: Secret,
    /// The user name for git.
    pub user: &'static str,
    /// It is of the kind of GitHub's whose scopes are stated with each answer.
    pub classic: bool,
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

/// What to set for a source to be asked with a token; nothing for what needs none.
pub fn advice(source: &Source) -> Option<String> {
    let given = given(source)?;
    let host = source.host();
    let token = given.tokens.first().unwrap_or(&"");
    Some(match given.hosts.first().filter(|_| !is_for(host, None, given.homes)) {
        Some(variable) => format!("set {token}, and {variable}={host}"),
        None => format!("set {token}"),
    })
}

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
pub fn find(source: &Source) -> Result<Found, String> {
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
        (Some(token), _) => Found::Token(Token {
            scheme,
            // <https://github.blog/engineering/behind-githubs-new-authentication-token-formats/>
            classic: token.starts_with("ghp_") || token.starts_with("gho_"),
            secret: Secret::new(token),
            user,
        }),
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
