//! The work of audits: which repositories there are, what is known of them, and what waits.

use std::collections::HashMap;

use sqlx::Row;

use super::{Error, Store, now, read, written};
use crate::model::{Repository, Source, WorkState};

/// How many rows go into one statement or transaction.
const BATCH: usize = 500;

/// An audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Its id: when it began, and a random part.
    pub id: String,
    /// What was asked for.
    pub sources: Vec<String>,
    /// How: what is needed to go on with it, as JSON.
    pub options: String,
    /// The version of rules and detector.
    pub rules: String,
    /// When it began.
    pub started_at: String,
    /// All repositories are known.
    pub listed: bool,
    /// When it ended.
    pub finished_at: Option<String>,
}

/// What is known of a repository from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// A digest of all its references, or of the state of its folder.
    pub refs: String,
    /// What the forge said then.
    pub pushed: Option<String>,
    /// When its references were asked for last.
    pub checked_at: String,
}

/// A repository of an earlier audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The repository.
    pub repository: Repository,
    /// Why it could not be looked at then.
    pub reason: Option<String>,
    /// What is known to be in it.
    pub findings: i64,
}

/// A repository as it comes into an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It is to be looked at.
    Queued(Repository),
    /// Nothing was written to it since the last audit.
    Unchanged(Repository),
    /// It cannot be looked at.
    Failed(Repository, String),
}

impl Entry {
    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        match self {
            Self::Queued(repository) | Self::Unchanged(repository) | Self::Failed(repository, _) => {
                repository
            }
        }
    }
}

impl Store {
    /// Begins an audit.
    pub async fn begin_audit(&self, sources: &[String], options: &str, rules: &str) -> Result<Audit, Error> {
        let started_at = now();
        let id = format!(
            "{}-{:06x}",
            started_at.get(..19).unwrap_or(&started_at).replace(':', ""),
            fastrand::u32(..1 << 24)
        );
        sqlx::query(
            "INSERT INTO audits (id, sources, options, rules, started_at, number) SELECT $1, $2, $3, $4, $5, COALESCE(MAX(number), 0) + 1 FROM audits",
        )
        .bind(&id)
        .bind(written(&sources))
        .bind(options)
        .bind(rules)
        .bind(&started_at)
        .execute(&self.pool)
        .await
        .map_err(self.fail())?;
        Ok(Audit {
            id,
            sources: sources.to_vec(),
            options: options.to_owned(),
            rules: rules.to_owned(),
            started_at,
            listed: false,
            finished_at: None,
        })
    }

    /// All audits, the latest first, whatever a clock said when they were begun.
    pub async fn audits(&self) -> Result<Vec<Audit>, Error> {
        let rows = sqlx::query("SELECT id, sources, options, rules, started_at, listed_at, finished_at FROM audits ORDER BY number DESC, started_at DESC, id DESC")
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        rows.iter()
            .map(|row| {
                Ok(Audit {
                    id: row.get("id"),
                    sources: read(row.get("sources"))?,
                    options: row.get("options"),
                    rules: row.get("rules"),
                    started_at: row.get("started_at"),
                    listed: row.get::<Option<String>, _>("listed_at").is_some(),
                    finished_at: row.get("finished_at"),
                })
            })
            .collect()
    }

    /// What is known of all repositories from before, where it was judged by the same version of rules and detector.
    pub async fn before(&self, rules: &str) -> Result<HashMap<String, Before>, Error> {
        let rows = sqlx::query("SELECT repository, refs, pushed, checked_at FROM scans WHERE rules = $1")
            .bind(rules)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        Ok(rows
            .iter()
            .map(|row| {
                let before = Before {
                    refs: row.get("refs"),
                    pushed: row.get("pushed"),
                    checked_at: row.get("checked_at"),
                };
                (row.get("repository"), before)
            })
            .collect())
    }

