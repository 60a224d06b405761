//! What audits found, across repositories: a credential that leaked in forty of them is one credential with forty places.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::{Audit, Error, Store, read, written};
use crate::model::{Allowed, AllowedBy, Report};
use crate::model::{
    Coverage, Credential, Exposure, Finding, Fingerprint, Region, Repository, SCHEMA, Stats, Tally, Tool,
    Unit, Verdict, VerdictState, WorkState,
};

/// Which findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this audit saw for the first time.
    pub new_only: bool,
}

/// A report of an audit, before anything is accepted.
#[derive(Debug)]
pub struct Found {
    /// The report.
    pub report: Report,
    /// Repositories that nobody has looked at yet.
    pub open: u64,
}

/// What Twilio said last.
#[derive(Serialize, Deserialize)]
struct Known {
    verdict: Verdict,
    exposure: Option<Exposure>,
}

impl Store {
    /// The findings of an audit's repositories, as the last look at each left them.
    pub async fn report(&self, audit: &Audit, filter: Filter) -> Result<Found, Error> {
        let rows = sqlx::query("SELECT w.repository, w.state, w.reason, r.body, s.stats, s.skipped, s.credentials FROM work w JOIN repositories r ON r.name = w.repository LEFT JOIN scans s ON s.repository = w.repository WHERE w.audit = $1 ORDER BY w.repository")
            .bind(&audit.id)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let mut stats = Stats::default();
        let tally = Tally::default();
        let mut credentials: BTreeMap<Fingerprint, Credential> = BTreeMap::new();
        let mut open = 0;
        for row in &rows {
            let name: String = row.get("repository");
            let state: String = row.get("state");
            let known = tally.know(read::<Repository>(row.get("body"))?.unit(), name.clone());
            match WorkState::named(&state) {
                Some(WorkState::Failed) => {
                    known.skip(row.get::<Option<String>, _>("reason").unwrap_or_default());
                }
                Some(WorkState::Queued | WorkState::Running) => {
                    open += 1;
                    known.skip(STILL_OPEN);
                }
                Some(WorkState::Done | WorkState::Unchanged) => known.read(),
                None => known.skip(format_args!("its state is {state:?}, which this version does not know")),
            }
            let Some(text) = row.get::<Option<String>, _>("stats") else { continue };
            stats += read::<Stats>(&text)?;
            let inside = coverage(row.get("skipped"))?;
            tally.add(&inside.renamed(|path| format!("{name}: {path}")));
            for credential in read::<Vec<Credential>>(row.get("credentials"))? {
                match credentials.get_mut(&credential.id) {
                    Some(known) => join(known, credential),
                    None => {
                        credentials.insert(credential.id.clone(), credential);
                    }
                }
            }
        }
        listings(audit, &tally);
        let findings = self.findings(audit, filter).await?;
        self.recall(&mut credentials).await?;
        stats.seconds = seconds(audit);
        let report = Report {
            schema: SCHEMA.to_owned(),
            tool: Tool::this(),
            sources: self.sources(&audit.id).await?,
            stats,
            coverage: tally.end(),
            not_covered: Vec::new(),
            credentials: named(credentials, &findings),
            findings,
            asked: None,
            suppressed: Vec::new(),
        };
        Ok(Found { report, open })
    }

    async fn findings(&self, audit: &Audit, filter: Filter) -> Result<Vec<Finding>, Error> {
        let rows = sqlx::query("SELECT f.first_audit, f.first_seen, f.allowed, f.body FROM findings f JOIN work w ON w.repository = f.repository WHERE w.audit = $1")
            .bind(&audit.id)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let mut findings = Vec::with_capacity(rows.len());
        for row in &rows {
            if filter.new_only && row.get::<String, _>("first_audit") != audit.id {
                continue;
            }
            let mut finding: Finding = read(row.get("body"))?;
            let reason: Option<String> = row.get("allowed");
            finding.allowed = reason.map(|reason| Allowed { by: AllowedBy::Comment, reason });
            finding.first_seen = Some(row.get("first_seen"));
            findings.push(finding);
        }
        findings
            .sort_by(|a, b| (&a.repository, &a.location, a.kind).cmp(&(&b.repository, &b.location, b.kind)));
        Ok(findings)
    }

