//! What to do about a credential, step by step, as Twilio's console and documentation have it in 2026.

use crate::model::{Credential, CredentialType, Region, Remedy, RemedyAction, VerdictKind, VerdictState};

/// The steps for a credential. `has_secret` is false for a SID that stands alone.
#[must_use]
pub fn remedy(credential: &Credential, has_secret: bool) -> Remedy {
    let key = credential.key_sid.as_deref();
    let of_account = credential
        .account_sid
        .as_deref()
        .map_or_else(|| "of the account it belongs to".to_owned(), |sid| format!("of {sid}"));
    let one = |action, step: String| (action, vec![step]);
    let (action, steps) = match credential.type_ {
        CredentialType::AuthToken | CredentialType::ApiKey
            if credential.verdict.state == VerdictState::Rejected && has_secret =>
        {
            let region = credential.verdict.region.as_deref().unwrap_or("us1");
            one(
                RemedyAction::None,
                format!("Twilio does not accept it in {region}: there is nothing to revoke there. Take it out of the code."),
            )
        }
        CredentialType::AuthToken => auth_token(credential, &of_account),
        CredentialType::ApiKey if key.is_some() && !has_secret => one(
            RemedyAction::None,
            "The SID alone is not a secret. Look for where its secret is kept.".to_owned(),
        ),
        CredentialType::ApiKey => (RemedyAction::DeleteKey, api_key(credential, &of_account)),
        CredentialType::AccessToken => one(
            RemedyAction::DeleteKey,
            format!(
                "It ends by itself within 24 hours. To end it at once, delete the API key that signed it{}.",
                key.map(|sid| format!(", {sid}")).unwrap_or_default()
            ),
        ),
        CredentialType::OauthApp => one(
            RemedyAction::RotateOauthSecret,
            "In the console under OAuth apps, rotate the app's secret with no grace period, or delete the app."
                .to_owned(),
        ),
        CredentialType::SendgridApiKey => one(
            RemedyAction::DeleteAtVendor,
            "Delete it at https://app.sendgrid.com/settings/api_keys and make a new one.".to_owned(),
        ),
        CredentialType::SegmentApiToken => one(
            RemedyAction::DeleteAtVendor,
            "Revoke it in Segment under Settings > Access Management > Tokens.".to_owned(),
        ),
        CredentialType::AuthyApiKey => one(
            RemedyAction::DeleteAtVendor,
            "Regenerate it in the Authy part of the Twilio console.".to_owned(),
        ),
        CredentialType::AccountSid => {
            one(RemedyAction::None, "An identifier, nothing to revoke.".to_owned())
        }
    };
    let mut steps = steps;
    if credential.verdict.ours == Some(false) && credential.verdict.state == VerdictState::Live {
        let owner = credential.verdict.owner.as_deref().unwrap_or("its account");
        steps.insert(0, format!("{owner} is no account of ours: tell its owner, who can do this."));
    }
    Remedy { action, steps }
}

fn api_key(credential: &Credential, of_account: &str) -> Vec<String> {
    vec![
        match credential.verdict.kind {
            Some(VerdictKind::MainKey) => format!("Create a new Main key in the console (the API cannot): {}, and put it where this one is used.", console(credential)),
            _ => "Create a new API key and put it where this one is used.".to_owned(),
        },
        match &credential.key_sid {
            Some(sid) => format!("Delete {sid} {of_account}: `sidsweep revoke key {sid}`, or in the console under API keys & tokens. Access Tokens that it signed stop working too."),
            None => "Find the key that this secret belongs to (its SID begins with SK) and delete it in the console under API keys & tokens.".to_owned(),
        },
    ]
}

/// How a Main key is replaced.
#[must_use]
pub fn main_key(account: &str, key: &str, region: Region) -> Vec<String> {
    vec![
        format!(
            "Open https://console.twilio.com/{region}/account/keys-credentials/api-keys as an administrator of {account}."
        ),
        "Create API key, of the type Main, and keep its secret: it is shown only once.".to_owned(),
        format!("Put it where {key} is used, and see that it works."),
        format!("Delete the old one: `sidsweep revoke key {key}`."),
    ]
}

/// Where the console keeps tokens and keys; each region has a page of its own.
fn console(credential: &Credential) -> String {
    let region = credential
        .verdict
        .region
        .as_deref()
        .and_then(|region| region.parse::<Region>().ok())
        .unwrap_or(Region::Us1);
    format!("https://console.twilio.com/{region}/account/keys-credentials/api-keys")
}

/// An Auth Token is never changed unasked: the steps are a person's. Twilio's documentation has them under "Rotate
/// Auth Tokens"; promoting ends the old primary at once, and webhook signatures are made with the primary.
fn auth_token(credential: &Credential, of_account: &str) -> (RemedyAction, Vec<String>) {
    let open = format!("Open {} as an administrator {of_account}.", console(credential));
    match (credential.verdict.state, credential.verdict.kind) {
        (VerdictState::Test, _) => (
            RemedyAction::None,
            vec!["Test credentials cost and reach nothing. If they bother you, reset them in the console.".to_owned()],
        ),
        (_, Some(VerdictKind::SecondaryToken)) => (
            RemedyAction::DeleteSecondaryToken,
            vec![
                "This is the secondary token; nothing that uses the primary is touched by deleting it.".to_owned(),
                format!("{open} Under Auth Tokens, delete the secondary token; or let `sidsweep revoke plan` and `revoke apply` do it."),
                "Do not promote it: then the leaked token would become the primary.".to_owned(),
            ],
        ),
        _ => (
            RemedyAction::RotateAuthTokenInConsole,
            vec![
                open,
                "Under Auth Tokens, choose Request a Secondary Token. If there is one already, it may be the leaked one: delete it first, then request a new one.".to_owned(),
                "Put it, or better an API key, into every client and webhook validator that uses the leaked one.".to_owned(),
                "Choose Promote to Primary: the leaked token stops working at that moment, and webhooks are signed with the new one.".to_owned(),
                "Run `sidsweep verify` on this report: the verdict must be rejected.".to_owned(),
            ],
        ),
    }
}
