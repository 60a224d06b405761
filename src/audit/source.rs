//! What is to be audited, as it is written on the command line.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::url::is_loopback;

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
    /// The organization, group or workspace; a folder or file.
    pub path: String,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "github:ORG, gitlab:GROUP, bitbucket:WORKSPACE, gitea:HOST/ORG, azure:ORG[/PROJECT], dir:PATH or list:FILE";
        let (scheme, rest) = text.split_once(':').ok_or(format!("write it as {FORMS}"))?;
        let (forge, default) = match scheme {
            "github" => (Forge::Github, "https://github.com"),
            "gitlab" => (Forge::Gitlab, "https://gitlab.com"),
            "bitbucket" => (Forge::Bitbucket, "https://bitbucket.org"),
            "gitea" | "forgejo" => (Forge::Gitea, ""),
            "azure" => (Forge::Azure, "https://dev.azure.com"),
            "dir" => (Forge::Folder, ""),
            "list" => (Forge::List, ""),
            other => return Err(format!("{other}: is no source; write it as {FORMS}")),
        };
        if rest.is_empty() {
            return Err(format!("{scheme}: of what? Write it as {FORMS}"));
        }
        if matches!(forge, Forge::Folder | Forge::List) {
            return Ok(Self { text: text.to_owned(), forge, origin: String::new(), path: rest.to_owned() });
        }
        let (origin, path) = if let Some((protocol, rest)) = rest.split_once("://") {
            let (host, path) =
                rest.split_once('/').ok_or("a host needs an organization behind it: https://HOST/ORG")?;
            match protocol {
                "https" => {}
                "http" if is_loopback(host) => {}
                _ => return Err("a forge is asked over https:// only".to_owned()),
            }
            if host.contains('@') {
                return Err(
                    "a token in an address ends up in logs; give it by the forge's variable".to_owned()
                );
            }
            (format!("{protocol}://{}", host.to_ascii_lowercase()), path)
        } else if forge == Forge::Gitea || forge == Forge::Github && rest.contains('/') {
            let (host, path) = rest.split_once('/').ok_or("a Gitea needs its host: gitea:HOST/ORG")?;
            (format!("https://{}", host.to_ascii_lowercase()), path)
        } else {
            (default.to_owned(), rest)
        };
        let path = path.trim_matches('/');
        let deep = match forge {
            Forge::Gitlab => usize::MAX,
            Forge::Azure => 2,
            _ => 1,
        };
        if path.is_empty() || path.split('/').count() > deep || path.contains("..") {
            return Err(format!("{path:?} names no organization; write it as {FORMS}"));
        }
        Ok(Self { text: text.to_owned(), forge, origin, path: path.to_owned() })
    }
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
            Forge::Github => format!("{}/api/v3", self.origin),
            Forge::Gitlab => format!("{}/api/v4", self.origin),
            Forge::Bitbucket if host == "bitbucket.org" => "https://api.bitbucket.org/2.0".to_owned(),
            Forge::Bitbucket => format!("{}/2.0", self.origin),
            Forge::Gitea => format!("{}/api/v1", self.origin),
            Forge::Azure | Forge::Folder | Forge::List => self.origin.clone(),
        }
    }

    /// The host of its gists.
    #[must_use]
    pub fn gists(&self) -> String {
        format!("gist.{}", self.host())
    }

    /// Whether repositories are cloned from this host.
    #[must_use]
    pub fn owns(&self, host: &str) -> bool {
        let owner = self.path.split('/').next().unwrap_or_default();
        host == self.host()
            || self.forge == Forge::Github && host == self.gists()
            || self.forge == Forge::Azure
                && host == format!("{}.visualstudio.com", owner.to_ascii_lowercase())
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
}
