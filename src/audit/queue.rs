//! The queue: apalis, over SQLite or PostgreSQL. It gives each repository to one worker at a time, takes it back when that
//! worker has not been heard of for the length of a lease, and keeps tries for later.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{
    BackendExt, BoxDynError, Data, ParallelizeExt, TaskBuilder, TaskSink, WorkerBuilder, WorkerBuilderExt,
};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use serde::{Deserialize, Serialize};
use sqlx::Executor;

use super::worker::Worker;
use crate::private;
use crate::store::{Error, Pool, Store};

/// The queue's name in its tables.
const NAME: &str = "sidsweep-audit";
/// How often an idle worker looks for work.
const LOOK: Duration = Duration::from_millis(150);
/// A worker lives as long as it says so this often within a lease.
const BEATS: u32 = 12;
/// How often the queue itself gives a job to somebody: tries are counted by the work, not by the queue.
const DELIVERIES: u32 = 100_000;

/// One repository of one audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The audit.
    pub audit: String,
    /// The repository's name.
    pub repository: String,
}

/// The queue of a store.
#[derive(Debug, Clone)]
pub struct Queue {
    pool: Pool,
    shown: String,
    lease: Duration,
}

impl Queue {
    /// Opens the queue of a store. A worker that is not heard of for `lease` has lost its repository.
    pub async fn open(store: &Store, lease: Duration) -> Result<Self, Error> {
        Ok(Self { pool: store.database().queue_pool().await?, shown: store.database().shown(), lease })
    }

    /// After how long a worker that was not heard of has lost its repository.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// How often a worker says that it lives.
    #[must_use]
    pub fn beat(&self) -> Duration {
        Duration::from_secs((self.lease / BEATS).as_secs().max(1))
    }

    fn missed(&self) -> usize {
        usize::try_from(self.lease.as_secs() / self.beat().as_secs()).unwrap_or(1).max(2)
    }

    fn sqlite(&self, pool: &sqlx::SqlitePool) -> SqliteStorage<Job> {
        SqliteStorage::new(pool).with_config(
            apalis_sqlite::Config::default()
                .queue(NAME)
                .batch_size(1)
                .heartbeat_interval(self.beat())
                .missed_heartbeats(self.missed()),
        )
    }

    fn postgres(&self, pool: &sqlx::PgPool) -> PostgresStorage<Job> {
        PostgresStorage::new(pool).with_config(
            apalis_postgres::Config::default()
                .queue(NAME)
                .batch_size(1)
                .heartbeat_interval(self.beat())
                .missed_heartbeats(self.missed()),
        )
    }

    /// Puts a job into the queue, to be done after a while. The same try of the same job is in the queue only once.
    pub async fn push(&self, job: &Job, number: i64, after: Duration) -> Result<(), Error> {
        let task = TaskBuilder::new(job.clone())
            .max_attempts(DELIVERIES as usize)
            .idempotency_key(format!("{}/{}/{number}", job.audit, job.repository))
            .run_after(after)
            .build();
        let failed = |reason: String| Error::Unusable { database: self.shown.clone(), reason };
        match &self.pool {
            Pool::Sqlite(pool) => {
                self.sqlite(pool).push_task(task).await.map_err(|error| failed(format!("the queue: {error}")))
            }
            Pool::Postgres(pool) => match self.postgres(pool).push_task(task).await {
                Ok(()) => Ok(()),
                // It is there already.
                Err(error) if error.to_string().contains("idempotency") => Ok(()),
                Err(error) => Err(failed(format!("the queue: {error}"))),
            },
        }
    }

    /// Does jobs until `stop`; ends with an error where the database goes away.
    pub async fn work(
        &self,
        name: &str,
        concurrency: usize,
        worker: Arc<Worker>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), String> {
        let stop = async move {
            stop.await;
            Ok::<(), std::io::Error>(())
        };
        macro_rules! run {
            ($backend:expr) => {
                WorkerBuilder::new(name)
                    .backend($backend.poll_with_interval(LOOK))
                    .data(worker)
                    .concurrency(concurrency)
                    .catch_panic()
                    .parallelize(tokio::spawn)
                    .build(job)
                    .run_until(stop)
                    .await
                    .map_err(|error| error.to_string())
            };
        }
        match &self.pool {
            Pool::Sqlite(pool) => run!(self.sqlite(pool)),
            Pool::Postgres(pool) => run!(self.postgres(pool)),
        }
    }

