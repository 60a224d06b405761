//! A finding as other tools want it: one alert, with a severity and a sentence. Identifiers alone make no alert.

use std::collections::HashMap;

use super::verdict;
use crate::model::{
    Confidence, Credential, Finding, Fingerprint, Kind, RemedyAction, Report, Verdict, VerdictKind,
    VerdictState,
};

/// How bad it is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does no harm any more, or never did.
    Low,
    /// It may be.
    Medium,
    /// It is a secret.
    High,
    /// It works, and does much.
    Critical,
}

/// A secret at a place.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    /// The value's place.
    pub finding: &'a Finding,
    /// What it is a part of.
    pub credential: Option<&'a Credential>,
    /// Why it does not count, where somebody allowed it.
    pub allowed: Option<&'a str>,
}

/// All secrets of a report: those that count, then those that were allowed.
#[must_use]
pub fn all(report: &Report) -> Vec<Alert<'_>> {
    let credentials: HashMap<&Fingerprint, &Credential> =
        report.credentials.iter().map(|credential| (&credential.id, credential)).collect();
    let counted = report.findings.iter().map(|finding| (finding, None));
    let allowed = report.suppressed.iter().map(|s| (&s.finding, Some(s.reason.as_str())));
    counted
        .chain(allowed)
        .filter(|(finding, _)| finding.kind.is_secret())
        .map(|(finding, allowed)| Alert {
            finding,
            credential: credentials.get(&finding.credential).copied(),
            allowed,
        })
        .collect()
}

impl Alert<'_> {
    /// By what Twilio said, and where nobody asked by how sure we are.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let verdict: Option<&Verdict> = self.credential.map(|credential| &credential.verdict);
        match verdict.map(|verdict| (verdict.state, verdict.kind)) {
            Some((VerdictState::Live, Some(VerdictKind::StandardKey | VerdictKind::RestrictedKey))) => {
                Severity::High
            }
            Some((VerdictState::Live, _)) => Severity::Critical,
            Some((VerdictState::Rejected | VerdictState::Test, _)) => Severity::Low,
            Some((VerdictState::Inactive, _)) => Severity::Medium,
            _ if self.finding.confidence == Confidence::High => Severity::High,
            _ => Severity::Medium,
        }
    }

    /// What it is, of whom, and whether it works; without a value.
    #[must_use]
    pub fn sentence(&self) -> String {
        let of = self
            .credential
            .and_then(|credential| credential.key_sid.as_deref().or(credential.account_sid.as_deref()))
            .map(|sid| format!(" of {sid}"))
            .unwrap_or_default();
        let state = match self.credential.map(|credential| credential.verdict.state) {
            None | Some(VerdictState::Unverified) => String::new(),
            Some(state) => format!(", {}", verdict::word(state)),
        };
        format!("{} {}{of}{state}", self.finding.kind.title(), self.finding.redacted.as_str())
    }

    /// What to do, step by step.
    #[must_use]
    pub fn steps(&self) -> String {
        let steps = self.credential.map(|credential| credential.remedy.steps.as_slice()).unwrap_or_default();
        (1..).zip(steps).map(|(number, step)| format!("{number}. {step}")).collect::<Vec<_>>().join(" ")
    }
}

impl Alert<'_> {
    /// What to do, in one line: an annotation in a diff has no room for all the steps.
    #[must_use]
    pub fn next(&self) -> String {
        let Some(credential) = self.credential else { return String::new() };
        let remedy = &credential.remedy;
        let is_foreign = credential.verdict.ours == Some(false);
        match (remedy.action, &credential.key_sid, &credential.account_sid) {
            (RemedyAction::DeleteKey, Some(sid), _) if remedy.steps.len() > 1 && !is_foreign => {
                format!("Put a new key in its place, then delete it: `sidsweep revoke key {sid}`.")
            }
            (RemedyAction::RotateAuthTokenInConsole, _, Some(sid)) if !is_foreign => {
                format!(
                    "Replace the Auth Token: `sidsweep rotate auth-token {sid} --begin`, then `--finish`."
                )
            }
            _ => remedy.steps.first().cloned().unwrap_or_default(),
        }
    }
}

/// How bad a kind of secret is before anybody asked: a CVSS-like score, as GitHub sorts by.
#[must_use]
pub fn score(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::AuthToken => Some("9.8"),
        Kind::ApiKeySecret => Some("9.1"),
        Kind::OauthClientSecret | Kind::SendgridApiKey => Some("8.8"),
        Kind::SegmentApiToken | Kind::AuthyApiKey => Some("8.1"),
        Kind::AccessTokenJwt => Some("7.1"),
        Kind::AccountSid | Kind::ApiKeySid | Kind::OauthClientId | Kind::WebhookSharedKeyId => None,
    }
}
