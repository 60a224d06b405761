//! Making a plan: of the credentials that were found, asked about and looked up, those that can be taken out of service
//! become steps, and all others are named with the reason why not. Nothing is guessed, and nothing is changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};

use super::{apps, guide};
use crate::model::{
    Action, AdminName, Credential, CredentialType, Fingerprint, Inventory, Kind, LeftOut, OwnAccount, OwnKey,
    PLAN_SCHEMA, Plan, Region, Report, Seen, Source, Step, Vault, VerdictKind, VerdictState,
};
use crate::twilio::inventory::Admin;

/// A step without its number, or why there is none.
pub(super) type Considered = Result<Step, String>;

/// Makes a plan from a report whose verdicts are fresh.
#[must_use]
pub fn make(report: &Report, vault: &Vault, admin: &Admin, inventory: &Inventory) -> Plan {
    let mut secret: BTreeSet<&Fingerprint> = BTreeSet::new();
    let mut places: BTreeMap<&Fingerprint, BTreeSet<String>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.kind.is_secret()) {
        secret.insert(&finding.credential);
        places.entry(&finding.credential).or_default().insert(finding.place());
    }
    let mut steps = Vec::new();
    let mut left_out = Vec::new();
    for credential in &report.credentials {
        let considered = if secret.contains(&credential.id) {
            consider(credential, vault, admin, inventory)
        } else {
            Err("a SID alone is not a secret; nothing shows that its secret leaked".to_owned())
        };
        match considered {
            Ok(mut step) => {
                let places = places.get(&credential.id).into_iter().flatten();
                step.places = places.cloned().collect();
                steps.push(step);
            }
            Err(reason) => left_out.push(LeftOut {
                credential: credential.id.clone(),
                key_sid: credential.key_sid.clone(),
                account_sid: credential.account_sid.clone(),
                reason,
                state: Some(credential.verdict.state),
                ours: credential.verdict.ours,
            }),
        }
    }
    let planned: BTreeSet<&Fingerprint> = steps.iter().filter_map(|step| step.credential.as_ref()).collect();
    let sources = sources(report, &planned);
    finish(steps, left_out, admin.name(), sources, &admin.pair.user)
}

/// Where some credentials are read again: of an audit's many repositories, those where one of them stands.
fn sources(report: &Report, credentials: &BTreeSet<&Fingerprint>) -> Vec<Source> {
    let of = |finding: &&crate::model::Finding| credentials.contains(&finding.credential);
    let repositories: BTreeSet<&String> =
        report.findings.iter().filter(of).filter_map(|finding| finding.repository.as_ref()).collect();
    let needed = |source: &&Source| source.repository.as_ref().is_none_or(|name| repositories.contains(name));
    report.sources.iter().filter(needed).map(absolute).collect()
}

/// A plan for one key that was named by its SID: with its leaked secret, or without.
#[must_use]
pub fn for_key(own: &OwnAccount, key: &OwnKey, leak: Option<(&Credential, &Report)>, admin: &Admin) -> Plan {
    let mut step = key_step(own, key, None, admin);
    "named on the command line".clone_into(&mut step.why);
    let mut sources = Vec::new();
    if let Some((credential, report)) = leak {
        step.credential = Some(credential.id.clone());
        step.kind = credential.verdict.kind;
        step.breaks = key_breaks(credential.verdict.kind);
        let of = |finding: &&crate::model::Finding| {
            finding.credential == credential.id && finding.kind == Kind::ApiKeySecret
        };
        let paths: BTreeSet<String> =
            report.findings.iter().filter(of).map(crate::model::Finding::place).collect();
        step.places = paths.into_iter().collect();
        sources = self::sources(report, &BTreeSet::from([&credential.id]));
    }
    finish(vec![step], Vec::new(), admin.name(), sources, &admin.pair.user)
}

