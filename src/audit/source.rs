//! What is to be audited, as it is written on the command line.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::url::{Url, is_loopback, without_default_port};

/// Azure DevOps, and the ending of the hosts that its organizations had before.
const AZURE: &str = "https://dev.azure.com";
const OLD_AZURE: &str = ".visualstudio.com";

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forge {
    /// github.com or GitHub Enterprise.
    Github,
    /// gitlab.com or a GitLab of one's own.
    Gitlab,
    /// bitbucket.org.
    Bitbucket,
    /// Gitea or Forgejo.
    Gitea,
    /// Azure DevOps.
    Azure,
    /// All repositories below a folder.
    Folder,
    /// Addresses in a file.
    List,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As it was given.
    pub text: String,
    /// Its kind.
    pub forge: Forge,
    /// `https://host`, for a forge.
    pub origin: String,
    /// Where below its host the forge is: empty, or `/path`.
    pub below: String,
    /// The organization, group or workspace; a folder or file.
    pub path: String,
    /// Hosts beside its own that its repositories are cloned from.
    pub clones: Vec<String>,
}

/// A host that the repositories of a forge are cloned from, where it is not the forge's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneHost {
    forge: String,
    clones: String,
}

impl FromStr for CloneHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = |text: &str| {
            let host = without_default_port("https", text).to_ascii_lowercase();
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
            (!host.is_empty() && !host.starts_with('-') && host.chars().all(fits)).then_some(host)
        };
        text.split_once('=')
            .and_then(|(forge, clones)| Some(Self { forge: host(forge)?, clones: host(clones)? }))
            .ok_or_else(|| "write it as the forge's host, `=`, and the host that it clones from".to_owned())
    }
}

const FORMS: &str = "github:ORG, gitlab:GROUP, bitbucket:WORKSPACE, gitea:HOST/ORG, azure:ORG[/PROJECT], dir:PATH or list:FILE";

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').ok_or_else(|| {
            format!("neither a command nor a source: the commands are list, status, report and worker; write a source as {FORMS}")
        })?;
        let (forge, default) = match scheme {
            "github" => (Forge::Github, "https://github.com"),
            "gitlab" => (Forge::Gitlab, "https://gitlab.com"),
            "bitbucket" => (Forge::Bitbucket, "https://bitbucket.org"),
            "gitea" | "forgejo" => (Forge::Gitea, ""),
            "azure" => (Forge::Azure, AZURE),
            "dir" => (Forge::Folder, ""),
            "list" => (Forge::List, ""),
            other => return Err(format!("{other}: is no source; write it as {FORMS}")),
        };
        if rest.is_empty() {
            return Err(format!("{scheme}: of what? Write it as {FORMS}"));
        }
        let source = |origin: String, below: String, path: &str| Self {
            text: text.to_owned(),
            forge,
            origin,
            below,
            path: path.to_owned(),
            clones: Vec::new(),
        };
        if matches!(forge, Forge::Folder | Forge::List) {
            return Ok(source(String::new(), String::new(), rest));
        }
        let (origin, path) = match rest.split_once("://") {
            Some((protocol, rest)) => addressed(protocol, rest)?,
            None if forge == Forge::Gitea || forge == Forge::Github && rest.contains('/') => {
                addressed("https", rest)?
            }
            None => (default.to_owned(), rest),
        };
        // An instance that is not at the root of its host: the two slashes say where its own path ends.
        let (below, path) = path.split_once("//").unwrap_or(("", path));
        let below = below.trim_matches('/');
        let below = if below.is_empty() { String::new() } else { format!("/{below}") };
        let path = path.trim_matches('/');
        if let Some(organization) =
            origin.strip_prefix("https://").and_then(|host| host.strip_suffix(OLD_AZURE))
            && forge == Forge::Azure
        {
            // The host of old names the organization; the API of today answers for it.
            let project = path.strip_prefix("DefaultCollection").unwrap_or(path).trim_matches('/');
            let path = format!("{organization}/{project}");
            return organized(source(AZURE.to_owned(), String::new(), path.trim_matches('/')));
        }
        organized(source(origin, below, path))
    }
}

