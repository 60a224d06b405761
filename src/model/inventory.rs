//! What is ours: accounts, subaccounts and keys that an administrator's credential sees.

use serde::{Deserialize, Serialize};

use super::{Account, Key, OauthApp, Region, Secret, SharedKey};

/// The schema's name.
pub const INVENTORY_SCHEMA: &str = "sidsweep/inventory/1";

/// A key that is ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnKey {
    /// What Twilio says of it.
    #[serde(flatten)]
    pub key: Key,
    /// `restricted`, or `main_or_standard`: no answer of Twilio's tells these two apart. `null` where a key's policy
    /// cannot be read, as in subaccounts.
    pub kind: Option<&'static str>,
    /// What a Restricted key may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Vec<String>>,
    /// Where it is valid.
    pub region: Region,
}

/// An account that is ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnAccount {
    /// What Twilio says of it.
    #[serde(flatten)]
    pub account: Account,
    /// Its keys.
    pub keys: Vec<OwnKey>,
    /// Why its keys could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_unread: Option<String>,
    /// Its OAuth apps; `None` where nobody asked, or they could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_apps: Option<Vec<OauthApp>>,
    /// Why its OAuth apps could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_apps_unread: Option<String>,
    /// Its keys that sign webhooks; `None` where nobody asked, or they could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_keys: Option<Vec<SharedKey>>,
    /// Why these could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_keys_unread: Option<String>,
}

impl OwnAccount {
    /// An account of which nothing else is known yet.
    #[must_use]
    pub fn bare(account: Account) -> Self {
        Self {
            account,
            keys: Vec::new(),
            keys_unread: None,
            oauth_apps: None,
            oauth_apps_unread: None,
            shared_keys: None,
            shared_keys_unread: None,
        }
    }
}

/// What is ours.
#[derive(Debug, Clone, Serialize)]
pub struct Inventory {
    /// [`INVENTORY_SCHEMA`].
    pub schema: &'static str,
    /// Whose eyes it was seen with.
    pub admin: AdminName,
    /// The parent first.
    pub accounts: Vec<OwnAccount>,
}

/// An administrator without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminName {
    /// The user name of the credential.
    pub user: String,
    /// The account.
    pub account: String,
}

/// A SID of a report, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leaked {
    /// `AC…` or `SK…`.
    pub sid: String,
    /// Whether it is one of ours; `None` where some keys could not be listed.
    pub ours: Option<bool>,
    /// The account that it belongs to.
    pub account_sid: Option<String>,
    /// What is known of it, in words.
    pub note: String,
}

impl Inventory {
    /// An account that is ours.
    #[must_use]
    pub fn account(&self, sid: &str) -> Option<&OwnAccount> {
        self.accounts.iter().find(|own| own.account.sid.eq_ignore_ascii_case(sid))
    }

    /// Whether an account may be used: its own status, or its parent's where that is not active.
    #[must_use]
    pub fn status<'a>(&'a self, own: &'a OwnAccount) -> &'a str {
        let parent = own.account.parent().and_then(|parent| self.account(parent));
        match parent {
            Some(parent) if own.account.status == "active" => &parent.account.status,
            _ => &own.account.status,
        }
    }

    /// A key that is ours, with its account.
    #[must_use]
    pub fn key(&self, sid: &str) -> Option<(&OwnAccount, &OwnKey)> {
        self.accounts.iter().find_map(|own| {
            own.keys.iter().find(|key| key.key.sid.eq_ignore_ascii_case(sid)).map(|key| (own, key))
        })
    }

    /// An OAuth app that is ours, with its account.
    #[must_use]
    pub fn app(&self, sid: &str) -> Option<(&OwnAccount, &OauthApp)> {
        self.accounts
            .iter()
            .find_map(|own| own.oauth_apps.iter().flatten().find(|app| app.sid == sid).map(|app| (own, app)))
    }

    /// A key that signs webhooks and is ours, with its account.
    #[must_use]
    pub fn shared_key(&self, id: &str) -> Option<(&OwnAccount, &SharedKey)> {
        self.accounts
            .iter()
            .find_map(|own| own.shared_keys.iter().flatten().find(|key| key.id == id).map(|key| (own, key)))
    }

    /// The account whose primary token this is. It is compared in memory; the token is sent nowhere.
    #[must_use]
    pub fn owner_of_token(&self, token: &Secret) -> Option<&OwnAccount> {
        self.accounts.iter().find(|own| own.account.token.is_of(token) == Some(true))
    }

    /// Whether tokens could be compared: a key does not see them.
    #[must_use]
    pub fn sees_tokens(&self) -> bool {
        self.accounts.iter().any(|own| own.account.token.is_of(&Secret::new("?".to_owned())).is_some())
    }

    /// Accounts whose keys could not be listed.
    #[must_use]
    pub fn unread(&self) -> Vec<&OwnAccount> {
        self.accounts.iter().filter(|own| own.keys_unread.is_some()).collect()
    }

    /// Whose a SID of a report is. `is_key` tells key SIDs from Account SIDs.
    #[must_use]
    pub fn whose(&self, sid: &str, is_key: bool) -> Leaked {
        let leaked = |ours, account: Option<&OwnAccount>, note: String| Leaked {
            sid: sid.to_owned(),
            ours,
            account_sid: account.map(|own| own.account.sid.clone()),
            note,
        };
        if !is_key {
            return match self.account(sid) {
                Some(own) => leaked(Some(true), Some(own), format!("ours, {}", own.account.status)),
                None => leaked(Some(false), None, "foreign: no account of ours".to_owned()),
            };
        }
        match self.key(sid) {
            Some((own, key)) => {
                let name =
                    key.key.friendly_name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
                leaked(Some(true), Some(own), format!("ours, exists{name}"))
            }
            None if self.unread().is_empty() => {
                leaked(Some(false), None, "no key of ours: deleted, of another region, or foreign".to_owned())
            }
            None => {
                leaked(None, None, "not seen, and the keys of some accounts could not be read".to_owned())
            }
        }
    }
}