/// A plan of steps, in the order in which they are done.
pub(super) fn finish(
    mut steps: Vec<Step>,
    left_out: Vec<LeftOut>,
    admin: AdminName,
    sources: Vec<Source>,
    own_key: &str,
) -> Plan {
    steps.sort_by_cached_key(|step| {
        let last = step.key_sid.as_deref() == Some(own_key);
        (
            last,
            danger(step.kind),
            step.parent_sid.is_some(),
            step.account_sid.clone(),
            step.key_sid.clone(),
            step.target.clone(),
        )
    });
    for (step, n) in steps.iter_mut().zip(1..) {
        step.n = n;
    }
    let now = Timestamp::now();
    let mut plan = Plan {
        schema: PLAN_SCHEMA.to_owned(),
        created_at: now.round(Unit::Second).unwrap_or(now).to_string(),
        admin,
        digest: String::new(),
        account: None,
        sources,
        steps,
        left_out,
    };
    plan.digest = plan.right_digest();
    plan
}

fn absolute(source: &Source) -> Source {
    let root = std::path::absolute(&source.root)
        .map_or_else(|_| source.root.clone(), |root| root.display().to_string());
    Source { root, ..source.clone() }
}

/// Least first: what whoever holds it can do.
fn danger(kind: Option<VerdictKind>) -> u8 {
    match kind {
        Some(VerdictKind::PrimaryToken) => 0,
        Some(VerdictKind::AuthToken) => 1,
        Some(VerdictKind::SecondaryToken) => 2,
        Some(VerdictKind::MainKey) => 3,
        Some(VerdictKind::StandardKey | VerdictKind::OauthApp) | None => 4,
        Some(VerdictKind::RestrictedKey) => 5,
        Some(VerdictKind::TestToken) => 6,
    }
}

fn consider(credential: &Credential, vault: &Vault, admin: &Admin, inventory: &Inventory) -> Considered {
    match credential.type_ {
        CredentialType::ApiKey => api_key(credential, admin, inventory),
        CredentialType::AuthToken => auth_token(credential, vault, admin, inventory),
        CredentialType::AccessToken => access_token(credential),
        CredentialType::AccountSid => Err("a SID alone is not a secret".to_owned()),
        CredentialType::OauthApp => apps::consider(credential, inventory),
        CredentialType::WebhookSharedKey => {
            Err("the id of a SharedKey alone is not a secret; `sidsweep revoke shared-key` deletes it"
                .to_owned())
        }
        CredentialType::SendgridApiKey | CredentialType::SegmentApiToken | CredentialType::AuthyApiKey => {
            Err(format!("not revoked from here, and not asked about: {}", credential.remedy.steps.join(" ")))
        }
    }
}

/// What stands against any step, by the verdict.
pub(super) fn works(credential: &Credential) -> Result<(), String> {
    let reason = credential.verdict.reason.as_deref().unwrap_or("no reason was given");
    match credential.verdict.state {
        VerdictState::Live => Ok(()),
        VerdictState::Test => Err("test credentials: they cost and reach nothing".to_owned()),
        VerdictState::Rejected => Err(format!("Twilio does not accept it: {reason}")),
        // It works again once the account is active.
        VerdictState::Inactive => Ok(()),
        VerdictState::Unknown => Err(format!("not known whether it works: {reason}; ask again")),
        VerdictState::Unverified => Err(format!("not asked about: {reason}")),
    }
}

fn region(credential: &Credential) -> Region {
    credential.verdict.region.as_deref().and_then(|region| region.parse().ok()).unwrap_or(Region::Us1)
}

