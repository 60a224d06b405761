//! Handing a new secret over: to a file that only its owner reads, or to the standard input of a command. It is never in
//! an argument, an environment variable, or on the terminal.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::model::Secret;
use crate::private;

/// Where a secret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A new file of mode 0600, with `NAME=value` lines.
    File(PathBuf),
    /// A shell command, which gets the secret alone on its standard input, and the SIDs as `SIDSWEEP_NEW_KEY_SID` and
    /// `SIDSWEEP_NEW_ACCOUNT_SID`.
    Command(String),
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
            Self::Command(_) => Ok(()),
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
                let text = zeroize::Zeroizing::new(match parcel.key {
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
            Self::Command(command) => run(command, parcel),
        }
    }

    /// The secret of a key that was handed over to this file.
    #[must_use]
    pub fn read_back(&self, key: &str) -> Option<Secret> {
        let Self::File(path) = self else { return None };
        let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).ok()?);
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        (value("TWILIO_API_KEY") == Some(key))
            .then(|| value("TWILIO_API_SECRET").map(|secret| Secret::new(secret.to_owned())))
            .flatten()
    }

    /// Takes back what a run that broke off wrote of this key, whole or in part; another file stays.
    pub fn take_back_of(&self, account: &str, key: &str) {
        if let Self::File(path) = self
            && let Ok(text) = std::fs::read_to_string(path).map(zeroize::Zeroizing::new)
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

/// Hands a secret over to all receivers, or to none.
pub fn to_all(receivers: &[Receiver], parcel: &Parcel) -> Result<(), String> {
    for (number, receiver) in receivers.iter().enumerate() {
        if let Err(reason) = receiver.take(parcel) {
            // A file that could not be written whole goes too; one that was there before stays.
            let taken = if reason.contains("File exists") { number } else { number + 1 };
            receivers[..taken].iter().for_each(Receiver::take_back);
            return Err(reason);
        }
    }
    Ok(())
}

fn run(command: &str, parcel: &Parcel) -> Result<(), String> {
    let name: String = command.split_whitespace().next().unwrap_or_default().to_owned();
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command)
        .env_remove("SIDSWEEP_ADMIN_SECRET")
        .env("SIDSWEEP_NEW_ACCOUNT_SID", parcel.account)
        .stdin(Stdio::piped())
        // Its output could hold what it was given.
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(key) = parcel.key {
        shell.env("SIDSWEEP_NEW_KEY_SID", key);
    }
    let mut child = shell.spawn().map_err(|error| format!("{name}: {error}"))?;
    let written = child.stdin.take().map(|mut input| input.write_all(parcel.secret.expose().as_bytes()));
    let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
    match written {
        _ if !status.success() => Err(format!("the command {name} failed ({status})")),
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(format!("the command {name} did not read its standard input: {error}")),
        None => Err(format!("the command {name} has no standard input")),
    }
}
