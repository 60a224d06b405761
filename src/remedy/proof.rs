//! Trying an old credential until it is dead: refused by two of Twilio's products, twice, with a pause between. Only then is it
//! called revoked. A refusal beside an answer that works is "not yet everywhere", and goes on being tried.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::presence::{Object, Presence, inactive};
use crate::model::{Action, Inventory, Region, Secret, Step, Vault};
use crate::twilio::inventory::Admin;
use crate::twilio::verify::{self, Still};
use crate::twilio::{Client, Pair, account};

/// When a credential is tried again, since the first time, in tenths of the client's pause: 2, 5, 15 and 60 s. How long a
/// deleted key lingers is not stated by Twilio.
const AGAIN: [u32; 4] = [10, 25, 75, 300];

/// What is shown of a step's credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It was tried, and refused twice by two products.
    Refused {
        /// Twilio's error code.
        code: u32,
    },
    /// Its key is gone, and trying it says nothing, for this reason.
    Gone(String),
    /// It is not shown to be dead, for this reason.
    Doubt(String),
}

/// The leaked pair of a step, where its value is known.
#[must_use]
pub fn pair(step: &Step, vault: &Vault) -> Option<Pair> {
    let secret: &Secret = vault.get(step.credential.as_ref()?)?;
    let named = step.key_sid.clone().or_else(|| step.target.clone());
    let user = named.unwrap_or_else(|| step.account_sid.clone());
    Some(Pair { user, secret: secret.clone(), account: Some(step.account_sid.clone()) })
}

/// Tries a pair once: a refusal is that of two products.
pub async fn once(client: &Client, pair: &Pair, region: Region, account: &str) -> Still {
    verify::still(client, pair, region, account, false).await
}

/// Tries a pair with two products, and is satisfied only if both accept it.
pub async fn thoroughly(client: &Client, pair: &Pair, region: Region, account: &str) -> Still {
    verify::still(client, pair, region, account, true).await
}

/// When to try, since the first time.
pub fn schedule(client: &Client, patience: Duration) -> impl Iterator<Item = Duration> {
    let mut is_over = patience.is_zero();
    let pause = client.pause();
    AGAIN.into_iter().map_while(move |tenths| {
        if is_over {
            return None;
        }
        let at = pause * tenths / 10;
        is_over = at >= patience;
        Some(at.min(patience))
    })
}

/// Tries a pair until it is dead or the time is over. A refusal counts when it comes again after a pause.
pub async fn until_refused(
    client: &Client,
    pair: &Pair,
    region: Region,
    account: &str,
    patience: Duration,
) -> Still {
    let began = Instant::now();
    let mut times = schedule(client, patience);
    loop {
        let mut still = once(client, pair, region, account).await;
        if matches!(still, Still::Refused { .. }) {
            sleep(client.pause()).await;
            still = once(client, pair, region, account).await;
            if matches!(still, Still::Refused { .. }) {
                return still;
            }
        }
        let Some(at) = times.next() else { return still };
        sleep_until(began + at).await;
    }
}

/// What a proof needs besides the step.
pub struct Proving<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential looks.
    pub admin: &'a Admin,
    /// The accounts as they were seen at the start.
    pub inventory: &'a Inventory,
    /// The values of the leaked credentials.
    pub vault: &'a Vault,
    /// How long an old credential is tried.
    pub patience: Duration,
}

impl Proving<'_> {
    /// Shows that the credential of a step is dead.
    pub async fn prove(&self, step: &Step) -> Proof {
        if step.credential.is_none() && step.action == Action::Manual {
            return Proof::Doubt(
                "nothing here tells whether it is done: look at it in the console".to_owned(),
            );
        }
        if step.credential.is_none() {
            return self.gone(step, "its secret is not known here, so it was not tried").await;
        }
        if let Some(status) = inactive(self.inventory, &step.account_sid) {
            return self.of_inactive(step, status).await;
        }
        let Some(pair) = pair(step, self.vault) else {
            return Proof::Doubt("its value was not found again where it stood".to_owned());
        };
        let account = &step.account_sid;
        match until_refused(self.client, &pair, step.region, account, self.patience).await {
            Still::Refused { code } => {
                // An account that was suspended meanwhile refuses all of its credentials.
                let seen = account::account(self.client, Region::Us1, account, &self.admin.pair).await;
                match seen {
                    Ok(seen) if seen.status != "active" => self.of_inactive(step, &seen.status).await,
                    _ => Proof::Refused { code },
                }
            }
            still => Proof::Doubt(doubt(&still)),
        }
    }

    /// A credential of an account that is not active is refused, dead or not: only the absence of its key shows something.
    async fn of_inactive(&self, step: &Step, status: &str) -> Proof {
        if Object::of_step(self.client, self.admin, step).is_some() {
            let why = format!("its account is {status}, so its secret is refused either way");
            return self.gone(step, &why).await;
        }
        Proof::Doubt(format!(
            "its account is {status}, so it is refused either way; whether it is dead can be told once the account is active"
        ))
    }

    /// Whether a key is gone, looked at twice.
    async fn gone(&self, step: &Step, why: &str) -> Proof {
        let Self { client, admin, .. } = *self;
        let Some(object) = Object::of_step(client, admin, step) else {
            return Proof::Doubt("there is nothing to look for".to_owned());
        };
        for again in [false, true] {
            if again {
                sleep(client.pause()).await;
            }
            match object.look().await {
                Presence::Gone | Presence::OwnRefused => {}
                Presence::There(_) => {
                    return Proof::Doubt(format!("Twilio still shows the {}; apply again", object.noun()));
                }
                Presence::Unknown(reason) => {
                    return Proof::Doubt(format!(
                        "whether the {} is gone is not known: {reason}",
                        object.noun()
                    ));
                }
            }
        }
        Proof::Gone(format!("gone from its account; {why}"))
    }
}

/// What is to be said of a credential that is not shown to be dead.
#[must_use]
pub fn doubt(still: &Still) -> String {
    match still {
        Still::Works => "it still works".to_owned(),
        Still::Partly(words) => words.clone(),
        Still::Unsure(reason) => format!("whether it still works is not known: {reason}"),
        Still::Refused { code } => format!("refused (code {code})"),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::schedule;
    use crate::twilio::{Client, Options};

    #[test]
    fn a_credential_is_tried_at_2_5_15_and_60_seconds_and_no_longer_than_is_wished_for() {
        let second = Duration::from_secs(1);
        let client = Client::new(&Options {
            endpoint: None,
            authority: None,
            timeout: second,
            rate: NonZeroU32::MIN,
            pause: 2 * second,
        })
        .expect("a client");
        let seconds =
            |patience| schedule(&client, patience * second).map(|at| at.as_secs()).collect::<Vec<_>>();
        assert_eq!(seconds(60), [2, 5, 15, 60]);
        assert_eq!(seconds(10), [2, 5, 10]);
        assert_eq!(seconds(5), [2, 5]);
        assert!(seconds(0).is_empty());
    }
}
