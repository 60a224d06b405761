//! What audits know: in a SQLite file, or in PostgreSQL where several machines work together. It holds hashes, places and
//! the ids of git objects, and no value of a credential.

mod claim;
mod database;
mod findings;
mod lister;
mod status;
mod work;

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Executor};

pub use claim::{Claim, Ending, FoundBefore, Look};
pub use database::{Database, Kind, Pool};
pub use findings::{Filter, Found};
pub use lister::Listing;
pub use status::Totals;
pub use work::{Audit, Before, Earlier, Entry};

use crate::scan::ledger::{Key, Ledger};

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no database that can be opened.
    #[error("{database}: {reason}")]
    Unusable {
        /// Which, without a password.
        database: String,
        /// Why, and the way out.
        reason: String,
    },
    /// The database says no.
    #[error("the database {database}: {source}")]
    Database {
        /// Which, without a password.
        database: String,
        /// What it says.
        source: sqlx::Error,
    },
    /// What it holds cannot be understood: another version wrote it.
    #[error(
        "the database holds what this version does not understand ({0}); use the version that wrote it, or another --database"
    )]
    Foreign(String),
    /// The process that listed an audit's repositories has died, and this one cannot list them.
    #[error(
        "audit {audit}: the process that listed its repositories has died, and {source_text} can be listed only where that ran; run the same `sidsweep audit` there again"
    )]
    Unlisted {
        /// The audit.
        audit: String,
        /// What was to be listed.
        source_text: String,
    },
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    database: Arc<Database>,
    /// The secret by which ledgers are kept.
    key: Key,
}

/// Times and states are text in the database: the same in both kinds.
fn now() -> String {
    jiff::Timestamp::now()
        .round(jiff::Unit::Millisecond)
        .unwrap_or_else(|_| jiff::Timestamp::now())
        .to_string()
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Foreign(error.to_string()))
}

fn written<T: serde::Serialize>(value: &T) -> String {
    // Our own types are made of strings, numbers and lists of them: writing one cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

impl Store {
    /// Opens the store, makes it if it is new, and brings it up to date.
    pub async fn open(database: Database) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        database.prepare().await?;
        let closed = |error| database.closed(&error);
        let options: AnyConnectOptions = database.url().parse().map_err(closed)?;
        let kind = database.kind();
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(database::CONNECT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if kind == Kind::Sqlite {
                        connection.execute(database::PRAGMAS).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(closed)?;
        let key = key(&pool, &database).await?;
        Ok(Self { pool, database: Arc::new(database), key })
    }

    /// A ledger in which nothing was entered.
    #[must_use]
    pub fn new_ledger(&self) -> Ledger {
        Ledger::new(self.key)
    }

    /// Which database this is.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    fn fail(&self) -> impl Fn(sqlx::Error) -> Error + use<> {
        let database = self.database.shown();
        move |source| Error::Database { database: database.clone(), source }
    }

    /// A transaction that will write: on SQLite it takes the lock at once, since a lock that is taken late may be refused.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, Error> {
        match self.database.kind() {
            Kind::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Kind::Postgres => self.pool.begin().await,
        }
        .map_err(self.fail())
    }
}

/// The secret by which a database keeps its ledgers: whoever opens it first makes it.
async fn key(pool: &AnyPool, database: &Database) -> Result<Key, Error> {
    const NAME: &str = "ledger";
    let unusable = |reason: &str| Error::Unusable { database: database.shown(), reason: reason.to_owned() };
    let fail = |source| Error::Database { database: database.shown(), source };
    let mut fresh = [0; 16];
    SystemRandom::new().fill(&mut fresh).map_err(|_| unusable("the system gives no random numbers"))?;
    sqlx::query("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(NAME)
        .bind(fresh.to_vec())
        .execute(pool)
        .await
        .map_err(fail)?;
    let kept: Vec<u8> = sqlx::query_scalar("SELECT value FROM secrets WHERE name = $1")
        .bind(NAME)
        .fetch_one(pool)
        .await
        .map_err(fail)?;
    let kept: [u8; 16] = kept
        .try_into()
        .map_err(|_| unusable("the secret of its ledgers is damaged; give another --database"))?;
    Ok(Key::of(kept))
}
