//! What an administrator's credential adds to verdicts: whose a credential is, and whether its key still exists.

use super::apps;
use super::ask::{Options, now};
use crate::model::{
    Credential, CredentialType, Inventory, OwnAccount, Region, Secret, Verdict, VerdictKind, VerdictState,
};

/// What the administrator's inventory adds: whose it is, and whether the key still exists.
pub(super) fn own(
    credential: &mut Credential,
    inventory: &Inventory,
    secret: Option<&Secret>,
    options: &Options,
) {
    if credential.type_ == CredentialType::AuthToken
        && !matches!(credential.verdict.state, VerdictState::Live | VerdictState::Test)
        && let Some(owner) = secret.and_then(|secret| inventory.owner_of_token(secret))
    {
        let verdict = &mut credential.verdict;
        let active = inventory.status(owner) == "active";
        verdict.state = if active { VerdictState::Live } else { VerdictState::Inactive };
        verdict.kind = active.then_some(VerdictKind::PrimaryToken);
        verdict.region = Some(Region::Us1.to_string());
        verdict.code = None;
        verdict.reason =
            Some("the account's primary token, compared in memory; it was sent nowhere".to_owned());
        verdict.owner = Some(owner.account.sid.clone());
        verdict.parent = owner.account.parent().map(str::to_owned);
        verdict.checked_at = Some(now().to_string());
        credential.account_sid = Some(owner.account.sid.clone());
        credential.ambiguous.clear();
    }
    if credential.type_ == CredentialType::OauthApp {
        apps::own(credential, inventory);
    } else if credential.key_sid.as_deref().is_some_and(|key| key.starts_with("SK")) {
        own_key(credential, inventory, options);
    } else {
        own_account(credential, inventory, secret);
    }
}

/// Whose a key is, and whether it still exists.
fn own_key(credential: &mut Credential, inventory: &Inventory, options: &Options) {
    let verdict = &mut credential.verdict;
    let Some(key) = credential.key_sid.as_deref() else { return };
    match inventory.key(key) {
        Some((owner, _)) => {
            verdict.owner = Some(owner.account.sid.clone());
            verdict.parent = owner.account.parent().map(str::to_owned);
            verdict.ours = Some(true);
            credential.account_sid = Some(owner.account.sid.clone());
            if credential.type_ == CredentialType::AccessToken && verdict.state == VerdictState::Unknown {
                verdict.state = VerdictState::Live;
                verdict.add("the key that signed it exists");
            } else if verdict.state != VerdictState::Live && credential.type_ == CredentialType::ApiKey {
                verdict.add(&format!("the key exists in {}", owner.account.sid));
                refused(verdict, owner, inventory, options);
            }
        }
        None if inventory.unread().is_empty() => {
            let known = verdict.owner.as_deref().or(credential.account_sid.as_deref());
            let of_ours = known.is_some_and(|account| inventory.account(account).is_some());
            // A key in another region, or one that is gone, may still be of an account of ours.
            // Of a refused one nobody knows.
            verdict.ours = (verdict.owner.is_some() || verdict.state == VerdictState::Live)
                .then_some(of_ours && verdict.owner.is_some());
            if verdict.state != VerdictState::Live {
                verdict.add("no account of ours has this key");
            }
        }
        None => {}
    }
}

/// What a refusal means of a key that exists: its account is not active, or the secret is not this key's.
fn refused(verdict: &mut Verdict, owner: &OwnAccount, inventory: &Inventory, options: &Options) {
    let status = inventory.status(owner);
    if status != "active" {
        // What a credential of such an account is told is not stated by Twilio, so the administrator's view decides, whatever the
        // answer was. SIDs that were not tried are no doubt here: the account refuses whatever comes with any of them.
        if matches!(verdict.state, VerdictState::Rejected | VerdictState::Inactive | VerdictState::Unknown) {
            verdict.state = VerdictState::Inactive;
            verdict.tried.clear();
            verdict.left = None;
            verdict.add(&format!(
                "the account is {status}: its keys are refused, and work again once it is active"
            ));
        }
    } else if verdict.state == VerdictState::Rejected && options.own_keys == 0 {
        // A key's secret never changes: this one belongs to another key, or to none.
        verdict.state = VerdictState::Unknown;
        verdict.add("so the secret is not this key's, and may be another's: Twilio does not accept it here; --try-own-keys tries it with your other keys");
    }
}

/// Whose an account is, and which of its tokens this is.
fn own_account(credential: &mut Credential, inventory: &Inventory, secret: Option<&Secret>) {
    let verdict = &mut credential.verdict;
    let Some(account) = &credential.account_sid else { return };
    let found = inventory.account(account);
    verdict.ours = Some(found.is_some());
    if let Some(found) = found
        && credential.type_ == CredentialType::AuthToken
    {
        verdict.parent = found.account.parent().map(str::to_owned);
        if verdict.state == VerdictState::Live && verdict.region.as_deref() == Some("us1") {
            verdict.kind = secret.and_then(|secret| which(verdict.kind, found, inventory, secret));
        }
        let status = inventory.status(found);
        if verdict.state == VerdictState::Rejected && status != "active" {
            verdict.state = VerdictState::Inactive;
            verdict.tried.clear();
            verdict.owner = Some(found.account.sid.clone());
            verdict.add(&format!("the account is {status}"));
        }
    }
}

/// Primary or secondary, with the administrator's eyes. To its parent a subaccount shows its primary. What an account
/// shows to its own secondary token is not stated, so where its two views differ the token is not named.
fn which(
    told: Option<VerdictKind>,
    own: &OwnAccount,
    inventory: &Inventory,
    token: &Secret,
) -> Option<VerdictKind> {
    match own.account.token.is_of(token) {
        Some(true) if own.account.sid != inventory.admin.account => Some(VerdictKind::PrimaryToken),
        Some(false) if own.account.sid != inventory.admin.account => Some(VerdictKind::SecondaryToken),
        Some(false) if told == Some(VerdictKind::PrimaryToken) => Some(VerdictKind::AuthToken),
        _ => told,
    }
}
