//! Audits: all repositories of an organization, by as many workers as there are, from where an earlier audit left off.

mod access;
mod carried;
mod folder;
pub mod forge;
mod git;
mod listing;
mod mirror;
mod owners;
mod queue;
mod source;
mod takeover;
mod texts;
mod tokens;
pub mod url;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use access::Access;
pub use forge::api::Say;
pub use forge::{Extras, Visibility};
pub use mirror::Mirrors;
pub use queue::{Job, Presence, Queue};
pub use source::{CloneHost, Forge, Source};

use crate::detect::Detector;
use crate::store::{Audit, Error, Store};
use git::{Git, Remote};
use texts::Texts;
use worker::{LONGEST_PAUSE, Worker};

/// How often it is seen to that everything that waits is in the queue.
const REMIND: Duration = Duration::from_secs(15);
/// How often the numbers are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long a database may be away before the run ends, and how long in a hurry.
const PATIENCE: Duration = Duration::from_mins(5);
const HURRY: Duration = Duration::from_secs(15);

/// Which repositories are looked at, and what of them. It is stored with the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Beside code.
    pub extras: Extras,
    /// Only these names.
    pub include: Vec<String>,
    /// Not these names.
    pub exclude: Vec<String>,
    /// Only these; empty for all.
    pub visibility: Vec<String>,
    /// Only what was pushed to since, RFC 3339.
    pub pushed_since: Option<String>,
    /// Not those that nobody can push to.
    pub no_archived: bool,
    /// Not those that are copies of others.
    pub no_forks: bool,
    /// Ask each repository for its references, whatever the forge says.
    pub check_refs: bool,
}

/// What a run works with.
pub struct Run {
    /// Where it is all kept.
    pub store: Store,
    /// The queue in it.
    pub queue: Queue,
    /// The ways into the forges.
    pub access: Arc<Access>,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// What finds.
    pub detector: Arc<Detector>,
    /// This process, as others see it.
    pub presence: Presence,
    /// The machine.
    pub host: String,
    /// Repositories at once.
    pub concurrency: usize,
    /// Pauses between tries; tests want them short.
    pub hurry: bool,
    /// Says something to the user.
    pub say: Say,
    /// Set when the user wants it to end.
    pub stop: Arc<AtomicBool>,
}

impl Options {
    /// Reads the patterns, so that a wrong one is told before anything is done.
    pub fn check(&self) -> Result<(), String> {
        self.names()?;
        if let Some(time) = &self.pushed_since {
            time.parse::<Timestamp>().map_err(|error| format!("--pushed-since: {time}: {error}"))?;
        }
        Ok(())
    }
}

impl Run {
    /// The audit to work on: the one that was not finished, where the same was asked for, else a new one.
    pub async fn audit(&self, sources: &[Source], options: &Options) -> Result<(Audit, bool), Error> {
        let texts: Vec<String> = sources.iter().map(|source| source.text.clone()).collect();
        let options = serde_json::to_string(options).unwrap_or_default();
        let rules = self.detector.rules().version();
        let same = |audit: &Audit| {
            audit.finished_at.is_none()
                && audit.sources == texts
                && audit.options == options
                && audit.rules == rules
        };
        if let Some(audit) = self.store.audits().await?.into_iter().find(same) {
            return Ok((audit, true));
        }
        Ok((self.store.begin_audit(&texts, &options, rules).await?, false))
    }

    async fn push(&self, audit: &Audit, repository: &str, number: i64) -> Result<(), Error> {
        let job = Job { audit: audit.id.clone(), repository: repository.to_owned() };
        self.queue.push(&job, number, Duration::ZERO).await
    }

    /// Puts into the queue what waits for another try: a worker may have been killed before it did. What was listed is put
    /// there by whoever goes on with the listing.
    pub async fn remind(&self, audit: &Audit) -> Result<(), Error> {
        self.queue.mend_times(LONGEST_PAUSE).await?;
        for (repository, number) in self.store.retries(&audit.id).await? {
            self.push(audit, &repository, number).await?;
        }
        Ok(())
    }

