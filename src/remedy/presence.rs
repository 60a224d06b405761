//! Whether a key, an OAuth app or a SharedKey exists. Keys are asked about by both of Twilio's APIs for keys. An answer of 404 to a
//! delete is no proof that something is gone: it is looked into by this.

use crate::model::{Action, Inventory, Region, Step};
use crate::twilio::account::{Unreadable, account};
use crate::twilio::change::Change;
use crate::twilio::inventory::Admin;
use crate::twilio::{Client, Pair, keys, oauth, resources, tokens, webhooks};

/// By which API something is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/2010-04-01/Accounts/{AC}/Keys`, which the parent may ask too. It need not show Restricted keys.
    Classic,
    /// `iam.twilio.com/v1/Keys`, by the account itself; us1 only.
    Iam,
    /// The one API that there is for it.
    Only,
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
            Err(unreadable) if self.account == self.admin.account => {
                Presence::Unknown(unreadable.to_string())
            }
            // A suspended account's own token is refused, in words that differ; the parent has said that the key is not there.
            Err(unreadable) if unreadable.is_unauthorized() => Presence::Gone,
            Err(unreadable) if self.is_active().await => Presence::Unknown(unreadable.to_string()),
            Err(_) => Presence::Gone,
        }
    }

    /// Whether the account is active, by what its parent sees; what is not known counts as that.
    async fn is_active(&self) -> bool {
        let seen = account(self.client, Region::Us1, self.account, &self.admin.pair).await;
        seen.map_or(true, |seen| seen.status == "active")
    }

    /// Deletes the key by one of the APIs.
    pub async fn delete(&self, api: Api) -> Change {
        match api {
            Api::Classic => {
                keys::delete(self.client, self.region, self.account, self.key, &self.admin.pair).await
            }
            Api::Iam | Api::Only => match self.acting().await {
                Ok(acting) => keys::delete_own(self.client, self.key, &acting).await,
                Err(error) => Change::Refused(crate::twilio::change::Told::default(), error.to_string()),
            },
        }
    }

    /// A pair that acts as the account: the administrator's own, or that of a subaccount.
    async fn acting(&self) -> Result<Pair, tokens::Error> {
        resources::acting(self.client, self.admin, self.account).await
    }

    /// A key that deleted itself cannot ask any more.
    fn is_own(&self, unreadable: &Unreadable) -> bool {
        self.admin.pair.user == self.key && unreadable.is_unauthorized()
    }
}

/// Something that can be deleted, and looked for.
pub enum Object<'a> {
    /// An API key.
    Key(Look<'a>),
    /// Something of which one API knows, and which its own account alone may ask about.
    Own(OwnLook<'a>),
}

/// Which of the things that one API knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An OAuth app.
    App,
    /// A key that signs webhooks.
    SharedKey,
}

/// Who asks about an OAuth app or a SharedKey.
pub struct OwnLook<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential asks.
    pub admin: &'a Admin,
    /// The account that owns it.
    pub account: &'a str,
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub what: What,
}

impl<'a> Object<'a> {
    /// What a step deletes; `None` where it deletes nothing that has a name.
    #[must_use]
    pub fn of_step(client: &'a Client, admin: &'a Admin, step: &'a Step) -> Option<Self> {
        let account = &step.account_sid;
        let own = |what| {
            let id = step.target.as_deref()?;
            Some(Self::Own(OwnLook { client, admin, account, id, what }))
        };
        match step.action {
            Action::DeleteKey => {
                let key = step.key_sid.as_deref()?;
                Some(Self::Key(Look { client, admin, region: step.region, account, key }))
            }
            Action::DeleteOauthApp => own(What::App),
            Action::DeleteSharedKey => own(What::SharedKey),
            Action::DeleteSecondaryToken | Action::Manual => None,
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Own(look) => match look.what {
                What::App => "OAuth app",
                What::SharedKey => "SharedKey",
            },
        }
    }

    /// Looks for it.
    pub async fn look(&self) -> Presence {
        match self {
            Self::Key(look) => look.look().await,
            Self::Own(look) => look.look().await,
        }
    }

    /// Deletes it by one of the APIs.
    pub async fn delete(&self, api: Api) -> Change {
        match self {
            Self::Key(look) => look.delete(api).await,
            Self::Own(look) => look.delete().await,
        }
    }
}

impl OwnLook<'_> {
    async fn acting(&self) -> Result<Pair, tokens::Error> {
        resources::acting(self.client, self.admin, self.account).await
    }

    /// Looks for it by its id, and where there is no such thing in the list as well: 404 may be the path's.
    async fn look(&self) -> Presence {
        let acting = match self.acting().await {
            Ok(acting) => acting,
            Err(error) => return Presence::Unknown(error.to_string()),
        };
        let (by_id, listed) = match self.what {
            What::App => {
                let by_id = oauth::read(self.client, self.id, &acting).await.map(|_| ());
                let apps = async {
                    let apps = oauth::list(self.client, &acting).await?;
                    Ok(apps.iter().any(|app| app.sid == self.id))
                };
                (by_id, apps.await)
            }
            What::SharedKey => {
                let by_id = webhooks::read(self.client, self.id, &acting).await.map(|_| ());
                let keys = async {
                    let keys = webhooks::shared_keys(self.client, &acting).await?;
                    Ok(keys.iter().any(|key| key.id == self.id))
                };
                (by_id, keys.await)
            }
        };
        match (by_id, listed) {
            (Ok(()), _) | (_, Ok(true)) => Presence::There(Api::Only),
            (Err(unreadable), Ok(false)) if unreadable.is_missing() => Presence::Gone,
            (Err(_), Err(unreadable)) | (Err(unreadable), Ok(false)) => {
                Presence::Unknown(Unreadable::to_string(&unreadable))
            }
        }
    }

    async fn delete(&self) -> Change {
        match self.acting().await {
            Ok(acting) => match self.what {
                What::App => oauth::delete(self.client, self.id, &acting).await,
                What::SharedKey => webhooks::delete(self.client, self.id, &acting).await,
            },
            Err(error) => Change::Refused(crate::twilio::change::Told::default(), error.to_string()),
        }
    }
}

/// Whether an account's credentials are refused whether or not they exist, since it is not active; with its status.
#[must_use]
pub fn inactive<'a>(inventory: &'a Inventory, account: &str) -> Option<&'a str> {
    let own = inventory.account(account)?;
    Some(inventory.status(own)).filter(|status| *status != "active")
}
