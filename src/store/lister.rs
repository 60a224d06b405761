//! Who lists the repositories of an audit. Whoever does says so again and again; whoever sees nothing of it for a while may take over.

use sqlx::Row;

use super::{Error, Store};

/// A listing in progress, as it was seen at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Who lists; nobody, where an older version began it.
    pub lister: Option<String>,
    /// Grows while the lister lives.
    beat: i64,
}

impl Store {
    /// The listing of an audit as it is now; nothing where all repositories are listed.
    pub async fn listing(&self, audit: &str) -> Result<Option<Listing>, Error> {
        let row = sqlx::query("SELECT lister, beat FROM audits WHERE id = $1 AND listed_at IS NULL")
            .bind(audit)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.fail())?;
        Ok(row.map(|row| Listing { lister: row.get("lister"), beat: row.get("beat") }))
    }

    /// Takes the listing of an audit, whoever had it.
    pub async fn take_listing(&self, audit: &str, lister: &str) -> Result<(), Error> {
        sqlx::query("UPDATE audits SET lister = $1, beat = beat + 1 WHERE id = $2")
            .bind(lister)
            .bind(audit)
            .execute(&self.pool)
            .await
            .map_err(self.fail())?;
        Ok(())
    }

    /// Takes over a listing that is as it was seen; `false` where its lister lives, or somebody else was quicker.
    pub async fn take_over_listing(&self, audit: &str, seen: &Listing, lister: &str) -> Result<bool, Error> {
        let taken = sqlx::query(
            "UPDATE audits SET lister = $1, beat = beat + 1 WHERE id = $2 AND beat = $3 AND listed_at IS NULL",
        )
        .bind(lister)
        .bind(audit)
        .bind(seen.beat)
        .execute(&self.pool)
        .await
        .map_err(self.fail())?;
        Ok(taken.rows_affected() > 0)
    }

    /// Says that the lister lives; `false` where somebody else took over.
    pub async fn keep_listing(&self, audit: &str, lister: &str) -> Result<bool, Error> {
        let kept = sqlx::query("UPDATE audits SET beat = beat + 1 WHERE id = $1 AND lister = $2")
            .bind(audit)
            .bind(lister)
            .execute(&self.pool)
            .await
            .map_err(self.fail())?;
        Ok(kept.rows_affected() > 0)
    }
}