    /// Tells the queue of this machine's workers that are gone for certain, and mends its times.
    pub async fn bury(&self) -> Result<(), Error> {
        self.queue.mend_times(LONGEST_PAUSE).await?;
        for name in Presence::gone(&self.presence.folder) {
            self.queue.bury(&name).await?;
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.hurry { HURRY } else { PATIENCE }
    }

    /// Works until `ended` says so, or the user wants it to end.
    pub async fn work(
        &self,
        sources: &[Source],
        ended: tokio::sync::watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let texts = Texts {
            access: Arc::clone(&self.access),
            sources: sources.to_vec(),
            stop: Arc::clone(&self.stop),
            say: Arc::clone(&self.say),
        };
        let worker = Arc::new(Worker {
            name: self.presence.name.clone(),
            host: self.host.clone(),
            store: self.store.clone(),
            queue: self.queue.clone(),
            detector: Arc::clone(&self.detector),
            git: Git { keys: Arc::clone(&self.access.keys), stop: Arc::clone(&self.stop) },
            texts,
            mirrors: self.mirrors.clone(),
            jobs: crate::scan::all_cores(),
            hurry: self.hurry,
        });
        let mut failing: Option<Instant> = None;
        for number in 0_u32.. {
            // A name of its own each time: what was given out under the old one comes back when its lease is over.
            let name = format!("{}#{number}", self.presence.name);
            let mut end = ended.clone();
            let stop = async move {
                let _ = end.wait_for(|ended| *ended).await;
            };
            let begin = Instant::now();
            let result = self.queue.work(&name, self.concurrency, Arc::clone(&worker), stop).await;
            if *ended.borrow() {
                break;
            }
            let reason = result.err().unwrap_or_else(|| "the queue ended".to_owned());
            if begin.elapsed() > self.patience() {
                failing = None;
            }
            let since = *failing.get_or_insert_with(|| {
                (self.say)(&format!(
                    "the database {} is away, or cannot be written ({reason}); trying again",
                    self.store.database().shown()
                ));
                Instant::now()
            });
            if since.elapsed() > self.patience() {
                self.stop.store(true, Ordering::Relaxed);
                return Err(Error::Unusable { database: self.store.database().shown(), reason });
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        // What the queue still holds under this name is free for others at once.
        let _ = self.queue.bury(&self.presence.name).await;
        Ok(())
    }

    /// Brings the mirror of a repository to this machine; where it lies.
    pub async fn bring(&self, name: &str, sources: &[Source]) -> Result<PathBuf, String> {
        let repository = self.store.repository(name).await.map_err(|error| error.to_string())?;
        let remote = Remote::of(&repository).map_err(|refusal| refusal.to_string())?;
        for source in sources {
            self.access
                .refresh(source, &self.stop, &self.say)
                .await
                .map_err(|problem| problem.to_string())?;
        }
        let git = Git { keys: Arc::clone(&self.access.keys), stop: Arc::clone(&self.stop) };
        let mirrors = self.mirrors.clone();
        let fetch = tokio::task::spawn_blocking(move || {
            let references = git.references(&remote)?;
            let mirror = mirrors.take(&repository.name, repository.holding)?;
            mirror.update(&git, &remote, &references)?;
            Ok(mirror.folder.clone())
        });
        fetch.await.map_err(|panic| panic.to_string())?.map_err(|refusal: git::Refusal| refusal.to_string())
    }

    /// Waits until nothing is left to do, and shows the numbers as they change. `listed` says whether all repositories are
    /// known.
    pub async fn watch(
        &self,
        audit: &Audit,
        listed: &AtomicBool,
        ended: &tokio::sync::watch::Sender<bool>,
        sources: &[Source],
        show: &mut dyn FnMut(&crate::store::Totals, Vec<crate::model::WorkerStatus>),
    ) -> Result<(), Error> {
        let begin = Instant::now();
        let mut reminded = Instant::now();
        let mut away: Option<Instant> = None;
        let result = loop {
            if self.stop.load(Ordering::Relaxed) {
                break Ok(());
            }
            let known = listed.load(Ordering::Relaxed);
            let look = async {
                Ok::<_, Error>((self.store.totals(&audit.id).await?, self.store.workers(&audit.id).await?))
            };
            match look.await {
                Ok((totals, workers)) => {
                    away = None;
                    show(&totals, workers);
                    if known && totals.open() == 0 {
                        break self.store.finished(&audit.id).await;
                    }
                }
                Err(error) => {
                    let since = *away.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.patience() {
                        break Err(error);
                    }
                }
            }
            if reminded.elapsed() > REMIND && away.is_none() {
                reminded = Instant::now();
                for source in sources {
                    let _ = self.access.refresh(source, &self.stop, &self.say).await;
                }
                // A database that is away is seen above.
                let _ = self.remind(audit).await;
            }
            // An audit in which little changed is over in no time.
            let pause = Duration::from_millis(10).max(begin.elapsed() / 10).min(LOOK);
            tokio::time::sleep(pause).await;
        };
        ended.send_replace(true);
        result
    }
}

/// The name of this machine.
#[must_use]
pub fn host() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