    /// Adds what Twilio said of them when it was asked last.
    async fn recall(&self, credentials: &mut BTreeMap<Fingerprint, Credential>) -> Result<(), Error> {
        let rows = sqlx::query("SELECT credential, body FROM verdicts")
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for row in &rows {
            known.insert(row.get("credential"), read(row.get("body"))?);
        }
        for credential in credentials.values_mut() {
            if let Some(known) = known.remove(credential.id.as_str()) {
                credential.verdict = known.verdict;
                credential.exposure = known.exposure;
            }
        }
        Ok(())
    }

    /// Keeps what Twilio said.
    pub async fn keep_verdicts(&self, credentials: &[Credential]) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let asked =
            credentials.iter().filter(|credential| credential.verdict.state != VerdictState::Unverified);
        for credential in asked {
            let known = Known { verdict: credential.verdict.clone(), exposure: credential.exposure.clone() };
            sqlx::query("INSERT INTO verdicts (credential, body) VALUES ($1, $2) ON CONFLICT (credential) DO UPDATE SET body = excluded.body")
                .bind(credential.id.as_str())
                .bind(written(&known))
                .execute(&mut *transaction)
                .await
                .map_err(self.fail())?;
        }
        transaction.commit().await.map_err(self.fail())
    }
}

/// Those credentials of which something was found, with those findings.
fn named(credentials: BTreeMap<Fingerprint, Credential>, findings: &[Finding]) -> Vec<Credential> {
    let ids: BTreeSet<&Fingerprint> = findings.iter().map(|finding| &finding.id).collect();
    let mut named: Vec<Credential> = credentials.into_values().collect();
    for credential in &mut named {
        credential.findings.retain(|id| ids.contains(id));
    }
    named.retain(|credential| !credential.findings.is_empty());
    named
}

/// Why a repository of an audit that goes on was not read.
const STILL_OPEN: &str =
    "it is still to be looked at: the audit is not finished; the same command goes on with it";

/// Whether each source of an audit was listed to its end. What of a listing was not seen is named by itself.
fn listings(audit: &Audit, tally: &Tally) {
    for source in &audit.sources {
        let known = tally.know(Unit::Listings, source);
        if audit.listed {
            known.read();
        } else {
            known.skip("its listing is not finished, so there may be more repositories");
        }
    }
}

/// What a look at a repository covered. Older versions kept a list of what was not read.
fn coverage(text: &str) -> Result<Coverage, Error> {
    if text.starts_with('[') { read(&format!("{{\"skipped\":{text}}}")) } else { read(text) }
}

/// How long an audit took, or has taken so far.
fn seconds(audit: &Audit) -> f64 {
    let begin: Option<jiff::Timestamp> = audit.started_at.parse().ok();
    let end =
        audit.finished_at.as_ref().and_then(|time| time.parse().ok()).unwrap_or_else(jiff::Timestamp::now);
    begin.map_or(0.0, |begin| end.duration_since(begin).as_secs_f64())
}

/// Adds what another repository knows of the same credential. Where one knows its account or key and the other does not,
/// the one that knows is believed; where both know and differ, the doubt is kept.
fn join(known: &mut Credential, other: Credential) {
    let rank = |credential: &Credential| {
        (
            credential.account_sid.is_some() && credential.key_sid.is_some(),
            credential.account_sid.is_some() || credential.key_sid.is_some(),
            credential.ambiguous.is_empty(),
        )
    };
    let mut other = other;
    if rank(&other) > rank(known) {
        std::mem::swap(known, &mut other);
    }
    known.findings.append(&mut other.findings);
    let fresh = |region: &Region| !known.region_hints.contains(region);
    let regions: Vec<Region> = other.region_hints.iter().copied().filter(fresh).collect();
    known.region_hints.extend(regions);
    for (own, others) in [(&known.account_sid, &other.account_sid), (&known.key_sid, &other.key_sid)] {
        if let (Some(own), Some(others)) = (own, others)
            && own != others
            && !known.ambiguous.iter().any(|tie| tie.sid == *others)
        {
            known.ambiguous.push(crate::model::Tie {
                sid: others.clone(),
                evidence: "stands with it in another repository".to_owned(),
            });
        }
    }
}
