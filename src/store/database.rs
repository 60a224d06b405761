//! Which database: a SQLite file or a PostgreSQL server.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use apalis_postgres::PostgresStorage;
use apalis_sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::Error;
use crate::private;

/// How each connection to a SQLite file is set up: readers do not wait for writers, and writers wait for each other.
pub(super) const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 30000; PRAGMA foreign_keys = ON;";
/// What would end a path in a URL, or stand for something else there.
const UNSAFE: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b'?').add(b'%').add(b'#').add(b' ');
/// How long a server is waited for that does not answer; whoever waits longer tries again.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// How long one connection waits for another's write.
const BUSY: Duration = Duration::from_secs(30);

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where a store is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL, which may hold a password.
    Server(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            sqlx::postgres::PgConnectOptions::from_str(text)
                .map_err(|error| format!("not a PostgreSQL URL: {error}"))?;
            return Ok(Self::Server(text.to_owned()));
        }
        let file = text.strip_prefix("sqlite:").unwrap_or(text);
        let file = file.strip_prefix("//").unwrap_or(file);
        if file.is_empty() || text.contains("://") && !text.starts_with("sqlite://") {
            return Err("write it as sqlite:FILE or postgres://USER@HOST/NAME".to_owned());
        }
        Ok(Self::File(PathBuf::from(file)))
    }
}

/// The queue's own pools: its crates are made for one kind of database each.
#[derive(Debug, Clone)]
pub enum Pool {
    /// Of a SQLite file.
    Sqlite(SqlitePool),
    /// Of a PostgreSQL server.
    Postgres(PgPool),
}

impl Database {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::File(_) => Kind::Sqlite,
            Self::Server(_) => Kind::Postgres,
        }
    }

    /// Its name for people, without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Server(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let authority = rest.split(['/', '?']).next().unwrap_or_default();
                let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                let user = user.split(':').next().unwrap_or_default();
                let path = rest[authority.len()..].split('?').next().unwrap_or_default();
                let at = if user.is_empty() { "" } else { "@" };
                format!("{scheme}://{user}{at}{host}{path}")
            }
        }
    }

    /// The folder of the file, where it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path.parent().filter(|folder| !folder.as_os_str().is_empty()),
            Self::Server(_) => None,
        }
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::File(path) => {
                let path = percent_encoding::utf8_percent_encode(&path.to_string_lossy(), UNSAFE).to_string();
                format!("sqlite://{path}?mode=rwc")
            }
            Self::Server(url) => url.clone(),
        }
    }

    /// Why it could not be opened, and the way out.
    pub(super) fn closed(&self, error: &sqlx::Error) -> Error {
        let reason = match error {
            sqlx::Error::Io(error) => format!("it cannot be reached: {error}"),
            sqlx::Error::PoolTimedOut => format!(
                "it cannot be reached within {} s: is the server up, and are host, port and name right?",
                CONNECT.as_secs()
            ),
            other => format!("{other}; mend it, or give another --database"),
        };
        Error::Unusable { database: self.shown(), reason }
    }

    /// A pool for the queue.
    pub async fn queue_pool(&self) -> Result<Pool, Error> {
        let fail = |error| self.closed(&error);
        Ok(match self {
            Self::File(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(BUSY);
                Pool::Sqlite(
                    SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(fail)?,
                )
            }
            Self::Server(url) => Pool::Postgres(
                PgPoolOptions::new()
                    .max_connections(4)
                    .acquire_timeout(CONNECT)
                    .connect(url)
                    .await
                    .map_err(fail)?,
            ),
        })
    }

    /// Makes the tables, ours and the queue's, or brings them up to date. The two keep their versions in one table, so each
    /// passes over the other's.
    pub(super) async fn prepare(&self) -> Result<(), Error> {
        let unusable = |reason: String| Error::Unusable { database: self.shown(), reason };
        if let Some(folder) = self.folder() {
            private::folder(folder).map_err(|error| unusable(format!("{}: {error}", folder.display())))?;
        }
        if let Self::File(path) = self {
            // Where things leaked is nobody else's business either.
            let made = private::file(std::fs::OpenOptions::new().append(true).create(true)).open(path);
            made.map_err(|error| unusable(error.to_string()))?;
        }
        // SQLite's migrations have no lock of their own: two processes that start at once would trip each other.
        let _lock = match self {
            Self::File(path) => {
                let mut name = path.clone().into_os_string();
                name.push(".lock");
                let file = std::fs::File::create(&name).map_err(|error| unusable(error.to_string()))?;
                file.lock().map_err(|error| unusable(error.to_string()))?;
                Some(file)
            }
            Self::Server(_) => None,
        };
        let run = |result: Result<(), sqlx::migrate::MigrateError>| {
            result.map_err(|error| {
                unusable(format!("its tables cannot be made or brought up to date: {error}"))
            })
        };
        match self.queue_pool().await? {
            Pool::Sqlite(pool) => {
                let migrators = [sqlx::migrate!("src/store/migrations/sqlite"), SqliteStorage::migrations()];
                let made: Vec<i64> = sqlx::query_scalar(MADE).fetch_all(&pool).await.unwrap_or_default();
                not_newer(&made, &migrators).map_err(unusable)?;
                for migrator in migrators {
                    run(ours(migrator).run(&pool).await)?;
                }
                pool.close().await;
            }
            Pool::Postgres(pool) => {
                let migrators =
                    [sqlx::migrate!("src/store/migrations/postgres"), PostgresStorage::migrations()];
                let made: Vec<i64> = sqlx::query_scalar(MADE).fetch_all(&pool).await.unwrap_or_default();
                not_newer(&made, &migrators).map_err(unusable)?;
                for migrator in migrators {
                    run(ours(migrator).run(&pool).await)?;
                }
                pool.close().await;
            }
        }
        Ok(())
    }
}

/// The versions that a database was brought to, ours and the queue's.
const MADE: &str = "SELECT version FROM _sqlx_migrations";

/// Refuses a database that a newer program made: what this one wrote there might not be understood. Nothing is changed in it.
fn not_newer(made: &[i64], known: &[Migrator]) -> Result<(), String> {
    let knows = |version: &i64| {
        known.iter().any(|migrator| migrator.iter().any(|migration| migration.version == *version))
    };
    match made.iter().find(|version| !knows(version)) {
        None => Ok(()),
        Some(version) => Err(format!(
            "it was made by a newer sidsweep: this version does not know its schema {version}; use the newer one, or give another --database"
        )),
    }
}

fn ours(mut migrator: Migrator) -> Migrator {
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_shown_without_its_password() {
        let of = |text: &str| text.parse::<Database>().map(|database| database.shown());
        assert_eq!(
            of("postgres://ada:s3cret@db.example/audits?sslmode=require").as_deref(),
            Ok("postgres://ada@db.example/audits")
        );
        assert_eq!(of("postgres://localhost/a").as_deref(), Ok("postgres://localhost/a"));
        assert_eq!(of("sqlite:a/b.db").as_deref(), Ok("sqlite:a/b.db"));
        assert_eq!(of("sqlite:///a/b.db").as_deref(), Ok("sqlite:/a/b.db"));
        assert!(of("mysql://x/y").is_err());
        assert!(of("sqlite:").is_err());
    }
}