    /// Mends what a clock leaves that was set back: jobs that would wait for longer than `longest`, the longest pause that there is,
    /// are due, and a worker that was seen in the future is taken for gone until it says so again.
    pub async fn mend_times(&self, longest: Duration) -> Result<(), Error> {
        let fail = |source| Error::Database { database: self.shown.clone(), source };
        let [longest, lease] = [longest, self.lease].map(|time| time.as_secs().cast_signed());
        match &self.pool {
            Pool::Sqlite(pool) => {
                let now = jiff::Timestamp::now().as_second();
                let jobs = sqlx::query("UPDATE Jobs SET run_at = $1 WHERE job_type = $2 AND run_at > $3")
                    .bind(now)
                    .bind(NAME)
                    .bind(now + longest);
                pool.execute(jobs).await.map_err(fail)?;
                let workers =
                    sqlx::query("UPDATE Workers SET last_seen = 0 WHERE last_seen > $1").bind(now + lease);
                pool.execute(workers).await.map_err(fail)?;
            }
            Pool::Postgres(pool) => {
                let jobs = sqlx::query(
                    "UPDATE apalis.jobs SET run_at = now() WHERE job_type = $1 AND run_at > now() + make_interval(secs => $2::float8)",
                )
                .bind(NAME)
                .bind(longest as f64);
                pool.execute(jobs).await.map_err(fail)?;
                let workers = sqlx::query(
                    "UPDATE apalis.workers SET last_seen = to_timestamp(0) WHERE last_seen > now() + make_interval(secs => $1::float8)",
                )
                .bind(lease as f64);
                pool.execute(workers).await.map_err(fail)?;
            }
        }
        Ok(())
    }

    /// Tells the queue that a worker is gone for certain, so that nobody waits for its lease to end.
    pub async fn bury(&self, name: &str) -> Result<(), Error> {
        let fail = |source| Error::Database { database: self.shown.clone(), source };
        match &self.pool {
            Pool::Sqlite(pool) => {
                let statement = sqlx::query("UPDATE Workers SET last_seen = 0 WHERE id LIKE $1")
                    .bind(format!("{name}#%"));
                pool.execute(statement).await.map_err(fail)?;
            }
            Pool::Postgres(pool) => {
                let statement =
                    sqlx::query("UPDATE apalis.workers SET last_seen = to_timestamp(0) WHERE id LIKE $1")
                        .bind(format!("{name}#%"));
                pool.execute(statement).await.map_err(fail)?;
            }
        }
        Ok(())
    }
}

async fn job(job: Job, worker: Data<Arc<Worker>>) -> Result<(), BoxDynError> {
    worker.run(job).await.map_err(Into::into)
}

/// A worker's name, for as long as its process lives: a lock on a file of that name, which the system releases however the
/// process ends.
#[derive(Debug)]
pub struct Presence {
    /// Machine and process.
    pub name: String,
    /// Where such locks are.
    pub folder: PathBuf,
    path: PathBuf,
    _lock: File,
}

impl Presence {
    /// Takes a name, in a folder of this machine.
    pub fn take(folder: &Path, host: &str) -> std::io::Result<Self> {
        private::folder(folder)?;
        let name = format!("{host}:{}:{:04x}", std::process::id(), fastrand::u16(..));
        let path = folder.join(&name);
        let lock = File::create(&path)?;
        lock.lock()?;
        Ok(Self { name, folder: folder.to_owned(), path, _lock: lock })
    }

    /// The names in a folder whose processes are gone; they are taken off.
    #[must_use]
    pub fn gone(folder: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let file = File::open(entry.path()).ok()?;
                file.try_lock().ok()?;
                std::fs::remove_file(entry.path()).ok()?;
                entry.file_name().into_string().ok()
            })
            .collect()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