fn api_key(credential: &Credential, admin: &Admin, inventory: &Inventory) -> Considered {
    works(credential)?;
    let is_inactive = credential.verdict.state == VerdictState::Inactive;
    if !credential.ambiguous.is_empty() {
        return Err("which key it belongs to is not settled".to_owned());
    }
    let Some(sid) = credential.key_sid.as_deref() else {
        return Err("which key it belongs to is not known".to_owned());
    };
    if let Some((own, key)) = inventory.key(sid) {
        if is_inactive && key.region != Region::Us1 {
            return Err("its account is not active, and which region it works in cannot be tried".to_owned());
        }
        if !is_inactive && key.region != region(credential) {
            return Err(format!("it works in {}, and is listed in {}", region(credential), key.region));
        }
        let mut step = key_step(own, key, Some(credential), admin);
        if is_inactive {
            step.why = format!(
                "a key that leaked, of an account that is {}: it is refused now and works again once the account is active. Its secret cannot be tried until then; it stands beside this SID in the code",
                inventory.status(own)
            );
        }
        return Ok(step);
    }
    if is_inactive {
        return Err(inactive_and_foreign(credential));
    }
    // It works, and the administrator does not see it among the keys.
    let owner = credential.verdict.owner.as_deref().and_then(|owner| inventory.account(owner));
    let Some(own) = owner else {
        return Err(match credential.verdict.owner.as_deref() {
            Some(owner) => {
                format!("foreign: it belongs to {owner}, which is not one of your accounts; tell its owner")
            }
            None => "foreign, or of an account whose keys could not be listed: none of your accounts has this key; tell its owner"
                .to_owned(),
        });
    };
    let (account, region) = (&own.account.sid, region(credential));
    let why_not = if region == Region::Us1 {
        own.keys_unread.clone().unwrap_or_else(|| "it is not in the list of its account's keys".to_owned())
    } else {
        format!(
            "the administrator's credential is of us1, and keys of {region} are managed with one of {region}"
        )
    };
    let mut step = blank(own, Action::Manual, Some(credential), region);
    step.key_sid = Some(sid.to_owned());
    step.breaks = key_breaks(credential.verdict.kind);
    step.manual = vec![
        format!("Not by the API: {why_not}."),
        format!(
            "Open {} as an administrator of {account} and delete {sid}; or run again with a credential of {account}.",
            guide::console(region)
        ),
        "Apply this plan again: it tries the leaked key and says whether it is dead.".to_owned(),
    ];
    Ok(step)
}

pub(super) fn key_step(
    own: &OwnAccount,
    key: &OwnKey,
    credential: Option<&Credential>,
    admin: &Admin,
) -> Step {
    let mut step = blank(own, Action::DeleteKey, credential, key.region);
    step.key_sid = Some(key.key.sid.clone());
    step.seen.key_name.clone_from(&key.key.friendly_name);
    step.seen.key_created.clone_from(&key.key.date_created);
    step.breaks = key_breaks(step.kind);
    step.breaks.extend(made_by_others(key.key.friendly_name.as_deref()));
    if key.key.sid == admin.pair.user {
        step.breaks.push("sidsweep itself runs on this key, so it is deleted last".to_owned());
    }
    if step.kind == Some(VerdictKind::MainKey) {
        step.manual.push(
            "A Main key cannot be made by the API: if something needs one, make it in the console first."
                .to_owned(),
        );
    }
    step
}

fn key_breaks(kind: Option<VerdictKind>) -> Vec<String> {
    let mut breaks = vec!["whatever uses this key stops working at once".to_owned()];
    if kind != Some(VerdictKind::RestrictedKey) {
        breaks
            .push("so do the Access Tokens that it signed (voice, video, chat and sync clients)".to_owned());
    }
    breaks
}

/// Keys that a service makes and replaces by itself, by the names that it gives them.
const MADE_BY_OTHERS: [(&str, &str); 2] = [
    (
        "aws-sm-api-key",
        "AWS Secrets Manager made this key and rotates it: have it rotate its secret as well, or it hands out a dead key",
    ),
    ("Studio API Key", "Twilio Studio made this key for its flows, and makes a new one when it is gone"),
];

/// A warning where a key is one that others rotate or make again.
fn made_by_others(name: Option<&str>) -> Option<String> {
    let name = name?.trim();
    let is_so = |beginning: &str| {
        name.get(..beginning.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(beginning))
    };
    MADE_BY_OTHERS.iter().find(|(beginning, _)| is_so(beginning)).map(|(_, words)| (*words).to_owned())
}

/// Why nothing is done about a credential of an account that is not active and not ours.
pub(super) fn inactive_and_foreign(credential: &Credential) -> String {
    let reason = credential.verdict.reason.as_deref().unwrap_or("no reason was given");
    format!(
        "it cannot be tried now: {reason}; it may work again once the account is active, and none of your accounts has it"
    )
}