    /// The repositories that a source had at the last audit of it before this one.
    pub async fn earlier(&self, audit: &Audit, source: &str) -> Result<Vec<Earlier>, Error> {
        let audits = self.audits().await?.into_iter();
        let mut before = audits.skip_while(|one| one.id != audit.id).skip(1);
        let Some(last) = before.find(|one| one.listed && one.sources.iter().any(|text| text == source))
        else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query("SELECT r.body, w.reason, (SELECT COUNT(*) FROM findings f WHERE f.repository = w.repository) AS findings FROM work w JOIN repositories r ON r.name = w.repository WHERE w.audit = $1 ORDER BY w.repository")
            .bind(&last.id)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let repository: Repository = read(row.get("body"))?;
            if repository.source == source {
                all.push(Earlier { repository, reason: row.get("reason"), findings: row.get("findings") });
            }
        }
        Ok(all)
    }

    /// Adds repositories to an audit. What is in the audit already stays as it is.
    pub async fn add_repositories(&self, audit: &str, entries: &[Entry]) -> Result<(), Error> {
        for batch in entries.chunks(BATCH) {
            let mut transaction = self.begin().await?;
            let time = now();
            for entry in batch {
                let repository = entry.repository();
                sqlx::query("INSERT INTO repositories (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body")
                    .bind(&repository.name)
                    .bind(written(repository))
                    .execute(&mut *transaction)
                    .await
                    .map_err(self.fail())?;
                let (state, reason) = match entry {
                    Entry::Queued(_) => (WorkState::Queued, None),
                    Entry::Unchanged(_) => (WorkState::Unchanged, None),
                    Entry::Failed(_, reason) => (WorkState::Failed, Some(reason)),
                };
                sqlx::query("INSERT INTO work (audit, repository, state, reason, finished_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (audit, repository) DO NOTHING")
                    .bind(audit)
                    .bind(&repository.name)
                    .bind(state.as_str())
                    .bind(reason)
                    .bind((state != WorkState::Queued).then_some(&time))
                    .execute(&mut *transaction)
                    .await
                    .map_err(self.fail())?;
            }
            transaction.commit().await.map_err(self.fail())?;
        }
        Ok(())
    }

    /// Notes that all repositories of an audit are known.
    pub async fn listed(&self, audit: &str) -> Result<(), Error> {
        self.stamp("UPDATE audits SET listed_at = $1 WHERE id = $2", audit).await
    }

    /// Notes that an audit has ended.
    pub async fn finished(&self, audit: &str) -> Result<(), Error> {
        self.stamp("UPDATE audits SET finished_at = $1 WHERE id = $2 AND finished_at IS NULL", audit).await
    }

    async fn stamp(&self, statement: &'static str, audit: &str) -> Result<(), Error> {
        sqlx::query(statement).bind(now()).bind(audit).execute(&self.pool).await.map_err(self.fail())?;
        Ok(())
    }

    /// The repositories of an audit that wait for another try, with its number.
    pub async fn retries(&self, audit: &str) -> Result<Vec<(String, i64)>, Error> {
        let rows = sqlx::query(
            "SELECT repository, tries FROM work WHERE audit = $1 AND state = 'queued' AND tries > 0",
        )
        .bind(audit)
        .fetch_all(&self.pool)
        .await
        .map_err(self.fail())?;
        Ok(rows.iter().map(|row| (row.get("repository"), row.get("tries"))).collect())
    }

    /// A repository.
    pub async fn repository(&self, name: &str) -> Result<Repository, Error> {
        let row = sqlx::query("SELECT body FROM repositories WHERE name = $1")
            .bind(name)
            .fetch_one(&self.pool)
            .await
            .map_err(self.fail())?;
        read(row.get("body"))
    }

    /// Where repositories of an audit lie: for reading values again.
    pub async fn sources(&self, audit: &str) -> Result<Vec<Source>, Error> {
        let rows = sqlx::query("SELECT s.repository, s.root, s.mode FROM scans s JOIN work w ON w.repository = s.repository WHERE w.audit = $1 ORDER BY s.repository")
            .bind(audit)
            .fetch_all(&self.pool)
            .await
            .map_err(self.fail())?;
        rows.iter()
            .map(|row| {
                Ok(Source {
                    mode: read(row.get("mode"))?,
                    root: row.get("root"),
                    range: None,
                    repository: Some(row.get("repository")),
                })
            })
            .collect()
    }
}
