//! Audits: all repositories of an organization, by as many workers as there are, from where an earlier audit left off.

mod access;
mod folder;
pub mod forge;
mod git;
mod mirror;
mod owners;
mod queue;
mod source;
mod texts;
pub mod url;
mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use globset::GlobSet;
use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use access::Access;
pub use forge::api::Say;
pub use forge::{Extras, Visibility};
pub use mirror::Mirrors;
pub use queue::{Job, Presence, Queue};
pub use source::{Forge, Source};

use crate::detect::Detector;
use crate::model::{Holding, Place, Repository};
use crate::store::{Audit, Before, Entry, Error, Store};
use forge::Listed;
use forge::api::Problem;
use git::Git;
use texts::Texts;
use url::Url;
use worker::Worker;

/// How long the forge's word that nothing was pushed is taken without asking the repository itself.
const TRUSTED_FOR: i64 = 24 * 3600;
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

/// The names of an audit's repositories.
struct Names {
    include: GlobSet,
    exclude: GlobSet,
    any: bool,
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

    fn names(&self) -> Result<Names, String> {
        let set = |patterns: &[String]| {
            let mut builder = globset::GlobSetBuilder::new();
            for pattern in patterns {
                // `acme/*` is meant for owner and name, wherever the forge is.
                for form in [pattern.clone(), format!("**/{pattern}")] {
                    builder.add(globset::Glob::new(&form).map_err(|error| error.to_string())?);
                }
            }
            builder.build().map_err(|error| error.to_string())
        };
        Ok(Names { include: set(&self.include)?, exclude: set(&self.exclude)?, any: self.include.is_empty() })
    }

    /// Whether a repository that a forge lists is wanted.
    fn wants(&self, listed: &Listed) -> bool {
        let visible = match listed.visibility {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
            Visibility::Private => "private",
        };
        let since: Option<Timestamp> = self.pushed_since.as_deref().and_then(|time| time.parse().ok());
        let pushed: Option<Timestamp> = listed.pushed.as_deref().and_then(|time| time.parse().ok());
        // What the forge does not say is no reason to pass over anything.
        let recent = since.zip(pushed).is_none_or(|(since, pushed)| pushed >= since);
        (self.visibility.is_empty() || self.visibility.iter().any(|wanted| wanted == visible))
            && !(self.no_archived && listed.archived)
            && !(self.no_forks && listed.fork)
            && recent
    }
}

