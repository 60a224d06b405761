//! Trying an old credential until it is refused: only then is it called revoked.

use std::time::Duration;

use crate::model::{Region, Secret, Step, Vault};
use crate::twilio::verify::{self, Still};
use crate::twilio::{Client, Pair};

/// When a credential is tried again, since the first time. How long a deleted key lingers is not stated by Twilio.
pub const AGAIN: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15), Duration::from_mins(1)];

/// The leaked pair of a step, where its value is known.
#[must_use]
pub fn pair(step: &Step, vault: &Vault) -> Option<Pair> {
    let secret: &Secret = vault.get(step.credential.as_ref()?)?;
    let user = step.key_sid.clone().unwrap_or_else(|| step.account_sid.clone());
    Some(Pair { user, secret: secret.clone(), account: Some(step.account_sid.clone()) })
}

/// Tries a pair once.
pub async fn once(client: &Client, pair: &Pair, region: Region, account: &str) -> Still {
    verify::still(client, pair, region, account).await
}

/// Tries a pair until it is refused or the time is over.
pub async fn until_refused(
    client: &Client,
    pair: &Pair,
    region: Region,
    account: &str,
    patience: Duration,
) -> Still {
    let mut waited = Duration::ZERO;
    let mut still = once(client, pair, region, account).await;
    for at in AGAIN {
        if matches!(still, Still::Refused { .. }) || waited >= patience {
            break;
        }
        let until = at.min(patience);
        tokio::time::sleep(until.saturating_sub(waited)).await;
        waited = until;
        still = once(client, pair, region, account).await;
    }
    still
}

/// What is to be said of a credential that is not shown to be dead.
#[must_use]
pub fn doubt(still: &Still) -> String {
    match still {
        Still::Works => "it still works".to_owned(),
        Still::Unsure(reason) => format!("whether it still works is not known: {reason}"),
        Still::Refused { code } => format!("refused (code {code})"),
    }
}
