//! Handing a new secret over: to a file that only its owner reads, or to the standard input of a command. It is never in
//! an argument, an environment variable, or on the terminal.

use std::fs::OpenOptions;
use std::io::{PipeReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::model::Secret;
use crate::private;

/// How a command is given a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The secret alone.
    Raw,
    /// A JSON object, as AWS Secrets Manager keeps Twilio's secrets: `accountSid`, `apiKeySid` and `apiKeySecret`, or `accountSid`
    /// and `authToken`.
    Json,
}

/// Where a secret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A new file of mode 0600, with `NAME=value` lines.
    File(PathBuf),
    /// A shell command, which gets the secret on its standard input, and the SIDs as `SIDSWEEP_NEW_KEY_SID` and
    /// `SIDSWEEP_NEW_ACCOUNT_SID`.
    Command {
        /// The command.
        line: String,
        /// What it is given.
        form: Form,
        /// How long it may take.
        within: Duration,
    },
}

/// What is handed over.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// The account.
    pub account: &'a str,
    /// The key, for a key's secret.
    pub key: Option<&'a str>,
    /// A key's secret or an Auth Token.
    pub secret: &'a Secret,
}

impl Receiver {
    /// Whether it can be handed over there, before there is anything to hand over.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::File(path) if path.exists() => {
                Err(format!("{}: it exists; name a new file", path.display()))
            }
            Self::File(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                match folder {
                    Some(folder) if !folder.is_dir() => {
                        Err(format!("{}: there is no such folder", folder.display()))
                    }
                    _ => Ok(()),
                }
            }
            Self::Command { .. } => Ok(()),
        }
    }

    /// What a message calls it. A command's arguments may hold anything, so they are not shown.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Command { line, .. } => {
                format!("the command {}", line.split_whitespace().next().unwrap_or_default())
            }
        }
    }

    /// Hands it over.
    pub fn take(&self, parcel: &Parcel) -> Result<(), String> {
        match self {
            Self::File(path) => {
                let failed = |error: std::io::Error| format!("{}: {error}", path.display());
                let mut file = private::file(OpenOptions::new().write(true).create_new(true))
                    .open(path)
                    .map_err(failed)?;
                let text = Zeroizing::new(match parcel.key {
                    Some(key) => {
                        format!("{}{}\n", head(parcel.account, key), parcel.secret.expose())
                    }
                    None => format!(
                        "TWILIO_ACCOUNT_SID={}\nTWILIO_AUTH_TOKEN={}\n",
                        parcel.account,
                        parcel.secret.expose()
                    ),
                });
                file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
            }
            Self::Command { line, form, within } => {
                run(line, *form, *within, parcel).map_err(|reason| format!("{} {reason}", self.name()))
            }
        }
    }

    /// The secret of a key that was handed over to this file.
    #[must_use]
    pub fn read_back(&self, key: &str) -> Option<Secret> {
        let Self::File(path) = self else { return None };
        let text = Zeroizing::new(std::fs::read_to_string(path).ok()?);
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        (value("TWILIO_API_KEY") == Some(key))
            .then(|| value("TWILIO_API_SECRET").map(|secret| Secret::new(secret.to_owned())))
            .flatten()
    }

    /// Takes back what a run that broke off wrote of this key, whole or in part; another file stays.
    pub fn take_back_of(&self, account: &str, key: &str) {
        if let Self::File(path) = self
            && let Ok(text) = std::fs::read_to_string(path).map(Zeroizing::new)
        {
            let head = head(account, key);
            if text.starts_with(&head) || head.starts_with(text.as_str()) {
                self.take_back();
            }
        }
    }

    /// Takes back what was handed over, as far as that can be done.
    pub fn take_back(&self) {
        if let Self::File(path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A key's file, up to its secret.
fn head(account: &str, key: &str) -> String {
    format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET=")
}

/// Hands a secret over to all receivers, or to none: what a command was given cannot be taken back, and is named.
pub fn to_all(receivers: &[Receiver], parcel: &Parcel) -> Result<(), String> {
    for (number, receiver) in receivers.iter().enumerate() {
        if let Err(reason) = receiver.take(parcel) {
            // A file that could not be written whole goes too; one that was there before stays.
            let taken = if reason.contains("File exists") { number } else { number + 1 };
            receivers[..taken].iter().for_each(Receiver::take_back);
            return Err(format!("{reason}{}", dead_secrets(&receivers[..taken])));
        }
    }
    Ok(())
}

/// Where a secret may lie that is dead as soon as what it belongs to is deleted, in words.
fn dead_secrets(given: &[Receiver]) -> String {
    let holders: Vec<String> = (1..)
        .zip(given)
        .filter(|(_, receiver)| matches!(receiver, Receiver::Command { .. }))
        .map(|(number, receiver)| format!("{} (receiver {number})", receiver.name()))
        .collect();
    if holders.is_empty() {
        return String::new();
    }
    format!("; where it was given to may hold a dead secret now: {}", holders.join(", "))
}

impl Parcel<'_> {
    /// What a command is given.
    fn text(&self, form: Form) -> Zeroizing<String> {
        let secret = self.secret.expose();
        // SIDs, keys' secrets and tokens are letters and digits: nothing is to be escaped.
        Zeroizing::new(match (form, self.key) {
            (Form::Raw, _) => secret.to_owned(),
            (Form::Json, Some(key)) => {
                format!(
                    r#"{{"accountSid":"{}","apiKeySid":"{key}","apiKeySecret":"{secret}"}}"#,
                    self.account
                )
            }
            (Form::Json, None) => {
                format!(r#"{{"accountSid":"{}","authToken":"{secret}"}}"#, self.account)
            }
        })
    }
}

/// Runs a command with a secret on its standard input. It counts as handed over when the command took every byte and ended well.
fn run(line: &str, form: Form, within: Duration, parcel: &Parcel) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not be run: {error}");
    let (reader, mut writer) = std::io::pipe().map_err(failed)?;
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(line)
        .env_remove("SIDSWEEP_ADMIN_SECRET")
        .env("SIDSWEEP_NEW_ACCOUNT_SID", parcel.account)
        .stdin(Stdio::from(reader.try_clone().map_err(failed)?))
        // Its output could hold what it was given.
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(key) = parcel.key {
        shell.env("SIDSWEEP_NEW_KEY_SID", key);
    }
    let mut child = shell.spawn().map_err(failed)?;
    drop(shell);
    let text = parcel.text(form);
    // It fits into any pipe, so this does not wait for a command that does not read.
    let written = writer.write_all(text.as_bytes());
    drop(writer);
    let status = wait(&mut child, within)?;
    written.map_err(failed)?;
    if !status.success() {
        return Err(format!("failed ({status})"));
    }
    match unread(&reader) {
        0 => Ok(()),
        left => Err(format!("ended well, and left {left} of {} bytes of its input unread", text.len())),
    }
}

/// Waits for a command, and ends it when its time is over.
fn wait(child: &mut Child, within: Duration) -> Result<ExitStatus, String> {
    const OFTEN: Duration = Duration::from_millis(10);
    let until = Instant::now() + within;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(OFTEN),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not end within {} s and was stopped", within.as_secs()));
            }
            Err(error) => return Err(format!("could not be waited for: {error}")),
        }
    }
}

/// How many bytes of a pipe nobody took.
#[cfg(unix)]
fn unread(reader: &PipeReader) -> u64 {
    rustix::io::ioctl_fionread(reader).unwrap_or(0)
}

/// Elsewhere nothing tells.
#[cfg(not(unix))]
fn unread(_: &PipeReader) -> u64 {
    0
}
