//! Which SIDs a secret may belong to: what is asked about, and how many candidates are left.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::{Options, SETTLED};
use crate::model::{
    Credential, CredentialType, Finding, Fingerprint, Inventory, Kind, Region, Secret, VerdictState,
};
use crate::twilio::verify::{MOST_TRIES, Question};

/// A file with more SIDs than this is a list of accounts; then a key is looked for in the account beside it alone.
const FEW_SIDS: usize = 4;

/// Where the SIDs of a report stand, for finding possible partners of a secret.
pub(super) struct Places<'a> {
    sids: Vec<&'a Finding>,
    secrets: BTreeMap<&'a Fingerprint, Vec<&'a Finding>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(findings: &'a [Finding]) -> Self {
        let mut secrets: BTreeMap<&Fingerprint, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding.kind.is_secret()) {
            secrets.entry(&finding.credential).or_default().push(finding);
        }
        Self { sids: findings.iter().filter(|finding| !finding.kind.is_secret()).collect(), secrets }
    }

    /// The credentials that have a value.
    pub(super) fn with_secret(&self) -> BTreeSet<Fingerprint> {
        self.secrets.keys().map(|&id| id.clone()).collect()
    }

    pub(super) fn question(&self, credential: &Credential, secret: &Secret) -> Option<Question> {
        match credential.type_ {
            CredentialType::AuthToken => {
                let (accounts, left) =
                    self.partners(credential, Kind::AccountSid, credential.account_sid.as_deref());
                (!accounts.is_empty()).then(|| Question::Token { token: secret.clone(), accounts, left })
            }
            CredentialType::ApiKey => {
                let (keys, left) = self.partners(credential, Kind::ApiKeySid, credential.key_sid.as_deref());
                let accounts = self.accounts(credential);
                (!keys.is_empty()).then(|| Question::Key { secret: secret.clone(), keys, left, accounts })
            }
            _ => None,
        }
    }

    /// SIDs that may belong to a secret, most likely first, and how many more there are: the one it is paired with, those that
    /// are as likely, those of the same file; where there is none of these, those of its folder and of everywhere; and those of
    /// the whole report where they are few. A secret that Twilio once accepted belongs to the SID that it was accepted with.
    fn partners(&self, credential: &Credential, kind: Kind, paired: Option<&str>) -> (Vec<String>, usize) {
        let mut partners: Vec<String> = paired.map(str::to_owned).into_iter().collect();
        if is_settled(credential) && !partners.is_empty() {
            return (partners, 0);
        }
        partners.extend(rivals(credential, kind));
        partners.extend(self.in_file(credential, kind));
        let everywhere: BTreeSet<&str> = self.of_kind(kind).map(|sid| sid.redacted.as_str()).collect();
        if partners.is_empty() {
            let folders: BTreeSet<&str> = self.paths(credential).into_iter().map(folder).collect();
            let in_folder = self.of_kind(kind).filter(|sid| folders.contains(folder(&sid.location.path)));
            partners.extend(in_folder.chain(self.of_kind(kind)).map(|sid| sid.redacted.as_str().to_owned()));
        } else if everywhere.len() <= MOST_TRIES {
            partners.extend(everywhere.into_iter().map(str::to_owned));
        }
        let mut seen = BTreeSet::new();
        partners.retain(|sid| seen.insert(sid.clone()));
        let left = partners.len().saturating_sub(MOST_TRIES);
        partners.truncate(MOST_TRIES);
        (partners, left)
    }

    /// The accounts that a key may belong to, most likely first.
    fn accounts(&self, credential: &Credential) -> Vec<String> {
        let mut accounts: Vec<String> = credential.account_sid.iter().cloned().collect();
        accounts.extend(rivals(credential, Kind::AccountSid));
        let in_file = self.in_file(credential, Kind::AccountSid);
        if in_file.len() <= FEW_SIDS || accounts.is_empty() {
            accounts.extend(in_file);
        }
        let mut seen = BTreeSet::new();
        accounts.retain(|sid| seen.insert(sid.clone()));
        accounts.truncate(MOST_TRIES);
        accounts
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &&'a Finding> {
        self.sids.iter().filter(move |sid| sid.kind == kind)
    }

    fn paths(&self, credential: &Credential) -> BTreeSet<&'a str> {
        let own = self.secrets.get(&credential.id).map_or(&[][..], Vec::as_slice);
        own.iter().map(|finding| finding.location.path.as_str()).collect()
    }

    /// The SIDs of the files where a secret stands, each once.
    fn in_file(&self, credential: &Credential, kind: Kind) -> Vec<String> {
        let paths = self.paths(credential);
        let mut seen = BTreeSet::new();
        self.of_kind(kind)
            .filter(|sid| paths.contains(sid.location.path.as_str()))
            .map(|sid| sid.redacted.as_str())
            .filter(|sid| seen.insert(*sid))
            .map(str::to_owned)
            .collect()
    }
}

/// Partners that are as likely as the one that is named.
fn rivals(credential: &Credential, kind: Kind) -> impl Iterator<Item = String> {
    let prefix = if kind == Kind::AccountSid { "AC" } else { "SK" };
    credential.ambiguous.iter().map(|tie| tie.sid.clone()).filter(move |sid| sid.starts_with(prefix))
}

/// Whether Twilio accepted the secret with the SID that it is paired with, now or when the report was made.
fn is_settled(credential: &Credential) -> bool {
    matches!(credential.verdict.state, VerdictState::Live | VerdictState::Test)
        || credential.evidence.iter().any(|evidence| evidence == SETTLED)
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// Adds the administrator's own keys to those that a secret is tried with, where that is wished for: a secret that stands beside
/// another key's SID may be one of theirs.
pub(super) fn add_own_keys(question: &mut Question, inventory: &Inventory, options: &Options) {
    let Question::Key { keys, left, .. } = question else { return };
    if options.own_keys == 0 {
        return;
    }
    let own = inventory.accounts.iter().flat_map(|own| &own.keys);
    let more: Vec<String> = own
        .filter(|own| own.region == Region::Us1 && !keys.contains(&own.key.sid))
        .map(|own| own.key.sid.clone())
        .collect();
    *left += more.len().saturating_sub(options.own_keys);
    keys.extend(more.into_iter().take(options.own_keys));
}
