//! How far an audit is.

use std::collections::BTreeMap;

use sqlx::Row;

use super::{Audit, Error, Store};
use crate::model::{FailedWork, STATUS_SCHEMA, Status, WorkState, WorkerStatus};

/// Numbers of an audit, cheap enough to be asked for twice a second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many repositories are in each state.
    pub states: BTreeMap<WorkState, u64>,
    /// Objects and files that were judged.
    pub blobs: u64,
    /// Bytes that were searched.
    pub bytes: u64,
}

impl Totals {
    /// All repositories.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.states.values().sum()
    }

    /// Those that are still to be done.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.of(WorkState::Queued) + self.of(WorkState::Running)
    }

    /// Those in a state.
    #[must_use]
    pub fn of(&self, state: WorkState) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// What is left at the pace since `started`, in seconds. Repositories that are unchanged cost nothing, and say nothing.
    #[must_use]
    #[expect(clippy::cast_sign_loss, reason = "none of them is negative")]
    pub fn seconds_left(&self, seconds: f64) -> Option<u64> {
        let worked = self.of(WorkState::Done) + self.of(WorkState::Failed);
        (worked > 0 && seconds > 0.0).then(|| (seconds / worked as f64 * self.open() as f64).ceil() as u64)
    }
}

impl Store {
    /// The numbers of an audit.
    pub async fn totals(&self, audit: &str) -> Result<Totals, Error> {
        let rows = sqlx::query("SELECT state, COUNT(*) AS number, CAST(SUM(blobs) AS BIGINT) AS blobs, CAST(SUM(bytes) AS BIGINT) AS bytes FROM work WHERE audit = $1 GROUP BY state")
            .bind(audit)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let mut totals = Totals::default();
        for row in &rows {
            let count = |name: &str| row.get::<i64, _>(name).cast_unsigned();
            if let Some(state) = WorkState::named(row.get("state")) {
                totals.states.insert(state, count("number"));
            }
            totals.blobs += count("blobs");
            totals.bytes += count("bytes");
        }
        Ok(totals)
    }

    /// Who is at which repository.
    pub async fn workers(&self, audit: &str) -> Result<Vec<WorkerStatus>, Error> {
        let rows = sqlx::query("SELECT worker, repository, started_at FROM work WHERE audit = $1 AND state = 'running' ORDER BY started_at")
            .bind(audit)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        Ok(rows
            .iter()
            .map(|row| WorkerStatus {
                worker: row.get::<Option<String>, _>("worker").unwrap_or_default(),
                repository: row.get("repository"),
                since: row.get::<Option<String>, _>("started_at").unwrap_or_default(),
            })
            .collect())
    }

    /// All there is to say of an audit.
    pub async fn status(&self, audit: &Audit) -> Result<Status, Error> {
        let totals = self.totals(&audit.id).await?;
        let failed = sqlx::query(
            "SELECT repository, reason FROM work WHERE audit = $1 AND state = 'failed' ORDER BY repository",
        )
        .bind(&audit.id)
        .fetch_all(&self.pool)
        .await
        .map_err(self.fail())?;
        let findings = sqlx::query("SELECT COUNT(*) AS number FROM findings f JOIN work w ON w.repository = f.repository WHERE w.audit = $1")
            .bind(&audit.id)
            .fetch_one(&self.pool)
            .await
            .map_err(self.fail())?;
        let begin: Option<jiff::Timestamp> = audit.started_at.parse().ok();
        let seconds = begin.map_or(0.0, |begin| jiff::Timestamp::now().duration_since(begin).as_secs_f64());
        Ok(Status {
            schema: STATUS_SCHEMA.to_owned(),
            database: self.database.shown(),
            audit: audit.id.clone(),
            sources: audit.sources.clone(),
            started_at: audit.started_at.clone(),
            finished_at: audit.finished_at.clone(),
            listed: audit.listed,
            repositories: totals.all(),
            blobs: totals.blobs,
            bytes: totals.bytes,
            findings: findings.get::<i64, _>("number").cast_unsigned(),
            seconds_left: if audit.finished_at.is_none() { totals.seconds_left(seconds) } else { None },
            workers: self.workers(&audit.id).await?,
            failed: failed
                .iter()
                .map(|row| FailedWork {
                    repository: row.get("repository"),
                    reason: row.get::<Option<String>, _>("reason").unwrap_or_default(),
                })
                .collect(),
            states: totals.states,
        })
    }
}
