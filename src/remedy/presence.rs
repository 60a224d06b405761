//! Whether a key exists, asked of both of Twilio's APIs for keys. An answer of 404 to a delete is no proof that a key is gone: it is
//! looked into by this.

use crate::model::{Inventory, Region};
use crate::twilio::account::Unreadable;
use crate::twilio::change::Change;
use crate::twilio::inventory::Admin;
use crate::twilio::{Client, Pair, keys, tokens};

/// By which API a key is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/2010-04-01/Accounts/{AC}/Keys`, which the parent may ask too. It need not show Restricted keys.
    Classic,
    /// `iam.twilio.com/v1/Keys`, by the account itself; us1 only.
    Iam,
}

/// Where a key is, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    There(Api),
    /// Each API that can be asked says that there is no such key.
    Gone,
    /// The credential that asks is this very key, and is not accepted any more.
    OwnRefused,
    /// No clear word.
    Unknown(String),
}

/// Who asks about which key.
pub struct Look<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential asks.
    pub admin: &'a Admin,
    /// Where the key is valid.
    pub region: Region,
    /// The account that owns it.
    pub account: &'a str,
    /// The key.
    pub key: &'a str,
}

impl Look<'_> {
    /// Looks for the key, with both APIs where both can be asked.
    pub async fn look(&self) -> Presence {
        let classic = keys::read(self.client, self.region, self.account, self.key, &self.admin.pair).await;
        match classic {
            Ok(_) => return Presence::There(Api::Classic),
            Err(unreadable) if self.is_own(&unreadable) => return Presence::OwnRefused,
            Err(unreadable) if unreadable.is_missing() => {}
            Err(unreadable) => return Presence::Unknown(unreadable.to_string()),
        }
        if self.region != Region::Us1 {
            // The other API exists in us1 only.
            return Presence::Gone;
        }
        // Where nothing can act as the account its own list cannot be asked.
        let Ok(acting) = self.acting().await else { return Presence::Gone };
        match keys::read_own(self.client, self.key, &acting).await {
            Ok(_) => Presence::There(Api::Iam),
            Err(unreadable) if unreadable.is_missing() => Presence::Gone,
            Err(unreadable) if self.is_own(&unreadable) => Presence::OwnRefused,
            // A suspended account's own token is refused; the parent has said that the key is not there.
            Err(unreadable) if unreadable.is_unauthorized() && self.account != self.admin.account => {
                Presence::Gone
            }
            Err(unreadable) => Presence::Unknown(unreadable.to_string()),
        }
    }

    /// Deletes the key by one of the APIs.
    pub async fn delete(&self, api: Api) -> Change {
        match api {
            Api::Classic => {
                keys::delete(self.client, self.region, self.account, self.key, &self.admin.pair).await
            }
            Api::Iam => match self.acting().await {
                Ok(acting) => keys::delete_own(self.client, self.key, &acting).await,
                Err(error) => Change::Refused(crate::twilio::change::Told::default(), error.to_string()),
            },
        }
    }

    /// A pair that acts as the account: the administrator's own, or that of a subaccount.
    async fn acting(&self) -> Result<Pair, tokens::Error> {
        if self.account == self.admin.account {
            return Ok(self.admin.pair.clone());
        }
        tokens::act_as(self.client, self.admin, self.account).await
    }

    /// A key that deleted itself cannot ask any more.
    fn is_own(&self, unreadable: &Unreadable) -> bool {
        self.admin.pair.user == self.key && unreadable.is_unauthorized()
    }
}

/// Whether an account's credentials are refused whether or not they exist, since it is not active; with its status.
#[must_use]
pub fn inactive<'a>(inventory: &'a Inventory, account: &str) -> Option<&'a str> {
    let own = inventory.account(account)?;
    Some(inventory.status(own)).filter(|status| *status != "active")
}
