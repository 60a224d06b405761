//! A repository in the hands of one worker: given out by a token, looked at, and ended under that token.

use std::collections::HashMap;

use sqlx::{Any, Row, Transaction};

use super::{Error, Store, now, read, written};
use crate::model::{Coverage, Credential, Finding, Repository, SourceMode, Stats, WorkState};
use crate::scan::ledger::Ledger;

/// The right to work on a repository, until somebody else takes it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The audit.
    pub audit: String,
    /// The repository.
    pub repository: Repository,
    /// Changes with each try.
    token: String,
    /// How often a worker vanished while it was at it.
    pub deaths: i64,
    /// How often it was tried and did not go.
    pub tries: i64,
}

/// What an earlier look at a repository found.
#[derive(Debug, Default)]
pub struct FoundBefore {
    /// The ids of the objects with hits, in hex.
    pub hits: Vec<String>,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// What they added up to.
    pub credentials: Vec<Credential>,
}

/// What a look at a repository brought.
#[derive(Debug)]
pub struct Look {
    /// The version of rules and detector.
    pub rules: String,
    /// A digest of its references.
    pub refs: String,
    /// Where it lies on this machine.
    pub root: String,
    /// This machine.
    pub host: String,
    /// How it was scanned.
    pub mode: SourceMode,
    /// How much was looked at.
    pub stats: Stats,
    /// What was known of, and what of it was read and what was not.
    pub coverage: Coverage,
    /// All findings of the repository, old and new.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub credentials: Vec<Credential>,
    /// Which objects were judged.
    pub ledger: Ledger,
    /// The ledger goes on from what is stored, which stays; else it takes the place of that.
    pub goes_on: bool,
}

/// How work on a repository ended.
#[derive(Debug)]
pub enum Ending {
    /// It was looked at.
    Looked(Box<Look>),
    /// Its references are as they were.
    Unchanged,
    /// It cannot be looked at.
    Failed(String),
    /// It did not go this time.
    Again(String),
    /// The run ends first.
    Stopped,
}

impl Store {
    /// Takes a repository; `None` where there is nothing left to do about it. Whoever had it before loses it.
    pub async fn claim(&self, audit: &str, repository: &str, worker: &str) -> Result<Option<Claim>, Error> {
        let token = format!("{:016x}", fastrand::u64(..));
        let taken = sqlx::query(
            "UPDATE work SET state = 'running', claim = $1, worker = $2, started_at = $3, deaths = deaths + 1 WHERE audit = $4 AND repository = $5 AND state IN ('queued', 'running') RETURNING deaths, tries",
        )
        .bind(&token)
        .bind(worker)
        .bind(now())
        .bind(audit)
        .bind(repository)
        .fetch_optional(&self.pool)
        .await
        .map_err(self.fail())?;
        let Some(taken) = taken else { return Ok(None) };
        Ok(Some(Claim {
            audit: audit.to_owned(),
            repository: self.repository(repository).await?,
            token,
            deaths: taken.get::<i64, _>("deaths") - 1,
            tries: taken.get("tries"),
        }))
    }