/// The origin and the rest of an address, where a token can be sent without anybody reading it on the way.
fn addressed<'a>(protocol: &str, rest: &'a str) -> Result<(String, &'a str), String> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match protocol {
        "https" => {}
        "http" if is_loopback(host) => {}
        _ => return Err("a forge is asked over https:// only".to_owned()),
    }
    if host.contains('@') {
        return Err("a token in an address ends up in logs; give it by the forge's variable".to_owned());
    }
    let host = without_default_port(protocol, host).to_ascii_lowercase();
    if path.is_empty() && !host.ends_with(OLD_AZURE) {
        return Err("a host needs an organization behind it: HOST/ORG".to_owned());
    }
    Ok((format!("{protocol}://{host}"), path))
}

/// A source whose path can be that of an organization.
fn organized(source: Source) -> Result<Source, String> {
    let deep = match source.forge {
        Forge::Gitlab => usize::MAX,
        Forge::Azure => 2,
        _ => 1,
    };
    let path = &source.path;
    if path.is_empty()
        || path.split('/').count() > deep
        || path.contains("..")
        || path.contains("//")
        || source.below.contains("..")
    {
        return Err(format!(
            "{path:?} names no organization; write it as {FORMS}; for an instance below a path as https://HOST/PATH//ORG"
        ));
    }
    Ok(source)
}

