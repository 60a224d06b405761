//! OAuth apps that leaked: asked about only by an explicit wish, since asking makes an access token; deleted by plan, and proven dead by a
//! refused token request.

use std::collections::BTreeMap;

use tokio::time::sleep;

use super::ask::now;
use super::plan::{Considered, blank, finish, inactive_and_foreign, works};
use crate::model::{
    Action, Credential, CredentialType, Fingerprint, Inventory, OauthApp, OwnAccount, Plan, Region, Report,
    Secret, SharedKey, Step, Vault, Verdict, VerdictKind, VerdictState,
};
use crate::twilio::inventory::Admin;
use crate::twilio::verify::Still;
use crate::twilio::{Client, oauth};

/// The OAuth apps of a report that can be asked about: with a client id, and a secret that was read.
fn askable<'a>(
    report: &'a Report,
    vault: &'a Vault,
) -> impl Iterator<Item = (&'a Credential, &'a str, &'a Secret)> {
    report.credentials.iter().filter_map(|credential| {
        let id = credential.key_sid.as_deref().filter(|id| oauth::is_client_id(id))?;
        let secret = vault.get(&credential.id)?;
        (credential.type_ == CredentialType::OauthApp).then_some((credential, id, secret))
    })
}

/// How many there are.
pub(super) fn count(report: &Report, vault: &Vault) -> usize {
    askable(report, vault).count()
}

/// Asks about each: a refusal counts when it comes twice, with a pause between.
pub(super) async fn ask(
    client: &Client,
    report: &Report,
    vault: &Vault,
    done: &(dyn Fn() + Sync),
) -> BTreeMap<Fingerprint, Verdict> {
    let mut verdicts = BTreeMap::new();
    for (credential, id, secret) in askable(report, vault) {
        let mut still = oauth::still(client, id, secret).await;
        if matches!(still, Still::Refused { .. }) {
            sleep(client.pause()).await;
            still = oauth::still(client, id, secret).await;
        }
        verdicts.insert(credential.id.clone(), verdict(id, still));
        done();
    }
    verdicts
}

fn verdict(id: &str, still: Still) -> Verdict {
    let mut verdict = Verdict::unverified();
    verdict.checked_at = Some(now().to_string());
    verdict.region = Some(Region::Us1.to_string());
    match still {
        Still::Works => {
            verdict.state = VerdictState::Live;
            verdict.kind = Some(VerdictKind::OauthApp);
            verdict.add("Twilio gave it an access token, which was thrown away and ends by itself");
        }
        Still::Refused { code } => {
            verdict.state = VerdictState::Rejected;
            verdict.code = Some(code);
            verdict.tried = vec![id.to_owned()];
            verdict.add("a token request was refused twice");
        }
        Still::Partly(reason) | Still::Unsure(reason) => {
            verdict.state = VerdictState::Unknown;
            verdict.add(&reason);
        }
    }
    verdict
}

/// What the administrator's view adds: whose an app is, and whether it still exists.
pub(super) fn own(credential: &mut Credential, inventory: &Inventory) {
    let Some(id) = credential.key_sid.clone() else { return };
    let verdict = &mut credential.verdict;
    if let Some((owner, _)) = inventory.app(&id) {
        verdict.ours = Some(true);
        verdict.owner = Some(owner.account.sid.clone());
        verdict.parent = owner.account.parent().map(str::to_owned);
        credential.account_sid = Some(owner.account.sid.clone());
        let status = inventory.status(owner);
        if verdict.state == VerdictState::Rejected && status != "active" {
            verdict.state = VerdictState::Inactive;
            verdict.tried.clear();
            verdict.add(&format!(
                "the account is {status}: its apps are refused, and work again once it is active"
            ));
        }
    } else if inventory.accounts.iter().all(|own| own.oauth_apps.is_some() || own.account.status == "closed")
    {
        verdict.ours = (verdict.state == VerdictState::Live).then_some(false);
        verdict.add("no account of ours has this OAuth app");
    }
}

/// What a plan does about it.
pub(super) fn consider(credential: &Credential, inventory: &Inventory) -> Considered {
    works(credential)?;
    let Some(id) = credential.key_sid.as_deref() else {
        return Err("which OAuth app it belongs to is not known".to_owned());
    };
    if let Some((own, app)) = inventory.app(id) {
        return Ok(app_step(own, app, Some(credential)));
    }
    if credential.verdict.state == VerdictState::Inactive {
        return Err(inactive_and_foreign(credential));
    }
    let unread = inventory.accounts.iter().filter(|own| own.oauth_apps_unread.is_some()).count();
    Err(if unread > 0 {
        format!(
            "not seen: the OAuth apps of {unread} of your accounts could not be listed. If it is yours, delete {id} in {}",
            super::guide::OAUTH_CONSOLE
        )
    } else {
        "foreign: none of your accounts has this OAuth app; tell its owner".to_owned()
    })
}

/// A step that deletes an OAuth app.
pub(super) fn app_step(own: &OwnAccount, app: &OauthApp, credential: Option<&Credential>) -> Step {
    let mut step = blank(own, Action::DeleteOauthApp, credential, Region::Us1);
    step.target = Some(app.sid.clone());
    step.kind = Some(VerdictKind::OauthApp);
    step.seen.key_name.clone_from(&app.friendly_name);
    step.seen.key_created.clone_from(&app.date_created);
    step.breaks = vec![
        "whatever uses this OAuth app stops working at once, and so do the access tokens that it was given"
            .to_owned(),
    ];
    step
}

fn shared_key_step(own: &OwnAccount, key: &SharedKey) -> Step {
    let mut step = blank(own, Action::DeleteSharedKey, None, Region::Us1);
    step.target = Some(key.id.clone());
    step.seen.key_name.clone_from(&key.friendly_name);
    step.seen.key_created.clone_from(&key.date_created);
    step.breaks =
        vec!["validators of the webhooks that it signs, until these are signed by another key".to_owned()];
    step
}

/// A plan for an OAuth app or a SharedKey that was named by its id, where one of the accounts has it.
#[must_use]
pub fn plan_for(id: &str, inventory: &Inventory, admin: &Admin) -> Option<Plan> {
    let app = inventory.app(id).map(|(own, app)| app_step(own, app, None));
    let step = app.or_else(|| inventory.shared_key(id).map(|(own, key)| shared_key_step(own, key)))?;
    Some(named(step, admin))
}

/// The same for one that an earlier run may have deleted: it is looked for.
#[must_use]
pub fn plan_for_gone(id: &str, own: &OwnAccount, admin: &Admin) -> Plan {
    let is_app = oauth::is_client_id(id);
    let mut step =
        blank(own, if is_app { Action::DeleteOauthApp } else { Action::DeleteSharedKey }, None, Region::Us1);
    step.target = Some(id.to_owned());
    named(step, admin)
}

fn named(mut step: Step, admin: &Admin) -> Plan {
    "named on the command line".clone_into(&mut step.why);
    finish(vec![step], Vec::new(), admin.name(), Vec::new(), &admin.pair.user)
}