    /// What an earlier look judged, by the same rules; nothing where there was none.
    pub async fn ledger(&self, repository: &str, rules: &str) -> Result<Option<(Ledger, String)>, Error> {
        let row = sqlx::query("SELECT refs, hits FROM scans WHERE repository = $1 AND rules = $2")
            .bind(repository)
            .bind(rules)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.fail())?;
        let Some(row) = row else { return Ok(None) };
        let hits: Vec<String> = read(row.get("hits"))?;
        let parts = sqlx::query("SELECT ids FROM seen WHERE repository = $1 ORDER BY part")
            .bind(repository)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let seen: Vec<u8> = parts.iter().flat_map(|part| part.get::<Vec<u8>, _>("ids")).collect();
        Ok(Some((Ledger::of(self.key, &seen, hits.iter().map(String::as_str)), row.get("refs"))))
    }

    /// What the last look at a repository found, whatever the rules were.
    pub async fn found_before(&self, repository: &str) -> Result<FoundBefore, Error> {
        let scan = sqlx::query("SELECT hits, credentials FROM scans WHERE repository = $1")
            .bind(repository)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.fail())?;
        let Some(scan) = scan else { return Ok(FoundBefore::default()) };
        let rows = sqlx::query("SELECT body FROM findings WHERE repository = $1")
            .bind(repository)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let findings = rows.iter().map(|row| read(row.get("body"))).collect::<Result<_, _>>()?;
        Ok(FoundBefore {
            hits: read(scan.get("hits"))?,
            findings,
            credentials: read(scan.get("credentials"))?,
        })
    }

    /// Ends the work on a repository, all at once or not at all. `false`: the claim was lost, and nothing is changed.
    pub async fn end(&self, claim: &Claim, ending: &Ending) -> Result<bool, Error> {
        let (state, reason, tried) = match ending {
            Ending::Looked(_) => (WorkState::Done, None, 0),
            Ending::Unchanged => (WorkState::Unchanged, None, 0),
            Ending::Failed(reason) => (WorkState::Failed, Some(reason), 0),
            Ending::Again(reason) => (WorkState::Queued, Some(reason), 1),
            Ending::Stopped => (WorkState::Queued, None, 0),
        };
        let (blobs, bytes) = match ending {
            Ending::Looked(look) => {
                ((look.stats.blobs + look.stats.files).cast_signed(), look.stats.bytes.cast_signed())
            }
            _ => (0, 0),
        };
        let mut transaction = self.begin().await?;
        let held = sqlx::query(
            "UPDATE work SET state = $1, reason = $2, tries = tries + $3, deaths = deaths - 1, blobs = $4, bytes = $5, finished_at = $6, claim = NULL WHERE audit = $7 AND repository = $8 AND claim = $9",
        )
        .bind(state.as_str())
        .bind(reason)
        .bind(tried)
        .bind(blobs)
        .bind(bytes)
        .bind(now())
        .bind(&claim.audit)
        .bind(&claim.repository.name)
        .bind(&claim.token)
        .execute(&mut *transaction)
        .await
        .map_err(self.fail())?;
        if held.rows_affected() == 0 {
            return Ok(false);
        }
        match ending {
            Ending::Looked(look) => self.keep(&mut transaction, claim, look).await?,
            Ending::Unchanged => {
                sqlx::query("UPDATE scans SET checked_at = $1, pushed = $2 WHERE repository = $3")
                    .bind(now())
                    .bind(trusted(&claim.repository))
                    .bind(&claim.repository.name)
                    .execute(&mut *transaction)
                    .await
                    .map_err(self.fail())?;
            }
            _ => {}
        }
        transaction.commit().await.map_err(self.fail())?;
        Ok(true)
    }

    /// Puts what a look brought in the place of what was there.
    async fn keep(
        &self,
        transaction: &mut Transaction<'static, Any>,
        claim: &Claim,
        look: &Look,
    ) -> Result<(), Error> {
        let name = &claim.repository.name;
        let time = now();
        sqlx::query(
            "INSERT INTO scans (repository, rules, refs, pushed, checked_at, scanned_at, host, root, mode, stats, skipped, hits, credentials) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (repository) DO UPDATE SET rules = excluded.rules, refs = excluded.refs, pushed = excluded.pushed, checked_at = excluded.checked_at, scanned_at = excluded.scanned_at, host = excluded.host, root = excluded.root, mode = excluded.mode, stats = excluded.stats, skipped = excluded.skipped, hits = excluded.hits, credentials = excluded.credentials",
        )
        .bind(name)
        .bind(&look.rules)
        .bind(&look.refs)
        .bind(trusted(&claim.repository))
        .bind(&time)
        .bind(&look.host)
        .bind(&look.root)
        .bind(written(&look.mode))
        .bind(written(&look.stats))
        .bind(written(&look.coverage))
        .bind(written(&look.ledger.hits().collect::<Vec<_>>()))
        .bind(written(&look.credentials))
        .execute(&mut **transaction)
        .await
        .map_err(self.fail())?;
        if !look.goes_on {
            sqlx::query("DELETE FROM seen WHERE repository = $1")
                .bind(name)
                .execute(&mut **transaction)
                .await
                .map_err(self.fail())?;
        }
        let fresh = look.ledger.fresh();
        if !fresh.is_empty() {
            sqlx::query("INSERT INTO seen (repository, part, ids) SELECT $1, COALESCE(MAX(part), 0) + 1, $2 FROM seen WHERE repository = $1")
                .bind(name)
                .bind(fresh)
                .execute(&mut **transaction)
                .await
                .map_err(self.fail())?;
        }
        self.replace_findings(transaction, claim, look, &time).await
    }

    /// Puts the findings of a look in the place of those before, which keep when they were first seen.
    async fn replace_findings(
        &self,
        transaction: &mut Transaction<'static, Any>,
        claim: &Claim,
        look: &Look,
        time: &String,
    ) -> Result<(), Error> {
        let name = &claim.repository.name;
        let earlier = sqlx::query("SELECT id, first_audit, first_seen FROM findings WHERE repository = $1")
            .bind(name)
            .fetch_all(&mut **transaction)
            .await
            .map_err(self.fail())?;
        let earlier: HashMap<String, (String, String)> = earlier
            .iter()
            .map(|row| (row.get("id"), (row.get("first_audit"), row.get("first_seen"))))
            .collect();
        sqlx::query("DELETE FROM findings WHERE repository = $1")
            .bind(name)
            .execute(&mut **transaction)
            .await
            .map_err(self.fail())?;
        for finding in &look.findings {
            let first = earlier.get(finding.id.as_str());
            let (first_audit, first_seen) = first.map_or((&claim.audit, time), |(audit, time)| (audit, time));
            sqlx::query("INSERT INTO findings (repository, id, credential, first_audit, first_seen, allowed, body) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (repository, id) DO NOTHING")
                .bind(name)
                .bind(finding.id.as_str())
                .bind(finding.credential.as_str())
                .bind(first_audit)
                .bind(first_seen)
                .bind(finding.allowed.as_ref().map(|allowed| &allowed.reason))
                .bind(written(&Finding { value: None, ..finding.clone() }))
                .execute(&mut **transaction)
                .await
                .map_err(self.fail())?;
        }
        Ok(())
    }
}

/// What the forge said of the last push, if that can be relied on.
fn trusted(repository: &Repository) -> Option<&String> {
    repository.pushed.as_ref().filter(|_| repository.settled)
}
