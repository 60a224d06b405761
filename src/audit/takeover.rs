//! Listing by one process at a time, and by another where that one has died.

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};

use super::{Forge, Options, Run, Source};
use crate::store::{Audit, Error, Listing};

/// How often it is looked whether all is listed.
const LOOK: Duration = Duration::from_millis(300);

impl Run {
    /// Lists an audit's repositories, and says whether all are listed: not where the user ended it, or where another process took
    /// over, since this one was not heard of for as long as a lease.
    pub async fn list(&self, audit: &Audit, sources: &[Source], options: &Options) -> Result<bool, Error> {
        self.store.take_listing(&audit.id, &self.presence.name).await?;
        self.list_taken(audit, sources, options).await
    }

    async fn list_taken(&self, audit: &Audit, sources: &[Source], options: &Options) -> Result<bool, Error> {
        let living = pin!(async {
            loop {
                tokio::time::sleep(self.queue.beat()).await;
                // A database that is away takes the listing from nobody.
                if let Ok(false) = self.store.keep_listing(&audit.id, &self.presence.name).await {
                    break;
                }
            }
        });
        match select(pin!(self.list_all(audit, sources, options)), living).await {
            Either::Left((result, _)) => result.map(|()| !self.stop.load(Ordering::Relaxed)),
            Either::Right(((), _)) => Ok(false),
        }
    }

    /// Follows an audit that another process lists, until it is finished. Where that process has died, this one lists.
    pub async fn follow(
        &self,
        audit: &Audit,
        sources: &[Source],
        listed: &AtomicBool,
        ended: &tokio::sync::watch::Sender<bool>,
    ) -> Result<(), Error> {
        let mut seen: Option<(Listing, Instant)> = None;
        while !*ended.borrow() && !self.stop.load(Ordering::Relaxed) {
            // What goes wrong with the database is told by whoever works.
            if let Ok(audits) = self.store.audits().await
                && let Some(now) = audits.iter().find(|one| one.id == audit.id)
            {
                listed.store(now.listed, Ordering::Relaxed);
                if now.finished_at.is_some() {
                    ended.send_replace(true);
                }
            }
            if let Ok(Some(listing)) = self.store.listing(&audit.id).await {
                let since = match &seen {
                    Some((known, since)) if *known == listing => since.elapsed(),
                    _ => {
                        seen = Some((listing.clone(), Instant::now()));
                        Duration::ZERO
                    }
                };
                if since > self.queue.lease() {
                    self.replace_lister(audit, sources, &listing).await?;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Lists in the place of a process that was not heard of for as long as a lease.
    async fn replace_lister(
        &self,
        audit: &Audit,
        sources: &[Source],
        listing: &Listing,
    ) -> Result<(), Error> {
        if let Some(source) = sources.iter().find(|source| !self.can_list(source, listing)) {
            // What is queued already is looked at first.
            return match self.store.totals(&audit.id).await {
                Ok(totals) if totals.open() == 0 => {
                    Err(Error::Unlisted { audit: audit.id.clone(), source_text: source.text.clone() })
                }
                Ok(_) | Err(_) => Ok(()),
            };
        }
        if self.store.take_over_listing(&audit.id, listing, &self.presence.name).await? {
            (self.say)(&format!(
                "The process that listed audit {} has died; this one lists in its place",
                audit.id
            ));
            let options: Options =
                serde_json::from_str(&audit.options).map_err(|error| Error::Foreign(error.to_string()))?;
            self.list_taken(audit, sources, &options).await?;
        }
        Ok(())
    }

    /// Whether this process lists the same as the one that has died: a path means something else on another machine, and a relative
    /// one in another folder.
    fn can_list(&self, source: &Source, listing: &Listing) -> bool {
        match source.forge {
            Forge::Folder | Forge::List => {
                let host = listing.lister.as_deref().and_then(|name| name.rsplitn(3, ':').nth(2));
                host == Some(self.host.as_str()) && Path::new(&source.path).is_absolute()
            }
            Forge::Github | Forge::Gitlab | Forge::Bitbucket | Forge::Gitea | Forge::Azure => true,
        }
    }
}