impl Names {
    fn want(&self, name: &str) -> bool {
        let name = name.split(" (").next().unwrap_or(name);
        (self.any || self.include.is_match(name)) && !self.exclude.is_match(name)
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

    /// Finds out what there is to look at, and puts it into the queue as it comes. What is known to be unchanged is not
    /// worked on.
    pub async fn list(&self, audit: &Audit, sources: &[Source], options: &Options) -> Result<(), Error> {
        self.bury().await?;
        let names = options.names().map_err(Error::Foreign)?;
        let before = Arc::new(self.store.before(self.detector.rules().version()).await?);
        for source in sources {
            // Nobody is to think that these were looked at.
            let lacking: Vec<Entry> = source
                .forge
                .lacks(options.extras)
                .into_iter()
                .map(|what| {
                    let name = format!("{} ({what})", source.text);
                    Entry::Failed(nameless(source, name), format!("{what} cannot be read from such a source"))
                })
                .collect();
            self.add(audit, &lacking).await?;
            let entries = match source.forge {
                Forge::Folder => folders(source, &names, &before).await,
                Forge::List => listed_in_file(source, &names, &before),
                _ => {
                    self.list_forge(audit, source, options, &names, &before).await?;
                    continue;
                }
            };
            self.add(audit, &entries).await?;
        }
        if !self.stop.load(Ordering::Relaxed) {
            self.store.listed(&audit.id).await?;
        }
        Ok(())
    }

    async fn list_forge(
        &self,
        audit: &Audit,
        source: &Source,
        options: &Options,
        names: &Names,
        before: &HashMap<String, Before>,
    ) -> Result<(), Error> {
        let (sink, mut pages) = tokio::sync::mpsc::channel(4);
        let lister = async move {
            self.access.refresh(source, &self.stop, &self.say).await?;
            let api = self.access.api(source, &self.stop, &self.say)?;
            forge::list(&api, source, options.extras, &sink).await
        };
        let taker = async move {
            let mut seen = 0;
            while let Some((page, date)) = pages.recv().await {
                seen += page.len();
                let entries: Vec<Entry> = page
                    .iter()
                    .filter(|listed| options.wants(listed))
                    .flat_map(|listed| listed.repositories(source, options.extras, date))
                    .filter_map(|one| match one {
                        Ok(repository) if names.want(&repository.name) => {
                            let known = before.get(&repository.name);
                            let unchanged =
                                !options.check_refs && known.is_some_and(|known| trusted(known, &repository));
                            Some(if unchanged {
                                Entry::Unchanged(repository)
                            } else {
                                Entry::Queued(repository)
                            })
                        }
                        Err((name, reason)) if names.want(&name) => {
                            Some(Entry::Failed(nameless(source, name), reason))
                        }
                        _ => None,
                    })
                    .collect();
                self.add(audit, &entries).await?;
            }
            Ok(seen)
        };
        let (result, taken): (_, Result<usize, Error>) = futures_util::future::join(lister, taker).await;
        let seen = taken?;
        let result = match result {
            // A token that may see nothing gets an empty list, not a refusal.
            Ok(()) if seen == 0 => {
                Err(Problem::Missing("it has no repository that may be seen with this token".to_owned()))
            }
            other => other,
        };
        if let Err(problem) = result
            && problem != Problem::Stopped
        {
            let hint = if self.access.has_key(source) {
                ""
            } else {
                " (asked without a token: set the forge's variable)"
            };
            let failed = Entry::Failed(
                nameless(source, source.text.clone()),
                format!("it could not be listed: {problem}{hint}"),
            );
            self.add(audit, &[failed]).await?;
        }
        Ok(())
    }

    async fn add(&self, audit: &Audit, entries: &[Entry]) -> Result<(), Error> {
        self.store.add_repositories(&audit.id, entries).await?;
        for entry in entries {
            if let Entry::Queued(repository) = entry {
                self.push(audit, &repository.name, 0).await?;
            }
        }
        Ok(())
    }

    async fn push(&self, audit: &Audit, repository: &str, number: i64) -> Result<(), Error> {
        let job = Job { audit: audit.id.clone(), repository: repository.to_owned() };
        self.queue.push(&job, number, Duration::ZERO).await
    }

    /// Puts into the queue what waits for another try: a worker may have been killed before it did. What was listed is put
    /// there by whoever goes on with the listing.
    pub async fn remind(&self, audit: &Audit) -> Result<(), Error> {
        for (repository, number) in self.store.retries(&audit.id).await? {
            self.push(audit, &repository, number).await?;
        }
        Ok(())
    }

    /// Tells the queue of this machine's workers that are gone for certain.
    pub async fn bury(&self) -> Result<(), Error> {
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
            git: Git { tokens: Arc::clone(&self.access.tokens), stop: Arc::clone(&self.stop) },
            texts,
            mirrors: self.mirrors.clone(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
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
        let Place::Remote(url) = &repository.place else {
            return Err("it lies on another machine".to_owned());
        };
        for source in sources {
            self.access
                .refresh(source, &self.stop, &self.say)
                .await
                .map_err(|problem| problem.to_string())?;
        }
        let url = Url::parse(url)?;
        let git = Git { tokens: Arc::clone(&self.access.tokens), stop: Arc::clone(&self.stop) };
        let mirrors = self.mirrors.clone();
        let fetch = tokio::task::spawn_blocking(move || {
            let references = git.references(&url)?;
            let mirror = mirrors.take(&repository.name, repository.holding)?;
            mirror.update(&git, &url, &references)?;
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

/// Whether the forge's word that nothing was pushed is enough.
fn trusted(known: &Before, repository: &Repository) -> bool {
    let age =
        known.checked_at.parse::<Timestamp>().map(|time| Timestamp::now().as_second() - time.as_second());
    known.pushed.is_some() && known.pushed == repository.pushed && age.is_ok_and(|age| age < TRUSTED_FOR)
}

/// What stands for something that has no repository: a source that could not be listed, an address that was refused.
fn nameless(source: &Source, name: String) -> Repository {
    Repository {
        name,
        holding: Holding::Code,
        place: Place::Remote(String::new()),
        source: source.text.clone(),
        pushed: None,
        settled: false,
        size_kib: None,
    }
}

fn local(source: &Source, folder: &Path) -> Repository {
    Repository {
        place: Place::Folder(folder.display().to_string()),
        ..nameless(source, folder.display().to_string())
    }
}

/// The repositories below a folder; those whose files are as they were need no work.
async fn folders(source: &Source, names: &Names, before: &Arc<HashMap<String, Before>>) -> Vec<Entry> {
    let root = match PathBuf::from(&source.path).canonicalize() {
        Ok(root) => root,
        Err(error) => return vec![Entry::Failed(nameless(source, source.text.clone()), error.to_string())],
    };
    let look = {
        let root = root.clone();
        tokio::task::spawn_blocking(move || folder::repositories(&root))
    };
    let (found, unread) = look.await.unwrap_or_default();
    let mut entries: Vec<Entry> = unread
        .into_iter()
        .map(|reason| Entry::Failed(nameless(source, format!("{} (a part)", source.text)), reason))
        .collect();
    if found.is_empty() && entries.is_empty() {
        entries.push(Entry::Failed(
            nameless(source, source.text.clone()),
            "there is no git repository below it".to_owned(),
        ));
    }
    let wanted: Vec<Repository> =
        found.iter().map(|folder| local(source, folder)).filter(|one| names.want(&one.name)).collect();
    let before = Arc::clone(before);
    let judged = tokio::task::spawn_blocking(move || {
        wanted.into_par_iter().map(|repository| unchanged_or_queued(repository, &before)).collect::<Vec<_>>()
    });
    entries.extend(judged.await.unwrap_or_default());
    entries
}

fn unchanged_or_queued(repository: Repository, before: &HashMap<String, Before>) -> Entry {
    let Place::Folder(folder) = &repository.place else { return Entry::Queued(repository) };
    let same =
        before.get(&repository.name).is_some_and(|known| known.refs == folder::state(Path::new(folder)));
    if same { Entry::Unchanged(repository) } else { Entry::Queued(repository) }
}

/// The addresses in a file, one a line; what follows a `#` is a remark.
fn listed_in_file(source: &Source, names: &Names, before: &HashMap<String, Before>) -> Vec<Entry> {
    let text = match std::fs::read_to_string(&source.path) {
        Ok(text) => text,
        Err(error) => return vec![Entry::Failed(nameless(source, source.text.clone()), error.to_string())],
    };
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let entry = match Url::parse(line) {
                Ok(url) if url.scheme() == "file" && !line.starts_with("file:") => {
                    let folder = url.as_str().trim_start_matches("file://").to_owned();
                    unchanged_or_queued(local(source, Path::new(&folder)), before)
                }
                Ok(url) => Entry::Queued(Repository {
                    place: Place::Remote(url.as_str().to_owned()),
                    ..nameless(source, url.name())
                }),
                Err(reason) => Entry::Failed(nameless(source, line.to_owned()), reason),
            };
            names.want(&entry.repository().name).then_some(entry)
        })
        .collect()
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