pub(super) fn blank(
    own: &OwnAccount,
    action: Action,
    credential: Option<&Credential>,
    region: Region,
) -> Step {
    let kind = credential.and_then(|credential| credential.verdict.kind);
    let since =
        credential.and_then(|credential| credential.verdict.checked_at.as_deref()).unwrap_or_default();
    let title = kind.map_or("credential", VerdictKind::title);
    Step {
        n: 0,
        action,
        account_sid: own.account.sid.clone(),
        parent_sid: own.account.parent().map(str::to_owned),
        key_sid: None,
        target: None,
        credential: credential.map(|credential| credential.id.clone()),
        kind,
        region,
        why: format!("a {title} that leaked and works (asked {since})"),
        breaks: Vec::new(),
        manual: Vec::new(),
        seen: Seen { account_status: Some(own.account.status.clone()), key_name: None, key_created: None },
        places: Vec::new(),
    }
}

fn auth_token(credential: &Credential, vault: &Vault, admin: &Admin, inventory: &Inventory) -> Considered {
    works(credential)?;
    let account = credential.verdict.owner.as_deref().or(credential.account_sid.as_deref());
    let Some(own) = account.and_then(|account| inventory.account(account)) else {
        let of = account.unwrap_or("an account that is not known");
        return Err(if credential.verdict.state == VerdictState::Inactive {
            inactive_and_foreign(credential)
        } else {
            format!("foreign: it belongs to {of}, which is not one of your accounts; tell its owner")
        });
    };
    if credential.verdict.state == VerdictState::Inactive {
        return Ok(inactive_token(own, credential, inventory.status(own)));
    }
    let region = region(credential);
    let secret = vault.get(&credential.id);
    let own_token = secret.is_some_and(|secret| *secret == admin.pair.secret);
    let secondary = region == Region::Us1 && credential.verdict.kind == Some(VerdictKind::SecondaryToken);
    if secondary && !own_token && admin.pair.user.starts_with("AC") {
        let mut step = blank(own, Action::DeleteSecondaryToken, Some(credential), region);
        step.breaks = vec![
            "clients that already use the secondary token stop working; those on the primary do not"
                .to_owned(),
        ];
        return Ok(step);
    }
    let mut step = blank(own, Action::Manual, Some(credential), region);
    step.breaks = if secondary {
        vec!["clients that already use the secondary token".to_owned()]
    } else {
        vec![
            "every client that uses this token, at the moment of promoting".to_owned(),
            "webhook signatures (X-Twilio-Signature) are made with the primary token: validators need the new one"
                .to_owned(),
        ]
    };
    step.manual.clone_from(&credential.remedy.steps);
    step.breaks.extend(opens_subaccounts(own, inventory));
    if own_token {
        step.manual.push("sidsweep itself runs on this token: give it the new one afterwards.".to_owned());
    }
    Ok(step)
}

/// A token of an account that is suspended is refused now and works again: it is a person's, and nothing shows it dead until then.
fn inactive_token(own: &OwnAccount, credential: &Credential, status: &str) -> Step {
    let mut step = blank(own, Action::Manual, Some(credential), Region::Us1);
    let account = &own.account.sid;
    step.why = format!(
        "an Auth Token that leaked, of an account that is {status}: it is refused now and works again once the account is active"
    );
    step.manual = vec![
        format!(
            "Have {account} reactivated (`sidsweep contain {account} --release`, where it was suspended by that command; Twilio Support otherwise)."
        ),
        "Then make a new plan: it says how the token is rotated, and can try it.".to_owned(),
    ];
    step
}

/// What a parent's token opens besides its own account.
fn opens_subaccounts(own: &OwnAccount, inventory: &Inventory) -> Option<String> {
    let of = |other: &&OwnAccount| other.account.parent() == Some(own.account.sid.as_str());
    let count = inventory.accounts.iter().filter(of).count();
    (count > 0).then(|| {
        format!("whoever held this parent's token could read the Auth Token of each of its {count} subaccounts: rotate those too")
    })
}

fn access_token(credential: &Credential) -> Considered {
    works(credential)?;
    if credential.verdict.ours == Some(false) {
        return Err("foreign: the account that it is for is not one of yours; tell its owner".to_owned());
    }
    let until = credential.expires.as_deref().unwrap_or("a time that it does not say");
    let key = credential.key_sid.as_deref().unwrap_or("the key that signed it");
    Err(format!(
        "it ends by itself at {until}; to end it at once, delete its key: `sidsweep revoke key {key}`"
    ))
}
