//! From the credentials of a report to questions for Twilio, and from its answers to verdicts: each distinct credential
//! is asked about once, however often it stands in the code.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use jiff::{Timestamp, Unit};

use super::partners::{Places, add_own_keys};
use super::{apps, guide, ours};
use crate::model::{
    Asked, Credential, CredentialType, Exposure, Fingerprint, Inventory, Region, Report, Unread, Vault,
    Verdict, VerdictKind, VerdictState,
};
use crate::twilio::inventory::{self, Admin, Among};
use crate::twilio::verify::{self, Depth, Question, Settled};
use crate::twilio::{Client, exposure, resources};

/// Credentials that are asked about at once; the client bounds each account and the rate.
const AT_ONCE: usize = 64;
/// What is noted of a credential that Twilio accepted with the SID that it is paired with.
pub(super) const SETTLED: &str = "settled by asking Twilio";

/// What to ask besides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Regions besides us1 and those that the code speaks of.
    pub regions: Vec<Region>,
    /// Look at what live credentials reach.
    pub exposure: bool,
    /// With how many of the administrator's own keys a secret is tried that its SID does not open.
    pub own_keys: usize,
    /// Ask about OAuth apps, which makes an access token each time.
    pub mint: bool,
}

/// Asks about every credential of a report whose value is in the vault, and notes verdicts, owners and remedies.
/// `done` is told after each. Keys that turn up on the way are added to the inventory.
pub async fn ask(
    client: &Client,
    mut admin: Option<(&Admin, &mut Inventory)>,
    report: &mut Report,
    vault: &Vault,
    options: &Options,
    done: &(dyn Fn() + Sync),
) {
    let places = Places::of(&report.findings);
    let with_secret = places.with_secret();
    let inventory = admin.as_ref().map(|(_, inventory)| &**inventory);
    let questions: Vec<(Fingerprint, Question, Vec<Region>)> = report
        .credentials
        .iter()
        .filter_map(|credential| {
            let secret = vault.get(&credential.id)?;
            let mut question = places.question(credential, secret)?;
            if let Some(inventory) = inventory {
                add_own_keys(&mut question, inventory, options);
            }
            Some((credential.id.clone(), question, regions(&credential.region_hints, options)))
        })
        .collect();
    let mut answers: BTreeMap<Fingerprint, (Settled, Option<Exposure>, Timestamp)> = stream::iter(questions)
        .map(|(id, question, regions)| async move {
            let settled = verify::verify(client, &question, &regions, Depth::Verdict).await;
            let exposure = reach(client, &question, &settled, inventory, options).await;
            done();
            (id, (settled, exposure, now()))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut apps = if options.mint { apps::ask(client, report, vault, done).await } else { BTreeMap::new() };
    for credential in &mut report.credentials {
        match answers.remove(&credential.id) {
            Some((settled, exposure, at)) => note(credential, settled, exposure, at),
            None if apps.contains_key(&credential.id) => {
                credential.verdict = apps.remove(&credential.id).unwrap_or_else(Verdict::unverified);
            }
            None => credential.verdict = unasked(credential, vault.contains_key(&credential.id)),
        }
    }
    if let Some((admin, inventory)) = &mut admin {
        find_hidden_keys(client, admin, inventory, report.credentials.iter()).await;
        if report.credentials.iter().any(|credential| credential.type_ == CredentialType::OauthApp) {
            let wanted = resources::Wanted { apps: true, ..resources::Wanted::default() };
            resources::add(client, admin, inventory, wanted, None).await;
        }
    }
    let is_token = |credential: &Credential| credential.type_ == CredentialType::AccessToken;
    let at = if report.credentials.iter().any(is_token) { client.clock().await } else { None };
    let live_keys = keys_that_are_live(&report.credentials);
    for credential in &mut report.credentials {
        if credential.type_ == CredentialType::AccessToken {
            credential.verdict = access_token(credential, &live_keys, at);
        }
        if let Some((_, inventory)) = &admin {
            ours::own(credential, inventory, vault.get(&credential.id), options);
        }
        credential.remedy = guide::remedy(credential, with_secret.contains(&credential.id));
    }
    report.asked = Some(Asked {
        requests: client.sent(),
        test_endpoint: client.test_endpoint().map(str::to_owned),
        admin: admin.map(|(admin, _)| admin.pair.user.clone()),
        doubtful: None,
    });
}

/// Looks for Restricted keys that work and that no list shows: the classic API need not list them.
pub(super) async fn find_hidden_keys(
    client: &Client,
    admin: &Admin,
    inventory: &mut Inventory,
    credentials: impl Iterator<Item = &Credential>,
) {
    let hidden = credentials.filter(|credential| {
        let verdict = &credential.verdict;
        verdict.kind == Some(VerdictKind::RestrictedKey)
            && verdict.state == VerdictState::Live
            && verdict.owner.as_deref().is_none_or(|owner| inventory.account(owner).is_some())
    });
    let (mut keys, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for credential in hidden {
        let sid = credential.key_sid.as_ref().filter(|sid| inventory.key(sid).is_none());
        keys.extend(sid.cloned());
        accounts.extend(credential.account_sid.clone());
    }
    let among = Among::First(&accounts);
    inventory::find_keys(client, admin, inventory, keys, among).await;
}

/// What a credential that works reaches, if that is to be asked. Nothing is asked about an account that is known to be
/// somebody else's.
pub(super) async fn reach(
    client: &Client,
    question: &Question,
    settled: &Settled,
    inventory: Option<&Inventory>,
    options: &Options,
) -> Option<Exposure> {
    let (pair, region) = settled.pair.as_ref().filter(|_| options.exposure)?;
    // Where nothing told whose it is, the account beside it in the code is the best guess.
    let beside = if settled.foreign { None } else { question.account() };
    let account = settled.account.as_deref().or(beside);
    let is_ours = |inventory: &Inventory| {
        inventory.key(&pair.user).is_some() || account.is_none_or(|sid| inventory.account(sid).is_some())
    };
    if inventory.is_some_and(|inventory| !is_ours(inventory)) {
        let reason = format!("{} is not one of your accounts", account.unwrap_or("its account"));
        let unread = vec![Unread { what: "everything".to_owned(), reason }];
        return Some(Exposure { unread, ..Exposure::default() });
    }
    Some(exposure::look(client, pair, *region, account).await)
}

/// How many credentials of a report there is something to ask about.
#[must_use]
pub fn askable(report: &Report, vault: &Vault, mint: bool) -> usize {
    let apps = if mint { apps::count(report, vault) } else { 0 };
    let places = Places::of(&report.findings);
    report
        .credentials
        .iter()
        .filter(|credential| {
            vault.get(&credential.id).and_then(|secret| places.question(credential, secret)).is_some()
        })
        .count()
        + apps
}

pub(super) fn now() -> Timestamp {
    Timestamp::now().round(Unit::Second).unwrap_or_else(|_| Timestamp::now())
}

/// The regions to ask in: those that the code speaks of, us1, and those that were named.
pub(super) fn regions(hints: &[Region], options: &Options) -> Vec<Region> {
    let mut regions = hints.to_vec();
    for region in std::iter::once(Region::Us1).chain(options.regions.iter().copied()) {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    regions
}

/// Takes over what asking settled.
pub(super) fn note(credential: &mut Credential, settled: Settled, exposure: Option<Exposure>, at: Timestamp) {
    let asked = settled.verdict.state != VerdictState::Unverified;
    credential.verdict = settled.verdict;
    credential.verdict.checked_at = asked.then(|| at.to_string());
    credential.exposure = exposure;
    let mut changed = false;
    // An error code for an account that is not active may come whatever the secret is: it ties a secret to no other SID.
    let is_hearsay = credential.verdict.state == VerdictState::Inactive && credential.verdict.code.is_some();
    let counts = |told: &str, known: Option<&str>| !is_hearsay || known == Some(told);
    let key = settled.key.filter(|key| counts(key, credential.key_sid.as_deref()));
    let account = settled.account.filter(|account| counts(account, credential.account_sid.as_deref()));
    if let Some(key) = key.filter(|_| credential.type_ == CredentialType::ApiKey) {
        changed |= credential.key_sid.as_ref() != Some(&key);
        credential.key_sid = Some(key);
    }
    match account {
        Some(account) => {
            changed |= credential.account_sid.as_ref() != Some(&account);
            credential.account_sid = Some(account);
        }
        // A key that works and is not of the account beside it: that account is no part of it.
        None if settled.foreign => credential.account_sid = None,
        None => {}
    }
    let is_known = credential.evidence.iter().any(|evidence| evidence == SETTLED);
    if matches!(credential.verdict.state, VerdictState::Live | VerdictState::Test) {
        credential.ambiguous.clear();
        if !is_known {
            let at = if changed { 0 } else { credential.evidence.len() };
            credential.evidence.insert(at, SETTLED.to_owned());
        }
    } else if changed && !is_known {
        credential.evidence.insert(0, SETTLED.to_owned());
    }
}

/// The verdict of what Twilio was not asked about, with the reason.
fn unasked(credential: &Credential, has_value: bool) -> Verdict {
    let mut verdict = Verdict::unverified();
    let reason = match credential.type_ {
        CredentialType::AuthToken if has_value => "there is no Account SID to ask with",
        CredentialType::ApiKey if has_value => "there is no key SID to ask with",
        CredentialType::ApiKey if credential.key_sid.is_some() => "a key SID alone is not a secret",
        CredentialType::AuthToken | CredentialType::ApiKey => {
            "its value was not found again where the report has it; scan again"
        }
        CredentialType::AccountSid => "an Account SID alone is not a secret",
        CredentialType::OauthApp => "asking would make an access token; --mint asks all the same",
        CredentialType::WebhookSharedKey => {
            "the id of a SharedKey alone is not a secret, and its secret signs webhooks: no request tells whether it works"
        }
        CredentialType::AccessToken => "",
        CredentialType::SendgridApiKey | CredentialType::SegmentApiToken | CredentialType::AuthyApiKey => {
            "only Twilio's own API is asked"
        }
    };
    verdict.reason = (!reason.is_empty()).then(|| reason.to_owned());
    verdict
}

pub(super) fn keys_that_are_live(credentials: &[Credential]) -> BTreeMap<String, Option<String>> {
    credentials
        .iter()
        .filter(|c| c.type_ == CredentialType::ApiKey && c.verdict.state == VerdictState::Live)
        .filter_map(|c| Some((c.key_sid.clone()?, c.account_sid.clone())))
        .collect()
}

/// An Access Token says itself when it ends, and works while the key that signed it exists. It is sent nowhere. Whether it has
/// ended is judged by Twilio's clock, `at`: this machine's may be wrong.
pub(super) fn access_token(
    credential: &Credential,
    live_keys: &BTreeMap<String, Option<String>>,
    at: Option<Timestamp>,
) -> Verdict {
    let mut verdict = Verdict::unverified();
    verdict.checked_at = Some(now().to_string());
    verdict.owner.clone_from(&credential.account_sid);
    let expires: Option<Timestamp> = credential.expires.as_ref().and_then(|time| time.parse().ok());
    let signed_by_live = credential.key_sid.as_ref().is_some_and(|key| live_keys.contains_key(key));
    let has_ended = |expires: &Timestamp| at.map(|at| *expires <= at);
    (verdict.state, verdict.reason) = match expires {
        Some(expires) if has_ended(&expires).is_none() => (
            VerdictState::Unknown,
            Some(format!(
                "it ends at {expires}; Twilio's clock could not be read, so whether that has passed is not known"
            )),
        ),
        Some(expires) if has_ended(&expires) == Some(true) => {
            (VerdictState::Rejected, Some(format!("it ended by itself at {expires}, by Twilio's clock")))
        }
        Some(expires) if signed_by_live => (
            VerdictState::Live,
            Some(format!("not ended before {expires}, and the key that signed it works")),
        ),
        Some(expires) => (
            VerdictState::Unknown,
            Some(format!(
                "not ended before {expires}; whether the key that signed it still exists is not known"
            )),
        ),
        None => (VerdictState::Unknown, Some("it does not say when it ends".to_owned())),
    };
    verdict
}
