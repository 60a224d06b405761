//! git itself, for talking to servers: what it is told keeps it from running anything, from asking anybody, and from
//! speaking another protocol than the URL's. A token is given in its environment, for one host.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::access::Keys;
use super::tokens::VARIABLES;
use super::url::Url;
use crate::model::{Place, Repository};

/// How long one call may take.
const LONGEST: Duration = Duration::from_hours(1);
/// How often a running git is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// The most that is kept of what git says, in bytes.
const MOST_SAID: u64 = 64 << 10;
/// The most that a server may answer to the question for its references, in bytes.
const MOST_REFERENCES: u64 = 256 << 20;

/// What every call is told: nothing runs, nothing is unpacked or tidied, and one host is spoken to.
const SETTINGS: [(&str, &str); 14] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("credential.helper", ""),
    ("fetch.unpackLimit", "1"),
    ("transfer.unpackLimit", "1"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("protocol.version", "2"),
    ("submodule.recurse", "false"),
];

/// What git does not get of our own environment: another repository's places, other programs, and secrets.
const NOT_INHERITED: [&str; 15] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_TRACE",
    "GIT_CURL_VERBOSE",
    "GIT_TRACE_CURL",
    "SIDSWEEP_ADMIN_SECRET",
    "SIDSWEEP_DATABASE",
    "PGPASSWORD",
];

/// Why git did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It will not go another time either: it needs a password, say.
    Never(String),
    /// There is no such repository, or this token may not see it.
    Missing(String),
    /// It may go another time.
    Now(String),
    /// The run ends.
    Stopped,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Never(words) | Self::Missing(words) | Self::Now(words) => f.write_str(words),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// The references of a repository on a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The branch that HEAD names.
    pub head: Option<String>,
    /// How many there are.
    pub count: usize,
    /// A digest of all of them.
    pub digest: String,
}

/// A repository on a server.
#[derive(Debug, Clone)]
pub struct Remote {
    url: Url,
    /// The source that it came from, which has its token.
    source: String,
}

impl Remote {
    /// Where a repository is cloned from.
    pub fn of(repository: &Repository) -> Result<Self, Refusal> {
        let Place::Remote(text) = &repository.place else {
            return Err(Refusal::Never("it lies on another machine".to_owned()));
        };
        let url = Url::parse(text).map_err(|reason| Refusal::Never(format!("{text}: {reason}")))?;
        Ok(Self { url, source: repository.source.clone() })
    }
}

/// git, as it is run here.
#[derive(Debug, Clone)]
pub struct Git {
    /// What opens which source.
    pub keys: Arc<Keys>,
    /// Set when the run ends.
    pub stop: Arc<AtomicBool>,
}

impl Git {
    /// Asks a server for its references.
    pub fn references(&self, remote: &Remote) -> Result<References, Refusal> {
        let output = self.run(
            self.command(remote).args(["ls-remote", "--symref", "--quiet", "--"]).arg(remote.url.as_str()),
            None,
        )?;
        let text = String::from_utf8_lossy(&output);
        let mut references =
            References { digest: HEXLOWER.encode(&Sha256::digest(text.as_bytes())), ..References::default() };
        for line in text.lines() {
            match line.split_once('\t') {
                Some((target, "HEAD")) if target.starts_with("ref: ") => {
                    references.head = target.strip_prefix("ref: ").map(|name| name.trim().to_owned());
                }
                Some(_) => references.count += 1,
                None => {}
            }
        }
        Ok(references)
    }

    /// Brings all references and what they need into a bare repository. `lock` is held by git as well, so that nobody else
    /// comes in between should this process be killed.
    pub fn fetch(
        &self,
        remote: &Remote,
        folder: &Path,
        references: &References,
        lock: &File,
    ) -> Result<(), Refusal> {
        if !folder.join("HEAD").is_file() {
            let mut init = self.command(remote);
            init.args(["init", "--quiet", "--bare", "--template="]).arg("--").arg(folder);
            self.run(&mut init, Some(lock))?;
        }
        let mut fetch = self.command(remote);
        fetch.arg("--git-dir").arg(folder).args([
            "fetch",
            "--quiet",
            "--force",
            "--prune",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--",
        ]);
        fetch.arg(remote.url.as_str()).arg("+refs/*:refs/*");
        self.run(&mut fetch, Some(lock))?;
        if let Some(head) = references.head.as_deref().filter(|head| head.starts_with("refs/heads/")) {
            let mut point = self.command(remote);
            point.arg("--git-dir").arg(folder).args(["symbolic-ref", "HEAD", head]);
            self.run(&mut point, Some(lock))?;
        }
        Ok(())
    }

