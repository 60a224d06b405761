//! What to do about a credential, step by step, as Twilio's console and documentation have it in 2026.

use crate::model::{Credential, CredentialType, Region, Remedy, RemedyAction, VerdictKind, VerdictState};

/// The steps for a credential. `has_secret` is false for a SID that stands alone.
#[must_use]
pub fn remedy(credential: &Credential, has_secret: bool) -> Remedy {
    if has_secret && credential.verdict.ours == Some(false) && credential.verdict.state == VerdictState::Live
    {
        return tell_owner(credential);
    }
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
                format!(
                    "Twilio does not accept it in {region}: there is nothing to revoke there. Take it out of the code."
                ),
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
        CredentialType::OauthApp => (RemedyAction::RotateOauthSecret, oauth_app(credential, has_secret)),
        CredentialType::WebhookSharedKey => one(
            RemedyAction::DeleteSharedKey,
            format!(
                "If its secret leaked too, make a new SharedKey, put it into the webhook settings and validators that use this one, then `sidsweep revoke shared-key {}`.",
                key.unwrap_or("webhooks_sharedkey_…")
            ),
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
        CredentialType::AccountSid => one(RemedyAction::None, "An identifier, nothing to revoke.".to_owned()),
    };
    Remedy { action, steps }
}

/// What to do about a live credential of somebody else: nobody but its owner can take it out of service.
fn tell_owner(credential: &Credential) -> Remedy {
    let account = credential.verdict.owner.as_deref().or(credential.account_sid.as_deref());
    let whose = account.map_or_else(
        || "It belongs to an account that is not one of yours".to_owned(),
        |account| format!("It belongs to {account}, which is not one of your accounts"),
    );
    Remedy {
        action: RemedyAction::TellOwner,
        steps: vec![
            format!(
                "{whose}: tell its owner, who alone can revoke it. If you do not know the owner, tell Twilio Support."
            ),
            "Take it out of the code.".to_owned(),
        ],
    }
}

fn oauth_app(credential: &Credential, has_secret: bool) -> Vec<String> {
    if !has_secret {
        return vec!["The client id alone is not a secret. Look for where its secret is kept.".to_owned()];
    }
    let delete = credential.key_sid.as_deref().map_or_else(
        || "delete the app there".to_owned(),
        |id| format!("delete the app: `sidsweep revoke oauth-app {id}`, or by a plan of `sidsweep revoke plan --mint`"),
    );
    vec![
        format!(
            "Rotate the app's secret with a grace period of 0, which ends the access tokens it was given too: {OAUTH_CONSOLE}."
        ),
        format!("Or {delete}."),
    ]
}

fn api_key(credential: &Credential, of_account: &str) -> Vec<String> {
    vec![
        match credential.verdict.kind {
            Some(VerdictKind::MainKey) => format!(
                "Create a new Main key in the Legacy Console (neither the API nor the new console can): {}, and put it where this one is used.",
                legacy_console(region(credential))
            ),
            _ => "Create a new API key and put it where this one is used.".to_owned(),
        },
        match &credential.key_sid {
            Some(sid) => format!(
                "Delete {sid} {of_account}: `sidsweep revoke key {sid}`, or in the console under API keys & auth tokens ({}). Access Tokens that it signed stop working too.",
                console(region(credential))
            ),
            None => format!(
                "Find the key that this secret belongs to (its SID begins with SK) and delete it in the console under API keys & auth tokens: {}.",
                console(region(credential))
            ),
        },
    ]
}

/// How a Main key is replaced.
#[must_use]
pub fn main_key(account: &str, key: &str, region: Region) -> Vec<String> {
    vec![
        format!(
            "Open {} (the Legacy Console; the new one makes no Main keys) as an administrator of {account}.",
            legacy_console(region)
        ),
        "Create API key, of the type Main, and keep its secret: it is shown only once.".to_owned(),
        format!("Put it where {key} is used, and see that it works."),
        format!("Delete the old one: `sidsweep revoke key {key}`."),
    ]
}

/// The region that a credential works in.
fn region(credential: &Credential) -> Region {
    let region = credential.verdict.region.as_deref();
    region.and_then(|region| region.parse::<Region>().ok()).unwrap_or(Region::Us1)
}

/// Where the console keeps keys and tokens: Settings > Account settings > API keys & auth tokens. Each region has a page of its own.
#[must_use]
pub fn console(region: Region) -> String {
    format!("https://1console.twilio.com/go?to=/account/__account__/settings/{region}/api-keys/list")
}

/// Where the console keeps OAuth apps: Settings > Account settings > OAuth applications.
pub const OAUTH_CONSOLE: &str = "https://1console.twilio.com/go?to=/account/__account__/settings/oauth";

/// Where the Legacy Console keeps keys: the only place where a Main key is made.
fn legacy_console(region: Region) -> String {
    format!("https://console.twilio.com/{region}/account/keys-credentials/api-keys")
}

/// An Auth Token is never changed unasked: the steps are a person's. Twilio's documentation has them under "Rotate
/// Auth Tokens"; promoting ends the old primary at once, and webhook signatures are made with the primary.
fn auth_token(credential: &Credential, of_account: &str) -> (RemedyAction, Vec<String>) {
    let open = format!(
        "Open {} (Settings > Account settings > API keys & auth tokens) as an administrator {of_account}.",
        console(region(credential))
    );
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
                "Put it, or better an API key, into every client that uses the leaked one, and into every webhook validator; validators can use a webhook SharedKey instead (public beta), and then need no Auth Token.".to_owned(),
                "Choose Promote to Primary: the leaked token stops working at that moment, and webhooks are signed with the new one.".to_owned(),
                "Run `sidsweep scan --verify` again: the verdict must be rejected.".to_owned(),
            ],
        ),
    }
}
