//! From the credentials of a report to questions for Twilio, and from its answers to verdicts: each distinct credential
//! is asked about once, however often it stands in the code.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use jiff::{Timestamp, Unit};

use super::guide;
use crate::model::{
    Asked, Credential, CredentialType, Exposure, Finding, Fingerprint, Inventory, Kind, OwnAccount, Region,
    Report, Secret, Vault, Verdict, VerdictKind, VerdictState,
};
use crate::twilio::inventory::Admin;
use crate::twilio::verify::{self, MOST_TRIES, Question, Settled};
use crate::twilio::{Client, exposure};

/// A file with more SIDs than this is a list of accounts; then only the partner that was found is asked about.
const FEW_SIDS: usize = 4;
/// Credentials that are asked about at once; the client bounds each account and the rate.
const AT_ONCE: usize = 64;

/// What to ask besides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Regions besides us1 and those that the code speaks of.
    pub regions: Vec<Region>,
    /// Look at what live credentials reach.
    pub exposure: bool,
}

/// Asks about every credential of a report whose value is in the vault, and notes verdicts, owners and remedies.
/// `done` is told after each.
pub async fn ask(
    client: &Client,
    admin: Option<(&Admin, &Inventory)>,
    report: &mut Report,
    vault: &Vault,
    options: &Options,
    done: &(dyn Fn() + Sync),
) {
    let places = Places::of(&report.findings);
    let with_secret: BTreeSet<Fingerprint> = places.secrets.keys().map(|&id| id.clone()).collect();
    let questions: Vec<(Fingerprint, Question, Vec<Region>)> = report
        .credentials
        .iter()
        .filter_map(|credential| {
            let secret = vault.get(&credential.id)?;
            let question = places.question(credential, secret)?;
            Some((credential.id.clone(), question, regions(&credential.region_hints, options)))
        })
        .collect();
    let mut answers: BTreeMap<Fingerprint, (Settled, Option<Exposure>, Timestamp)> = stream::iter(questions)
        .map(|(id, question, regions)| async move {
            let settled = verify::verify(client, &question, &regions).await;
            let exposure = reach(client, &question, &settled, options).await;
            done();
            (id, (settled, exposure, now()))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    for credential in &mut report.credentials {
        match answers.remove(&credential.id) {
            Some((settled, exposure, at)) => note(credential, settled, exposure, at),
            None => credential.verdict = unasked(credential, vault.contains_key(&credential.id)),
        }
    }
    let live_keys = keys_that_are_live(&report.credentials);
    for credential in &mut report.credentials {
        if credential.type_ == CredentialType::AccessToken {
            credential.verdict = access_token(credential, &live_keys);
        }
        if let Some((_, inventory)) = admin {
            own(credential, inventory, vault.get(&credential.id));
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

/// What a credential that works reaches, if that is to be asked.
pub(super) async fn reach(
    client: &Client,
    question: &Question,
    settled: &Settled,
    options: &Options,
) -> Option<Exposure> {
    let (pair, region) = settled.pair.as_ref().filter(|_| options.exposure)?;
    // Where nothing told whose it is, the account beside it in the code is the best guess.
    let beside = if settled.foreign { None } else { question.account() };
    let account = settled.account.as_deref().or(beside);
    Some(exposure::look(client, pair, *region, account).await)
}

/// How many credentials of a report there is something to ask about.
#[must_use]
pub fn askable(report: &Report, vault: &Vault) -> usize {
    let places = Places::of(&report.findings);
    report
        .credentials
        .iter()
        .filter(|credential| {
            vault.get(&credential.id).and_then(|secret| places.question(credential, secret)).is_some()
        })
        .count()
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

/// Where the SIDs of a report stand, for finding possible partners of a secret.
struct Places<'a> {
    sids: Vec<&'a Finding>,
    secrets: BTreeMap<&'a Fingerprint, Vec<&'a Finding>>,
}

impl<'a> Places<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        let mut secrets: BTreeMap<&Fingerprint, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding.kind.is_secret()) {
            secrets.entry(&finding.credential).or_default().push(finding);
        }
        Self { sids: findings.iter().filter(|finding| !finding.kind.is_secret()).collect(), secrets }
    }

    fn question(&self, credential: &Credential, secret: &Secret) -> Option<Question> {
        match credential.type_ {
            CredentialType::AuthToken => {
                let accounts =
                    self.partners(credential, Kind::AccountSid, credential.account_sid.as_deref(), true);
                (!accounts.is_empty()).then(|| Question::Token { token: secret.clone(), accounts })
            }
            CredentialType::ApiKey => {
                let keys = self.partners(credential, Kind::ApiKeySid, credential.key_sid.as_deref(), true);
                let accounts =
                    self.partners(credential, Kind::AccountSid, credential.account_sid.as_deref(), false);
                (!keys.is_empty()).then(|| Question::Key { secret: secret.clone(), keys, accounts })
            }
            _ => None,
        }
    }

    /// SIDs that may belong to a secret, most likely first: the one it is paired with, those that are as likely, those
    /// of the same file if they are few; and if there is none at all and `far`, those of its folder and of everywhere.
    fn partners(&self, credential: &Credential, kind: Kind, paired: Option<&str>, far: bool) -> Vec<String> {
        let mut partners: Vec<String> = paired.map(str::to_owned).into_iter().collect();
        let prefix = if kind == Kind::AccountSid { "AC" } else { "SK" };
        partners.extend(
            credential.ambiguous.iter().map(|tie| tie.sid.clone()).filter(|sid| sid.starts_with(prefix)),
        );
        let own: &[&Finding] = self.secrets.get(&credential.id).map_or(&[], Vec::as_slice);
        let paths: BTreeSet<&str> = own.iter().map(|finding| finding.location.path.as_str()).collect();
        let folders: BTreeSet<&str> = paths.iter().map(|path| folder(path)).collect();
        let of_kind = || self.sids.iter().filter(|sid| sid.kind == kind);
        let mut in_file: Vec<&str> = Vec::new();
        for sid in of_kind().filter(|sid| paths.contains(sid.location.path.as_str())) {
            if !in_file.contains(&sid.redacted.as_str()) {
                in_file.push(sid.redacted.as_str());
            }
        }
        if in_file.len() <= FEW_SIDS || partners.is_empty() {
            partners.extend(in_file.into_iter().map(str::to_owned));
        }
        if far && partners.is_empty() {
            let in_folder = of_kind().filter(|sid| folders.contains(folder(&sid.location.path)));
            partners.extend(in_folder.chain(of_kind()).map(|sid| sid.redacted.as_str().to_owned()));
        }
        let mut seen = BTreeSet::new();
        partners.retain(|sid| seen.insert(sid.clone()));
        partners.truncate(MOST_TRIES);
        partners
    }
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// Takes over what asking settled.
pub(super) fn note(credential: &mut Credential, settled: Settled, exposure: Option<Exposure>, at: Timestamp) {
    let asked = settled.verdict.state != VerdictState::Unverified;
    credential.verdict = settled.verdict;
    credential.verdict.checked_at = asked.then(|| at.to_string());
    credential.exposure = exposure;
    let mut changed = false;
    if let Some(key) = settled.key.filter(|_| credential.type_ == CredentialType::ApiKey) {
        changed |= credential.key_sid.as_ref() != Some(&key);
        credential.key_sid = Some(key);
    }
    match settled.account {
        Some(account) => {
            changed |= credential.account_sid.as_ref() != Some(&account);
            credential.account_sid = Some(account);
        }
        // A key that works and is not of the account beside it: that account is no part of it.
        None if settled.foreign => credential.account_sid = None,
        None => {}
    }
    if changed {
        credential.evidence.insert(0, "settled by asking Twilio".to_owned());
    }
    if matches!(credential.verdict.state, VerdictState::Live | VerdictState::Test) {
        credential.ambiguous.clear();
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
        CredentialType::OauthApp => "asking would make an access token; only reads are sent",
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

/// An Access Token says itself when it ends, and works while the key that signed it exists. It is sent nowhere.
pub(super) fn access_token(credential: &Credential, live_keys: &BTreeMap<String, Option<String>>) -> Verdict {
    let mut verdict = Verdict::unverified();
    let at = now();
    verdict.checked_at = Some(at.to_string());
    verdict.owner.clone_from(&credential.account_sid);
    let expires: Option<Timestamp> = credential.expires.as_ref().and_then(|time| time.parse().ok());
    let signed_by_live = credential.key_sid.as_ref().is_some_and(|key| live_keys.contains_key(key));
    (verdict.state, verdict.reason) = match expires {
        Some(expires) if expires <= at => {
            (VerdictState::Rejected, Some(format!("it ended by itself at {expires}")))
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

/// What the administrator's inventory adds: whose it is, and whether the key still exists.
pub(super) fn own(credential: &mut Credential, inventory: &Inventory, secret: Option<&Secret>) {
    if credential.type_ == CredentialType::AuthToken
        && !matches!(credential.verdict.state, VerdictState::Live | VerdictState::Test)
        && let Some(owner) = secret.and_then(|secret| inventory.owner_of_token(secret))
    {
        let verdict = &mut credential.verdict;
        let active = owner.account.status == "active";
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
    if credential.key_sid.as_deref().is_some_and(|key| key.starts_with("SK")) {
        own_key(credential, inventory);
    } else {
        own_account(credential, inventory, secret);
    }
}

/// Whose a key is, and whether it still exists.
fn own_key(credential: &mut Credential, inventory: &Inventory) {
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
        if verdict.state == VerdictState::Rejected && found.account.status != "active" {
            verdict.state = VerdictState::Inactive;
            verdict.owner = Some(found.account.sid.clone());
            verdict.add(&format!("the account is {}", found.account.status));
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
