//! Where a repository is cloned from: an address that git can be given without risk.

use std::path::Path;

/// A git URL without a user's name and password, whose scheme is one of those that are spoken here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    scheme: &'static str,
    host: String,
    path: String,
}

impl Url {
    /// Reads one: `https://`, `http://`, `ssh://`, `git@host:path`, `file://`, or a folder's path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty()
            || text.starts_with('-')
            || text.chars().any(|c| c.is_control() || c.is_whitespace())
        {
            return Err("not an address of a repository".to_owned());
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Self::with_scheme(scheme, rest);
        }
        if text.contains("::") {
            return Err(
                "a transport of git's helpers is not spoken here; https, ssh, git and file are".to_owned()
            );
        }
        // A colon before any slash: ssh, as git writes it.
        if let Some((left, path)) =
            text.split_once(':').filter(|(left, _)| !left.contains('/') && left.len() > 1)
        {
            let host = left.rsplit_once('@').map_or(left, |(_, host)| host);
            if host.is_empty() || host.starts_with('-') || path.is_empty() {
                return Err("it has no host or no path".to_owned());
            }
            return Ok(Self {
                text: text.to_owned(),
                scheme: "ssh",
                host: host.to_ascii_lowercase(),
                path: trimmed(path),
            });
        }
        let path =
            Path::new(text).canonicalize().map_err(|error| format!("there is no such folder ({error})"))?;
        let path = path.to_str().ok_or("its name is not UTF-8")?;
        Ok(Self { text: format!("file://{path}"), scheme: "file", host: String::new(), path: trimmed(path) })
    }

    /// Reads `scheme://rest`.
    fn with_scheme(scheme: &str, rest: &str) -> Result<Self, String> {
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => "https",
            "http" => "http",
            "ssh" => "ssh",
            "file" => "file",
            "git" => "git",
            other => return Err(format!("{other}: is not spoken here; https, ssh, git and file are")),
        };
        if scheme == "file" {
            return Ok(Self {
                text: format!("file://{rest}"),
                scheme,
                host: String::new(),
                path: trimmed(rest),
            });
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let host = without_default_port(scheme, host);
        if host.is_empty() || host.starts_with('-') || path.is_empty() {
            return Err("it has no host or no path".to_owned());
        }
        // A password in a URL would stand in argv and in git's messages.
        let user = user.map(|user| user.split(':').next().unwrap_or_default()).filter(|_| scheme == "ssh");
        let at = user.map(|user| format!("{user}@")).unwrap_or_default();
        if at.starts_with('-') {
            return Err("not an address of a repository".to_owned());
        }
        Ok(Self {
            text: format!("{scheme}://{at}{host}/{path}"),
            scheme,
            host: host.to_ascii_lowercase(),
            path: trimmed(path),
        })
    }

    /// As git is given it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its protocol.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Its host, with a port where there is one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its path, without slashes around it and without `.git`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `https://host`, for what is spoken over HTTP.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        matches!(self.scheme, "https" | "http").then(|| format!("{}://{}", self.scheme, self.host))
    }

    /// Whether a token may go there: over TLS, or to this machine.
    #[must_use]
    pub fn keeps_secrets(&self) -> bool {
        self.scheme == "https" || self.scheme == "http" && is_loopback(&self.host)
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> String {
        if self.host.is_empty() { format!("/{}", self.path) } else { format!("{}/{}", self.host, self.path) }
    }
}

/// Whether a host, with or without a port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = host
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host without the port that its protocol has anyway: `git.example:443` and `git.example` are one host.
#[must_use]
pub fn without_default_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        "ssh" => ":22",
        _ => return host,
    };
    host.strip_suffix(port).unwrap_or(host)
}

fn trimmed(path: &str) -> String {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_host_and_path() {
        for (text, given, name) in [
            ("https://github.com/acme/shop.git", "https://github.com/acme/shop.git", "github.com/acme/shop"),
            ("https://ada:pw@GitHub.com/acme/shop", "https://GitHub.com/acme/shop", "github.com/acme/shop"),
            ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git", "github.com/acme/shop"),
            ("ssh://git:pw@git.example:2222/a/b", "ssh://git@git.example:2222/a/b", "git.example:2222/a/b"),
            ("https://git.example:443/a/b", "https://git.example/a/b", "git.example/a/b"),
            ("https://git.example:8443/a/b", "https://git.example:8443/a/b", "git.example:8443/a/b"),
            ("file:///srv/git/a.git", "file:///srv/git/a.git", "/srv/git/a"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.as_str(), url.name().as_str()), (given, name), "{text}");
        }
    }

    #[test]
    fn what_git_would_run_is_no_address() {
        for text in [
            "--upload-pack=sh",
            "ext::sh -c id",
            "ext::sh",
            "fd::17",
            "https://-x/y",
            "ssh://-oProxyCommand=x/y",
            "-oProxyCommand=x:y",
            "ftp://a/b",
            "https://host",
            "",
            "a b",
            "https://h/a\nb",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_goes_over_tls_or_to_this_machine() {
        for (text, keeps) in [
            ("https://git.example/a", true),
            ("http://git.example/a", false),
            ("http://127.0.0.1:80/a", true),
            ("http://[::1]:80/a", true),
            ("http://127.0.0.1.evil.example/a", false),
        ] {
            assert_eq!(Url::parse(text).unwrap().keeps_secrets(), keeps, "{text}");
        }
    }
}
