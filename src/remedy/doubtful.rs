//! Asking as the last judge: values that nothing but their shape speaks for are tried with the SIDs near them, the most likely
//! pairs first and no more than the bounds allow. What Twilio accepts is reported as certain; what it refuses is not reported.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::ask::{self, Options};
use super::{guide, ours};
use crate::model::{
    AskedDoubtful, Confidence, Credential, CredentialType, DoubtfulValue, DoubtfulValues, Exposure, Finding,
    Fingerprint, Inventory, Kind, Remedy, RemedyAction, Report, Secret, Verdict, VerdictState,
};
use crate::twilio::Client;
use crate::twilio::inventory::Admin;
use crate::twilio::verify::{self, Depth, Question, Settled};

/// Pairs that are asked about at once; the client bounds each account and the rate.
const AT_ONCE: usize = 32;
/// After so many pairs in a row without an answer of Twilio's the rest is not asked about: there is no network, or Twilio is
/// too busy, and each further pair would be waited for in vain.
const MOST_FAULTS: usize = 16;
/// What a report says of a value that turned out to be a secret, before anything else.
pub const ACCEPTED: &str = "Twilio accepts it";

/// How much is asked.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most pairs with one SID.
    pub per_sid: usize,
    /// The most pairs in a run.
    pub most: usize,
}

/// A value and one of its SIDs, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    value: usize,
    sid: usize,
}

/// How many values there are something to ask about, and in how many pairs.
#[must_use]
pub fn askable(doubtful: &DoubtfulValues, bounds: Bounds) -> (usize, usize) {
    let chosen = choose(&doubtful.values, bounds);
    let values: BTreeSet<usize> = chosen.iter().map(|choice| choice.value).collect();
    (values.len(), chosen.len())
}

/// The pairs to ask about, the most likely first. The nearest SID of a value is the likeliest, and the n-th is taken to be an
/// n-th as likely.
fn choose(values: &[DoubtfulValue], bounds: Bounds) -> Vec<Choice> {
    let mut pairs: Vec<(f32, u64, Choice)> = values
        .iter()
        .enumerate()
        .flat_map(|(number, value)| {
            let sids = 0..value.sids.len();
            sids.map(move |sid| {
                let share = f32::from(u16::try_from(sid + 1).unwrap_or(u16::MAX)).ln();
                (value.odds - share, value.distance, Choice { value: number, sid })
            })
        })
        .collect();
    let place = |choice: &Choice| (&values[choice.value].findings[0].location, choice.sid);
    pairs.sort_by(|(a_odds, a_distance, a), (b_odds, b_distance, b)| {
        b_odds.total_cmp(a_odds).then(a_distance.cmp(b_distance)).then_with(|| place(a).cmp(&place(b)))
    });
    let mut with_sid: HashMap<&str, usize> = HashMap::new();
    let mut chosen = Vec::new();
    for (_, _, choice) in pairs {
        let count = with_sid.entry(&values[choice.value].sids[choice.sid]).or_default();
        if *count < bounds.per_sid && chosen.len() < bounds.most {
            *count += 1;
            chosen.push(choice);
        }
    }
    chosen
}

/// What came of one pair.
enum Outcome {
    /// It was not asked about: the value was accepted with another SID meanwhile, or nobody answers.
    Left,
    Refused,
    Unsettled,
    Accepted(Box<(Settled, Option<Exposure>, Timestamp)>),
}

