//! What a request is authenticated with.

use crate::model::Secret;

/// A user name and its secret, as Basic authentication sends them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    /// An Account SID or a key SID.
    pub user: String,
    /// An Auth Token or a key's secret.
    pub secret: Secret,
    /// The account that requests with it count against, as far as that is known: for a key, not its user name.
    pub account: Option<String>,
}

impl Pair {
    /// An account with its Auth Token.
    #[must_use]
    pub fn token(account: String, token: Secret) -> Self {
        Self { account: Some(account.clone()), user: account, secret: token }
    }

    /// A key with its secret, and the account that it is thought to belong to.
    #[must_use]
    pub fn key(sid: String, secret: Secret, account: Option<&str>) -> Self {
        Self { user: sid, secret, account: account.map(str::to_owned) }
    }
}