impl Source {
    /// Its host, with a port where there is one.
    #[must_use]
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }

    /// Where its API is.
    #[must_use]
    pub fn api(&self) -> String {
        let host = self.host();
        match self.forge {
            Forge::Github if host == "github.com" => "https://api.github.com".to_owned(),
            // Enterprise Cloud with data residency.
            Forge::Github if host.ends_with(".ghe.com") => format!("https://api.{host}"),
            Forge::Github => format!("{}{}/api/v3", self.origin, self.below),
            Forge::Gitlab => format!("{}{}/api/v4", self.origin, self.below),
            Forge::Bitbucket if host == "bitbucket.org" => "https://api.bitbucket.org/2.0".to_owned(),
            Forge::Bitbucket => format!("{}{}/2.0", self.origin, self.below),
            Forge::Gitea => format!("{}{}/api/v1", self.origin, self.below),
            Forge::Azure | Forge::Folder | Forge::List => format!("{}{}", self.origin, self.below),
        }
    }

    /// The host of its gists.
    #[must_use]
    pub fn gists(&self) -> String {
        format!("gist.{}", self.host())
    }

    /// The same with the hosts that its repositories are cloned from beside its own.
    #[must_use]
    pub fn cloned_from(mut self, hosts: &[CloneHost]) -> Self {
        let own = hosts.iter().filter(|one| one.forge == self.host());
        self.clones = own.map(|one| one.clones.clone()).collect();
        self
    }

    /// Whether repositories are cloned from this host.
    #[must_use]
    pub fn owns(&self, host: &str) -> bool {
        let owner = self.path.split('/').next().unwrap_or_default();
        host == self.host()
            || self.clones.iter().any(|one| one == host)
            || self.forge == Forge::Github && host == self.gists()
            || self.forge == Forge::Azure
                && self.origin == AZURE
                && host == format!("{}{OLD_AZURE}", owner.to_ascii_lowercase())
    }

    /// Whether its repositories, and so its token, may go to this address: one of its hosts, by the protocol that it was
    /// given with.
    #[must_use]
    pub fn clones_from(&self, url: &Url) -> bool {
        self.origin.split_once("://").is_some_and(|(protocol, _)| protocol == url.scheme())
            && self.owns(url.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_a_forge_and_an_organization() {
        for (text, api, path) in [
            ("github:acme", "https://api.github.com", "acme"),
            ("github:git.example.com/acme", "https://git.example.com/api/v3", "acme"),
            ("github:https://acme.ghe.com/acme", "https://api.acme.ghe.com", "acme"),
            ("gitlab:acme/team/sub", "https://gitlab.com/api/v4", "acme/team/sub"),
            ("gitlab:https://gitlab.example/acme", "https://gitlab.example/api/v4", "acme"),
            ("bitbucket:acme", "https://api.bitbucket.org/2.0", "acme"),
            ("gitea:codeberg.org/acme", "https://codeberg.org/api/v1", "acme"),
            ("azure:acme/shop", "https://dev.azure.com", "acme/shop"),
            ("gitea:http://127.0.0.1:3000/acme", "http://127.0.0.1:3000/api/v1", "acme"),
            ("gitea:codeberg.org:443/acme", "https://codeberg.org/api/v1", "acme"),
            ("gitea:git.example/forge//acme", "https://git.example/forge/api/v1", "acme"),
            ("gitlab:https://git.example/a/b//acme/team", "https://git.example/a/b/api/v4", "acme/team"),
            ("azure:https://acme.visualstudio.com", "https://dev.azure.com", "acme"),
            (
                "azure:https://Acme.visualstudio.com/DefaultCollection/shop",
                "https://dev.azure.com",
                "acme/shop",
            ),
            ("azure:https://tfs.example/tfs//Default/shop", "https://tfs.example/tfs", "Default/shop"),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!((source.api().as_str(), source.path.as_str()), (api, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_source_is_told_how_to_write_it() {
        for text in [
            "acme",
            "svn:acme",
            "github:",
            "gitea:acme",
            "github:http://git.example/acme",
            "github:https://tok@git.example/acme",
            "github:h/a/b",
            "azure:a/b/c",
            "gitlab:../x",
            "gitea:git.example/..//acme",
            "gitea:git.example",
            "azure:https://evil.example",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }

    #[test]
    fn clones_come_from_the_forges_own_hosts() {
        let source: Source = "github:acme".parse().unwrap();
        for (host, owned) in [
            ("github.com", true),
            ("gist.github.com", true),
            ("github.com.evil.example", false),
            ("evil.example", false),
        ] {
            assert_eq!(source.owns(host), owned, "{host}");
        }
    }

    #[test]
    fn another_host_is_cloned_from_where_it_is_named_for_this_forge() {
        let hosts = ["git.example=code.example:443", "other.example=evil.example"];
        let hosts = hosts.map(|text| text.parse::<CloneHost>().unwrap());
        let source: Source = "gitea:git.example/acme".parse().unwrap();
        assert!(!source.owns("code.example"));
        let source = source.cloned_from(&hosts);
        assert!(source.owns("git.example") && source.owns("code.example") && !source.owns("evil.example"));
        for text in ["code.example", "=code.example", "git.example=", "git.example=-x", "git.example=a/b"] {
            assert!(text.parse::<CloneHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn clones_come_by_the_protocol_that_the_forge_is_asked_by() {
        for (source, url, allowed) in [
            ("github:acme", "https://github.com/acme/shop.git", true),
            ("github:acme", "https://github.com:443/acme/shop.git", true),
            ("github:acme", "http://github.com/acme/shop.git", false),
            ("github:acme", "git@github.com:acme/shop.git", false),
            ("azure:acme", "https://acme.visualstudio.com/shop/_git/shop", true),
            ("azure:acme", "https://other.visualstudio.com/shop/_git/shop", false),
            ("gitea:http://127.0.0.1:3000/acme", "http://127.0.0.1:3000/acme/shop.git", true),
            ("gitea:http://127.0.0.1:3000/acme", "http://127.0.0.1:3001/acme/shop.git", false),
        ] {
            let (source, url): (Source, Url) = (source.parse().unwrap(), Url::parse(url).unwrap());
            assert_eq!(source.clones_from(&url), allowed, "{} {}", source.text, url.as_str());
        }
    }
}