/// Asks about the values, adds those that Twilio accepts to the report, and notes there what was asked and what was left. The
/// report's own credentials have been asked about before. `done` is told after each pair.
pub async fn ask(
    client: &Client,
    mut admin: Option<(&Admin, &mut Inventory)>,
    report: &mut Report,
    doubtful: DoubtfulValues,
    bounds: Bounds,
    options: &Options,
    done: &(dyn Fn() + Sync),
) {
    let values = &doubtful.values;
    let chosen = choose(values, bounds);
    let accepted: Vec<AtomicBool> = values.iter().map(|_| AtomicBool::new(false)).collect();
    let faults = AtomicUsize::new(0);
    let (accepted, faults) = (&accepted, &faults);
    let seen = admin.as_ref().map(|(_, inventory)| &**inventory);
    let outcomes: Vec<(Choice, Outcome)> = stream::iter(chosen)
        .map(|choice| async move {
            let is_accepted = &accepted[choice.value];
            let outcome =
                if is_accepted.load(Ordering::Relaxed) || faults.load(Ordering::Relaxed) >= MOST_FAULTS {
                    Outcome::Left
                } else {
                    one(client, &values[choice.value], choice.sid, (seen, options), faults).await
                };
            is_accepted.fetch_or(matches!(outcome, Outcome::Accepted(_)), Ordering::Relaxed);
            done();
            (choice, outcome)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (asked, live) = tally(&doubtful, outcomes, bounds);
    let found: Vec<Found> = doubtful
        .values
        .into_iter()
        .enumerate()
        .filter_map(|(number, value)| Some(Found::of(value, live.get(&number)?.clone())))
        .collect();
    if let Some((admin, inventory)) = &mut admin {
        let credentials = found.iter().map(|found| &found.credential);
        ask::find_hidden_keys(client, admin, inventory, credentials).await;
    }
    let inventory = admin.as_ref().map(|(_, inventory)| &**inventory);
    for found in found {
        add(report, found, inventory, options);
    }
    access_tokens(report, client.now());
    if let Some(noted) = &mut report.asked {
        noted.requests = client.sent();
        noted.doubtful = Some(asked);
    }
}

/// What Twilio said of a value that it accepts.
type Answer = (Settled, Option<Exposure>, Timestamp);

/// Asks about one pair: one request for each region, and a few more if it is accepted.
async fn one(
    client: &Client,
    value: &DoubtfulValue,
    sid: usize,
    (inventory, options): (Option<&Inventory>, &Options),
    faults: &AtomicUsize,
) -> Outcome {
    let sids = vec![value.sids[sid].clone()];
    let question = if value.findings[0].kind == Kind::AuthToken {
        Question::Token { token: value.secret.clone(), accounts: sids, left: 0 }
    } else {
        let accounts = value.accounts.clone();
        Question::Key { secret: value.secret.clone(), keys: sids, left: 0, accounts }
    };
    let regions = ask::regions(&value.regions, options);
    let settled = verify::verify(client, &question, &regions, Depth::Glance).await;
    let verdict = &settled.verdict;
    let is_fault = verdict.state == VerdictState::Unknown && matches!(verdict.code, None | Some(20429));
    if is_fault {
        faults.fetch_add(1, Ordering::Relaxed);
    } else {
        faults.store(0, Ordering::Relaxed);
    }
    match verdict.state {
        VerdictState::Rejected => Outcome::Refused,
        _ if is_accepted(verdict) => {
            let exposure = ask::reach(client, &question, &settled, inventory, options).await;
            Outcome::Accepted(Box::new((settled, exposure, ask::now())))
        }
        _ => Outcome::Unsettled,
    }
}

/// Whether Twilio knows the pair. That an account is not active proves it only where the answer is about the account itself; an
/// error code may come whatever the secret is.
fn is_accepted(verdict: &Verdict) -> bool {
    match verdict.state {
        VerdictState::Live | VerdictState::Test => true,
        VerdictState::Inactive => verdict.code.is_none(),
        _ => false,
    }
}

/// What it all came to, and the answers for the values that were accepted.
fn tally(
    doubtful: &DoubtfulValues,
    outcomes: Vec<(Choice, Outcome)>,
    bounds: Bounds,
) -> (AskedDoubtful, BTreeMap<usize, Answer>) {
    let mut answers: BTreeMap<usize, Answer> = BTreeMap::new();
    let mut asked_with = vec![0; doubtful.values.len()];
    let mut unsettled: BTreeSet<usize> = BTreeSet::new();
    for (Choice { value, .. }, outcome) in outcomes {
        asked_with[value] += usize::from(!matches!(outcome, Outcome::Left));
        match outcome {
            Outcome::Accepted(answer) => {
                answers.entry(value).or_insert(*answer);
            }
            Outcome::Unsettled => {
                unsettled.insert(value);
            }
            Outcome::Left | Outcome::Refused => {}
        }
    }
    unsettled.retain(|value| !answers.contains_key(value));
    let is_asked = |(number, value): &(usize, &DoubtfulValue)| {
        answers.contains_key(number) || asked_with[*number] == value.sids.len()
    };
    let asked = doubtful.values.iter().enumerate().filter(is_asked).count() as u64;
    let candidates = doubtful.values.len() as u64 + doubtful.dropped;
    let noted = AskedDoubtful {
        candidates,
        asked,
        left: candidates - asked,
        pairs: asked_with.iter().sum::<usize>() as u64,
        accepted: answers.len() as u64,
        unsettled: unsettled.len() as u64,
        most_per_sid: bounds.per_sid as u64,
        most: bounds.most as u64,
    };
    (noted, answers)
}

/// A value that Twilio accepts: its places as findings, and the credential that it is.
struct Found {
    findings: Vec<Finding>,
    credential: Credential,
    secret: Secret,
}

impl Found {
    fn of(value: DoubtfulValue, (settled, exposure, at): Answer) -> Self {
        let mut findings = value.findings;
        for finding in &mut findings {
            finding.confidence = Confidence::High;
            finding.evidence.insert(0, ACCEPTED.to_owned());
        }
        let is_token = findings[0].kind == Kind::AuthToken;
        let mut credential = Credential {
            id: findings[0].credential.clone(),
            type_: if is_token { CredentialType::AuthToken } else { CredentialType::ApiKey },
            account_sid: None,
            key_sid: None,
            findings: findings.iter().map(|finding| finding.id.clone()).collect(),
            evidence: Vec::new(),
            ambiguous: Vec::new(),
            expires: None,
            region_hints: value.regions,
            verdict: Verdict::unverified(),
            exposure: None,
            remedy: Remedy { action: RemedyAction::None, steps: Vec::new() },
        };
        ask::note(&mut credential, settled, exposure, at);
        Self { findings, credential, secret: value.secret }
    }
}

/// Adds a value that Twilio accepts to the report.
fn add(report: &mut Report, found: Found, inventory: Option<&Inventory>, options: &Options) {
    let Found { findings, mut credential, secret } = found;
    if let Some(inventory) = inventory {
        ours::own(&mut credential, inventory, Some(&secret), options);
    }
    credential.remedy = guide::remedy(&credential, true);
    take_sids(report, &mut credential);
    report.findings.extend(findings);
    report.findings.sort_by(|a, b| (&a.location, a.kind).cmp(&(&b.location, b.kind)));
    report.credentials.push(credential);
    report.credentials.sort_by(|a, b| a.id.cmp(&b.id));
}

/// The SIDs of the credential that stood alone until now are a part of it; those of other credentials are listed with it too.
fn take_sids(report: &mut Report, credential: &mut Credential) {
    let with_secret: BTreeSet<Fingerprint> = report
        .findings
        .iter()
        .filter(|finding| finding.kind.is_secret())
        .map(|finding| finding.credential.clone())
        .collect();
    let is_own = |finding: &Finding| match finding.kind {
        Kind::AccountSid => credential.account_sid.as_deref() == Some(finding.redacted.as_str()),
        Kind::ApiKeySid => credential.key_sid.as_deref() == Some(finding.redacted.as_str()),
        _ => false,
    };
    let mut emptied: BTreeSet<Fingerprint> = BTreeSet::new();
    let mut own: Vec<Fingerprint> = Vec::new();
    for finding in report.findings.iter_mut().filter(|finding| is_own(finding)) {
        own.push(finding.id.clone());
        if !with_secret.contains(&finding.credential) {
            emptied.insert(std::mem::replace(&mut finding.credential, credential.id.clone()));
        }
    }
    credential.findings.extend(own);
    credential.findings.sort();
    credential.findings.dedup();
    emptied.retain(|id| !report.findings.iter().any(|finding| finding.credential == *id));
    report.credentials.retain(|other| !emptied.contains(&other.id));
}

/// Access Tokens whose key was found to work only now.
fn access_tokens(report: &mut Report, at: Option<Timestamp>) {
    let live_keys = ask::keys_that_are_live(&report.credentials);
    for credential in &mut report.credentials {
        if credential.type_ == CredentialType::AccessToken
            && credential.verdict.state == VerdictState::Unknown
        {
            let verdict = ask::access_token(credential, &live_keys, at);
            if verdict.state == VerdictState::Live {
                credential.verdict = verdict;
                credential.remedy = guide::remedy(credential, true);
            }
        }
    }
}
