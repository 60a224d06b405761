//! What every command that asks Twilio has in common: how to ask, and with which administrator's credential.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use std::collections::BTreeMap;

use super::{Failure, output};
use crate::model::{Region, Secret};
use crate::remedy::ask;
use crate::twilio::inventory::Admin;
use crate::twilio::{Client, Options, Pair, account, block_on};

/// How long one request may take, in seconds, where nothing else is said.
const TIMEOUT: u64 = 30;
/// How long after a refusal the same is asked again: one refusal may be one replica's.
const PAUSE: Duration = Duration::from_secs(2);
/// Requests a second, where nothing else is said.
const RATE: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

// No doc comment: clap would take it for the command's own.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Asking Twilio")]
pub struct Asking {
    /// Regions to ask in besides us1 and those that the code speaks of: ie1, au1, jp1
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub regions: Vec<Region>,
    /// With an administrator's credential: try a secret that the key SID beside it does not open with at most this many of your
    /// own keys
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub try_own_keys: u16,
    /// Ask about OAuth apps as well: whether a client secret works is told only by asking for an access token, which is made, thrown
    /// away, and lives for as long as the app says
    #[arg(long)]
    pub mint: bool,
    /// Refuse to send anything
    #[arg(long)]
    pub offline: bool,
    /// How long one request may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// Requests a second, over all accounts
    #[arg(long, value_name = "N", default_value_t = RATE)]
    pub rate: NonZeroU32,
    /// A command that prints the administrator's credential as NAME=value lines: `SIDSWEEP_ADMIN_USER`,
    /// `SIDSWEEP_ADMIN_SECRET` and, where the user is a key, `SIDSWEEP_ADMIN_ACCOUNT`
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["admin_profile", "admin_prompt"])]
    pub admin_from: Option<String>,
    /// Take the administrator's credential from this profile of twilio-cli
    #[arg(long, value_name = "NAME", conflicts_with = "admin_prompt")]
    pub admin_profile: Option<String>,
    /// Ask for the administrator's credential on the terminal
    #[arg(long)]
    pub admin_prompt: bool,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            try_own_keys: 0,
            mint: false,
            offline: false,
            timeout: TIMEOUT,
            rate: RATE,
            admin_from: None,
            admin_profile: None,
            admin_prompt: false,
        }
    }
}

impl Asking {
    /// A client, unless nothing may be sent. A server that stands in for Twilio is named loudly.
    pub fn client(&self) -> Result<Client, Failure> {
        if self.offline {
            return Err(Failure("--offline refuses to send anything; leave it out to ask Twilio".to_owned()));
        }
        let endpoint = variable("SIDSWEEP_TWILIO_ENDPOINT")?;
        let client = Client::new(&Options {
            pause: pause(endpoint.is_some())?,
            endpoint,
            authority: variable("SIDSWEEP_TWILIO_CA")?,
            timeout: Duration::from_secs(self.timeout),
            rate: self.rate,
        })?;
        if let Some(endpoint) = client.test_endpoint() {
            output::complain(&format!(
                "TEST ENDPOINT {endpoint} stands in for Twilio (SIDSWEEP_TWILIO_ENDPOINT): no verdict is Twilio's own."
            ));
        }
        Ok(client)
    }

    /// What to ask besides.
    pub fn options(&self, exposure: bool) -> ask::Options {
        let own_keys = self.try_own_keys.into();
        ask::Options { regions: self.regions.clone(), exposure, own_keys, mint: self.mint }
    }

    /// The administrator's credential, if there is one. The application's own `TWILIO_*` variables are never taken.
    pub fn admin(&self, client: &Client) -> Result<Option<Admin>, Failure> {
        let Some((pair, account)) = self.admin_pair()? else { return Ok(None) };
        Ok(Some(block_on(Admin::identify(client, pair, account))?))
    }

    /// The same, where there must be one.
    pub fn need_admin(&self, client: &Client) -> Result<Admin, Failure> {
        self.admin(client)?.ok_or_else(|| {
            Failure(
                "an administrator's credential is needed: set SIDSWEEP_ADMIN_USER and SIDSWEEP_ADMIN_SECRET (an Account SID and its Auth Token, or a Main key), or give --admin-from, --admin-profile or --admin-prompt"
                    .to_owned(),
            )
        })
    }

    fn admin_pair(&self) -> Result<Option<(Pair, Option<String>)>, Failure> {
        let named = if let Some(command) = &self.admin_from {
            from_command(command)?
        } else if let Some(name) = &self.admin_profile {
            from_profile(name)?
        } else if self.admin_prompt {
            from_prompt()?
        } else {
            Named {
                user: variable("SIDSWEEP_ADMIN_USER")?,
                secret: variable("SIDSWEEP_ADMIN_SECRET")?.map(Secret::new),
                account: variable("SIDSWEEP_ADMIN_ACCOUNT")?,
            }
        };
        named.check()
    }

    /// The regions that were asked for, with us1 first.
    pub fn all_regions(&self) -> Vec<Region> {
        let mut regions = vec![Region::Us1];
        regions.extend(self.regions.iter().copied().filter(|region| *region != Region::Us1));
        regions.dedup();
        regions
    }
}

/// An administrator's credential as it was given.
struct Named {
    user: Option<String>,
    secret: Option<Secret>,
    account: Option<String>,
}

