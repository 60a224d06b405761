//! What to do about a credential, step by step, as Twilio's console and documentation have it in 2026.

use crate::model::{CredentialType, Remedy, RemedyAction};

/// The steps for a credential. `account` and `key` are its SIDs, where known.
#[must_use]
pub fn remedy(type_: CredentialType, account: Option<&str>, key: Option<&str>, has_secret: bool) -> Remedy {
    let of_account =
        account.map_or_else(|| "of the account it belongs to".to_owned(), |sid| format!("of {sid}"));
    let (action, steps) = match type_ {
        CredentialType::AuthToken => (
            RemedyAction::RotateAuthTokenInConsole,
            vec![
                format!("Open https://console.twilio.com/us1/account/keys-credentials/api-keys as an administrator {of_account}."),
                "Under Auth Tokens, request a secondary token.".to_owned(),
                "Put it, or better an API key, into every client and webhook validator that uses the leaked one.".to_owned(),
                "Choose Promote to primary: the leaked token stops working at that moment.".to_owned(),
            ],
        ),
        CredentialType::ApiKey if key.is_some() && !has_secret => {
            (RemedyAction::None, vec!["The SID alone is not a secret. Look for where its secret is kept.".to_owned()])
        }
        CredentialType::ApiKey => (
            RemedyAction::DeleteKey,
            vec![
                "Create a new API key and put it where this one is used.".to_owned(),
                match key {
                    Some(sid) => format!("Delete {sid} in the console under API keys & tokens {of_account}; Access Tokens that it signed stop working too."),
                    None => "Find the key that this secret belongs to (its SID begins with SK) and delete it in the console under API keys & tokens.".to_owned(),
                },
            ],
        ),
        CredentialType::AccessToken => (
            RemedyAction::DeleteKey,
            vec![format!("It ends by itself within 24 hours. To end it at once, delete the API key that signed it{}.", key.map(|sid| format!(", {sid}")).unwrap_or_default())],
        ),
        CredentialType::OauthApp => (
            RemedyAction::RotateOauthSecret,
            vec!["In the console under OAuth apps, rotate the app's secret with no grace period, or delete the app.".to_owned()],
        ),
        CredentialType::SendgridApiKey => {
            (RemedyAction::DeleteAtVendor, vec!["Delete it at https://app.sendgrid.com/settings/api_keys and make a new one.".to_owned()])
        }
        CredentialType::SegmentApiToken => (
            RemedyAction::DeleteAtVendor,
            vec!["Revoke it in Segment under Settings > Access Management > Tokens.".to_owned()],
        ),
        CredentialType::AuthyApiKey => {
            (RemedyAction::DeleteAtVendor, vec!["Regenerate it in the Authy part of the Twilio console.".to_owned()])
        }
        CredentialType::AccountSid => (RemedyAction::None, vec!["An identifier, nothing to revoke.".to_owned()]),
    };
    Remedy { action, steps }
}
