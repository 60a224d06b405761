//! Credentials in the making: what the findings of one secret, or of one SID alone, add up to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bonds::Bonds;
use crate::detect::Hit;
use crate::model::{
    Credential, CredentialType, Fingerprint, Kind, Region, Remedy, RemedyAction, Tie, Verdict,
};
use crate::remedy::guide;

/// A credential in the making.
pub(super) struct Draft {
    type_: CredentialType,
    account: Option<String>,
    key: Option<String>,
    evidence: Vec<String>,
    ambiguous: Vec<Tie>,
    expires: Option<i64>,
    regions: Vec<Region>,
    has_secret: bool,
    pub findings: BTreeSet<Fingerprint>,
}

impl Draft {
    fn of(type_: CredentialType, account: Option<String>, key: Option<String>, hit: &Hit) -> Self {
        let has_secret = hit.kind.is_secret();
        Self {
            type_,
            account,
            key,
            evidence: Vec::new(),
            ambiguous: Vec::new(),
            expires: hit.expires,
            regions: hit.regions.clone(),
            has_secret,
            findings: BTreeSet::new(),
        }
    }

    /// The credential that a secret is.
    fn of_secret(hit: &Hit, bonds: &Bonds) -> Self {
        let bond = bonds.get(hit.kind, hit.value.expose());
        let sid = || bond.map(|b| b.sid.clone());
        let (type_, account, key) = match hit.kind {
            Kind::AuthToken => (CredentialType::AuthToken, sid(), None),
            Kind::ApiKeySecret => {
                let account = bond.and_then(|b| bonds.get(Kind::ApiKeySid, &b.sid)).map(|b| b.sid.clone());
                (CredentialType::ApiKey, account, sid())
            }
            Kind::AccessTokenJwt => {
                let (account, key) =
                    hit.names.clone().map_or((None, None), |(account, key)| (account, Some(key)));
                (CredentialType::AccessToken, account, key)
            }
            Kind::OauthClientSecret => (CredentialType::OauthApp, None, sid()),
            Kind::SendgridApiKey => (CredentialType::SendgridApiKey, None, None),
            Kind::SegmentApiToken => (CredentialType::SegmentApiToken, None, None),
            _ => (CredentialType::AuthyApiKey, None, None),
        };
        let mut draft = Self::of(type_, account, key, hit);
        if let Some(bond) = bond {
            draft.evidence.push(bond.evidence.clone());
            draft.ambiguous.clone_from(&bond.rivals);
        }
        draft
    }

    /// The credential, or bare identifier, that a SID is where no secret claims it.
    fn of_sid(hit: &Hit, bonds: &Bonds) -> Self {
        let value = hit.value.expose().to_owned();
        match hit.kind {
            Kind::AccountSid => Self::of(CredentialType::AccountSid, Some(value), None, hit),
            Kind::ApiKeySid => {
                let account = bonds.get(hit.kind, &value).map(|b| b.sid.clone());
                Self::of(CredentialType::ApiKey, account, Some(value), hit)
            }
            Kind::WebhookSharedKeyId => Self::of(CredentialType::WebhookSharedKey, None, Some(value), hit),
            _ => Self::of(CredentialType::OauthApp, None, Some(value), hit),
        }
    }

    pub fn finish(mut self, id: Fingerprint, accounts: &HashMap<&str, Vec<&Fingerprint>>) -> Credential {
        // The account's places stand with the key's or token's, so that one look shows all parts.
        if self.type_ != CredentialType::AccountSid
            && let Some(places) = self.account.as_deref().and_then(|account| accounts.get(account))
        {
            self.findings.extend(places.iter().map(|&id| id.clone()));
        }
        let expires = self.expires.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let mut credential = Credential {
            id,
            type_: self.type_,
            account_sid: self.account,
            key_sid: self.key,
            findings: self.findings.into_iter().collect(),
            evidence: self.evidence,
            ambiguous: self.ambiguous,
            expires: expires.map(|time| time.to_string()),
            region_hints: self.regions,
            verdict: Verdict::unverified(),
            exposure: None,
            remedy: Remedy { action: RemedyAction::None, steps: Vec::new() },
        };
        credential.remedy = guide::remedy(&credential, self.has_secret);
        credential
    }
}

pub(super) fn own_id(hit: &Hit) -> Fingerprint {
    Fingerprint::of_credential(&[hit.kind.as_str(), hit.value.expose()])
}

/// All credentials in the making, and which of them an account's or key's SID belongs to.
#[derive(Default)]
pub(super) struct Drafts {
    pub drafts: BTreeMap<Fingerprint, Draft>,
    of_account: HashMap<String, Fingerprint>,
    of_key: HashMap<String, Fingerprint>,
}

impl Drafts {
    pub fn add_secret(&mut self, hit: &Hit, bonds: &Bonds) {
        let id = own_id(hit);
        let draft = Draft::of_secret(hit, bonds);
        // An account's SID is shown with its token if there is one, else with a key.
        match (&draft.account, draft.type_) {
            (Some(sid), CredentialType::AuthToken) => {
                self.of_account.insert(sid.clone(), id.clone());
            }
            (Some(sid), _) => {
                self.of_account.entry(sid.clone()).or_insert_with(|| id.clone());
            }
            (None, _) => {}
        }
        if let Some(sid) = &draft.key {
            self.of_key.entry(sid.clone()).or_insert_with(|| id.clone());
        }
        let regions = draft.regions.clone();
        let known = self.drafts.entry(id).or_insert(draft);
        for region in regions {
            if !known.regions.contains(&region) {
                known.regions.push(region);
            }
        }
    }

    /// Adds a finding to its credential and says which that is.
    pub fn claim(&mut self, hit: &Hit, finding: &Fingerprint, bonds: &Bonds) -> Fingerprint {
        let claimed = match hit.kind {
            Kind::AccountSid => self.of_account.get(hit.value.expose()),
            Kind::ApiKeySid | Kind::OauthClientId => self.of_key.get(hit.value.expose()),
            _ => None,
        };
        let id = claimed.cloned().unwrap_or_else(|| own_id(hit));
        self.drafts
            .entry(id.clone())
            .or_insert_with(|| Draft::of_sid(hit, bonds))
            .findings
            .insert(finding.clone());
        id
    }
}
