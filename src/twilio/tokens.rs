//! Auth Tokens: a secondary is made, promoted or deleted by the account itself. A parent acts as its subaccount with
//! the subaccount's own token, which it may read.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::account::{self, Unreadable};
use super::change::Change;
use super::client::Client;
use super::inventory::Admin;
use super::pair::Pair;
use super::product::Product;
use super::reading;
use crate::model::{Region, Secret, is_token};

const SECONDARY: &str = "/v1/AuthTokens/Secondary";
const PROMOTE: &str = "/v1/AuthTokens/Promote";

/// The one place where an account's token is read out of an answer: to act as that account.
#[derive(Deserialize)]
struct WithToken {
    sid: String,
    #[serde(default)]
    auth_token: String,
}

/// Why nothing can act as an account.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its token could not be read.
    #[error("{0}: its Auth Token could not be read: {1}")]
    Unreadable(String, Unreadable),
    /// Twilio leaves the token blank for keys, or masks it.
    #[error(
        "{0}: Twilio did not show its Auth Token, which it does not show to an API key and may mask; use the Account SID and Auth Token as the administrator's credential, of {0} itself where it is masked"
    )]
    Blank(String),
}

/// A pair that acts as an account: the administrator's own, or that of a subaccount.
pub async fn act_as(client: &Client, admin: &Admin, account: &str) -> Result<Pair, Error> {
    if account == admin.account {
        return if admin.pair.user == account {
            Ok(admin.pair.clone())
        } else {
            Err(Error::Blank(account.to_owned()))
        };
    }
    let path = format!("/2010-04-01/Accounts/{account}.json");
    let body: WithToken = account::read(client, Product::Api, Region::Us1, &path, &admin.pair)
        .await
        .map_err(|unreadable| Error::Unreadable(account.to_owned(), unreadable))?;
    let token = Zeroizing::new(body.auth_token);
    if !is_token(&token) || body.sid != account {
        return Err(Error::Blank(account.to_owned()));
    }
    Ok(Pair::token(body.sid, Secret::new(token.as_str().to_owned())))
}

#[derive(Deserialize)]
struct SecondaryBody {
    account_sid: String,
    secondary_auth_token: String,
}

/// Makes a secondary token for the account that asks. It works at once, beside the primary.
pub async fn make_secondary(client: &Client, pair: &Pair) -> (Change, Option<Secret>) {
    match Change::of(client.post(Product::Accounts, Region::Us1, SECONDARY, pair, &[]).await) {
        Change::Made(answer, told) => match reading::body::<SecondaryBody>(&answer.body) {
            Ok(body) if body.account_sid == pair.user && is_token(&body.secondary_auth_token) => {
                let token = Zeroizing::new(body.secondary_auth_token);
                (Change::Made(answer, told), Some(Secret::new(token.as_str().to_owned())))
            }
            _ => (Change::Unsure(told, "an answer that holds no token".to_owned()), None),
        },
        change => (change, None),
    }
}

/// Deletes the secondary token of the account that asks; its primary is untouched.
pub async fn delete_secondary(client: &Client, pair: &Pair) -> Change {
    Change::of(client.delete(Product::Accounts, Region::Us1, SECONDARY, pair).await).only_204()
}

/// Makes the secondary the primary: the old primary is dead at once.
pub async fn promote(client: &Client, pair: &Pair) -> Change {
    Change::of(client.post(Product::Accounts, Region::Us1, PROMOTE, pair, &[]).await)
}