    fn command(&self, remote: &Remote) -> Command {
        let url = &remote.url;
        let mut command = Command::new("git");
        let mut settings: Vec<(String, String)> =
            SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        if let Some(origin) = url.origin()
            && let Some((user, token)) = self.keys.for_git(&remote.source, url)
        {
            let pair = zeroize::Zeroizing::new(format!("{user}:{}", token.expose()));
            let header = format!("Authorization: Basic {}", BASE64.encode(pair.as_bytes()));
            settings.push((format!("http.{origin}/.extraHeader"), header));
        }
        for (number, (name, value)) in settings.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{number}"), name)
                .env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command
            .env("GIT_CONFIG_COUNT", settings.len().to_string())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("SSH_ASKPASS", "true")
            .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=30")
            .env("GIT_ALLOW_PROTOCOL", url.scheme())
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C");
        for name in NOT_INHERITED.iter().chain(&VARIABLES) {
            command.env_remove(name);
        }
        command
    }

    /// Runs it to its end, or to the end of the run.
    fn run(&self, command: &mut Command, lock: Option<&File>) -> Result<Vec<u8>, Refusal> {
        let now = |error: std::io::Error| Refusal::Now(format!("git: {error}"));
        let input = match lock {
            Some(lock) => Stdio::from(lock.try_clone().map_err(now)?),
            None => Stdio::null(),
        };
        let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Refusal::Never("git is not installed; an audit clones with it".to_owned())
            }
            _ => now(error),
        })?;
        let reader = |stream: Option<Box<dyn Read + Send>>, most: u64| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                if let Some(mut stream) = stream {
                    let _ = stream.by_ref().take(most).read_to_end(&mut bytes);
                    // The rest is passed over, so that git does not wait for a reader.
                    let _ = std::io::copy(&mut stream, &mut std::io::sink());
                }
                bytes
            })
        };
        let output = reader(child.stdout.take().map(|stream| Box::new(stream) as _), MOST_REFERENCES);
        let words = reader(child.stderr.take().map(|stream| Box::new(stream) as _), MOST_SAID);
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(now)? {
                break Some(status);
            }
            let stopped = self.stop.load(Ordering::Relaxed);
            if stopped || begin.elapsed() > LONGEST {
                let _ = child.kill();
                let _ = child.wait();
                if stopped {
                    return Err(Refusal::Stopped);
                }
                break None;
            }
            std::thread::sleep(LOOK);
        };
        let output = output.join().unwrap_or_default();
        let words = words.join().unwrap_or_default();
        match status {
            Some(status) if status.success() => Ok(output),
            Some(_) => Err(refusal(&String::from_utf8_lossy(&words))),
            None => Err(Refusal::Now(format!("git took more than {} minutes", LONGEST.as_secs() / 60))),
        }
    }
}

/// What git's words mean.
fn refusal(words: &str) -> Refusal {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = lines
        .iter()
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:") || line.starts_with("remote:"));
    let line = telling.or(lines.first()).copied().unwrap_or("git failed and said nothing");
    let all = words.to_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| all.contains(needle));
    if has(&[
        "could not read username",
        "could not read password",
        "authentication failed",
        "permission denied (publickey",
        "error: 401",
        "error: 403",
        "terminal prompts disabled",
    ]) {
        return Refusal::Never(format!("it needs a password or a token that may read it ({line})"));
    }
    if has(&[
        "repository not found",
        "does not appear to be a git repository",
        "not found",
        "does not exist",
        "error: 404",
        "no such file or directory",
    ]) {
        return Refusal::Missing(format!(
            "there is no such repository, or this token may not see it ({line})"
        ));
    }
    if has(&["dubious ownership"]) {
        return Refusal::Never(format!("it belongs to another user, and git will not read it ({line})"));
    }
    if has(&["error: 301", "error: 302", "error: 307", "error: 308", "redirect"]) {
        return Refusal::Never(format!(
            "the server sends elsewhere, which is not followed: give the address that it has now ({line})"
        ));
    }
    if has(&["transport '", "protocol"]) && has(&["not allowed"]) {
        return Refusal::Never(format!("its protocol is not spoken here ({line})"));
    }
    Refusal::Now(line.to_owned())
}