impl Named {
    fn check(self) -> Result<Option<(Pair, Option<String>)>, Failure> {
        let (user, secret) = match (self.user, self.secret) {
            (None, None) => return Ok(None),
            (Some(user), Some(secret)) => {
                (user.trim().to_owned(), Secret::new(secret.expose().trim().to_owned()))
            }
            (Some(_), None) => {
                return Err(Failure(
                    "SIDSWEEP_ADMIN_USER is set and SIDSWEEP_ADMIN_SECRET is not".to_owned(),
                ));
            }
            (None, Some(_)) => {
                return Err(Failure(
                    "SIDSWEEP_ADMIN_SECRET is set and SIDSWEEP_ADMIN_USER is not".to_owned(),
                ));
            }
        };
        if !account::is_sid(&user, "AC") && !account::is_sid(&user, "SK") {
            return Err(Failure(
                "the administrator's user name must be an Account SID (AC…) or a key SID (SK…) of 34 characters".to_owned(),
            ));
        }
        if let Some(account) = &self.account
            && !account::is_sid(account, "AC")
        {
            return Err(Failure(
                "SIDSWEEP_ADMIN_ACCOUNT must be an Account SID (AC…) of 34 characters".to_owned(),
            ));
        }
        let of = if user.starts_with("AC") { Some(user.clone()) } else { self.account.clone() };
        Ok(Some((Pair { user, secret, account: of }, self.account)))
    }
}

/// How long after a refusal the same is asked again. Tests that have a server of their own in the place of Twilio need not wait.
fn pause(is_test: bool) -> Result<Duration, Failure> {
    const NAME: &str = "SIDSWEEP_TWILIO_PAUSE_MS";
    match variable(NAME)?.filter(|_| is_test) {
        None => Ok(PAUSE),
        Some(text) => text
            .parse()
            .map(Duration::from_millis)
            .map_err(|_| Failure(format!("{NAME}: {text:?} is not a number of milliseconds"))),
    }
}

pub fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure(format!("{name} is not text"))),
    }
}

/// A command with nothing of ours in its environment.
pub fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command)
        .env_remove("SIDSWEEP_ADMIN_SECRET")
        .env_remove("SIDSWEEP_ORGANIZATION_CLIENT_SECRET");
    shell
}

fn from_command(command: &str) -> Result<Named, Failure> {
    let output = shell(command)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure(format!("--admin-from: {error}")))?;
    if !output.status.success() {
        return Err(Failure(format!("--admin-from: the command failed ({})", output.status)));
    }
    let text = zeroize::Zeroizing::new(
        String::from_utf8(output.stdout)
            .map_err(|_| Failure("--admin-from: the command did not print text".to_owned()))?,
    );
    let find = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.trim().trim_start_matches("export ").split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        })
    };
    let named = Named {
        user: find("SIDSWEEP_ADMIN_USER"),
        secret: find("SIDSWEEP_ADMIN_SECRET").map(Secret::new),
        account: find("SIDSWEEP_ADMIN_ACCOUNT"),
    };
    if named.user.is_none() && named.secret.is_none() {
        return Err(Failure(
            "--admin-from: the command printed neither SIDSWEEP_ADMIN_USER=… nor SIDSWEEP_ADMIN_SECRET=…"
                .to_owned(),
        ));
    }
    Ok(named)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CliConfig {
    #[serde(default)]
    profiles: BTreeMap<String, CliProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CliProfile {
    account_sid: Option<String>,
    api_key: Option<String>,
    api_secret: Option<String>,
}

fn from_profile(name: &str) -> Result<Named, Failure> {
    let home = etcetera::home_dir().map_err(|error| Failure(format!("--admin-profile: {error}")))?;
    let path: PathBuf = home.join(".twilio-cli").join("config.json");
    let wrong = |reason: String| Failure(format!("--admin-profile: {}: {reason}", path.display()));
    let text =
        zeroize::Zeroizing::new(std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?);
    let mut config: CliConfig = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("not twilio-cli's configuration (line {})", error.line())))?;
    let known = config.profiles.keys().cloned().collect::<Vec<_>>().join(", ");
    let profile = config
        .profiles
        .remove(name)
        .ok_or_else(|| wrong(format!("no profile {name:?}; there are: {known}")))?;
    Ok(Named {
        user: profile.api_key,
        secret: profile.api_secret.map(Secret::new),
        account: profile.account_sid,
    })
}

fn from_prompt() -> Result<Named, Failure> {
    let failed = |error: dialoguer::Error| Failure(format!("--admin-prompt: {error}"));
    let user: String = dialoguer::Input::new()
        .with_prompt("Administrator's user name (AC… or SK…)")
        .interact_text()
        .map_err(failed)?;
    let secret =
        dialoguer::Password::new().with_prompt("Its Auth Token or secret").interact().map_err(failed)?;
    Ok(Named {
        user: Some(user),
        secret: Some(Secret::new(secret)),
        account: variable("SIDSWEEP_ADMIN_ACCOUNT")?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PAUSE, pause};

    #[test]
    fn what_is_refused_is_asked_again_after_two_seconds_at_least() {
        assert!(PAUSE >= Duration::from_secs(2));
        // Whatever the environment says: only with a server of one's own in the place of Twilio is it listened to.
        assert!(matches!(pause(false), Ok(PAUSE)));
    }
}
