//! A worker: takes a repository, looks at what is new in it, and stores what came of it, all at once or not at all.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::carried;
use super::folder;
use super::git::{Git, Refusal, Remote};
use super::mirror::Mirrors;
use super::owners::Owners;
use super::queue::{Job, Queue};
use super::texts::Texts;
use crate::detect::Detector;
use crate::model::{Confidence, Holding, Place, Repository, SourceMode, Tally};
use crate::private;
use crate::scan::gather::{self, Gathered};
use crate::scan::ledger::Ledger;
use crate::scan::nested::Nested;
use crate::scan::{self, Progress, Scanned, history};
use crate::source::stop::Stop;
use crate::source::{repository, tree};
use crate::store::{Claim, Ending, FoundBefore, Look, Store};

/// How often a repository is tried that does not go for a passing reason.
pub const MOST_TRIES: i64 = 4;
/// How often a worker may vanish at a repository before it is left alone: it may be what kills them. Machines that are
/// switched off hit some repository too, so a few times say nothing.
pub const MOST_DEATHS: i64 = 10;
/// The pause before the second try; it grows threefold each time.
const PAUSE: Duration = Duration::from_secs(4);
/// The longest pause: that before the last of [`MOST_TRIES`] tries.
pub const LONGEST_PAUSE: Duration = PAUSE.saturating_mul(3 * 3);

/// What a worker has at hand.
pub struct Worker {
    /// Machine and process.
    pub name: String,
    /// The machine.
    pub host: String,
    /// Where results go.
    pub store: Store,
    /// For another try.
    pub queue: Queue,
    /// Finds.
    pub detector: Arc<Detector>,
    /// Talks to servers.
    pub git: Git,
    /// Fetches texts.
    pub texts: Texts,
    /// Keeps copies.
    pub mirrors: Mirrors,
    /// Threads for one repository.
    pub jobs: usize,
    /// Pauses between tries; tests want them short.
    pub hurry: bool,
}

/// What is known before a look.
struct Known {
    ledger: Option<Ledger>,
    refs: Option<String>,
    /// What the last look found.
    found: FoundBefore,
    /// There is no other try after this one.
    last_try: bool,
}

/// What a look went through, and what it goes on from.
struct Seen<'a> {
    repository: &'a Repository,
    root: &'a Path,
    mode: SourceMode,
    begin: Instant,
    scanned: Scanned,
    /// What was judged, and whether that adds to what is stored.
    ledger: Ledger,
    goes_on: bool,
    /// A digest of the references, or of the state of what was looked at.
    refs: String,
    /// What the last look found.
    before: FoundBefore,
}

impl Worker {
    /// Does one job. An error means that it is not done, and the queue gives it out again.
    pub async fn run(self: &Arc<Self>, job: Job) -> Result<(), String> {
        match self.work(&job).await {
            Ok(()) if self.git.stop.load(Ordering::Relaxed) => Err("the run ended".to_owned()),
            Ok(()) => Ok(()),
            Err(error) => {
                // The queue gives it out again at once; a database that is away needs a moment.
                tokio::time::sleep(Duration::from_secs(1)).await;
                Err(error.to_string())
            }
        }
    }

    async fn work(self: &Arc<Self>, job: &Job) -> Result<(), crate::store::Error> {
        if self.git.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(claim) = self.store.claim(&job.audit, &job.repository, &self.name).await? else {
            return Ok(());
        };
        let ending = if claim.deaths >= MOST_DEATHS {
            Ending::Failed(format!(
                "{MOST_DEATHS} workers crashed on it (killed, or out of memory); scan it by itself: sidsweep scan --history"
            ))
        } else {
            let (ledger, refs) =
                self.store.ledger(&claim.repository.name, self.detector.rules().version()).await?.unzip();
            let found = self.store.found_before(&claim.repository.name).await?;
            let known = Known { ledger, refs, found, last_try: claim.tries + 1 >= MOST_TRIES };
            let (worker, repository) = (Arc::clone(self), claim.repository.clone());
            let look = tokio::task::spawn_blocking(move || worker.look(&repository, known)).await;
            ending(
                look.unwrap_or_else(|panic| Err(Refusal::Never(format!("sidsweep failed at it: {panic}")))),
                claim.tries,
            )
        };
        self.end(job, &claim, &ending).await
    }

    /// The result of hours of work is not lost to a database that is away for a minute.
    async fn end(&self, job: &Job, claim: &Claim, ending: &Ending) -> Result<(), crate::store::Error> {
        let mut tries = 0;
        let held = loop {
            match self.store.end(claim, ending).await {
                Ok(held) => break held,
                Err(error)
                    if tries >= if self.hurry { 5 } else { 60 } || self.git.stop.load(Ordering::Relaxed) =>
                {
                    return Err(error);
                }
                Err(_) => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        if held && matches!(ending, Ending::Again(_)) {
            let pause = if self.hurry {
                Duration::ZERO
            } else {
                PAUSE * 3_u32.pow(u32::try_from(claim.tries).unwrap_or(0).min(6))
            };
            self.queue.push(job, claim.tries + 1, pause).await?;
        }
        Ok(())
    }

    /// Looks at a repository.
    fn look(&self, repository: &Repository, known: Known) -> Result<Option<Look>, Refusal> {
        match &repository.place {
            Place::Folder(path) => self.folder(repository, Path::new(path), known).map(Some),
            Place::Remote(_) => self.remote(repository, known),
            Place::Api(url) => self.api(repository, url, known),
        }
    }

    fn remote(&self, repository: &Repository, known: Known) -> Result<Option<Look>, Refusal> {
        let remote = Remote::of(repository)?;
        let references = match self.git.references(&remote) {
            // Forges say that there is a wiki where nobody wrote a page yet.
            Err(Refusal::Missing(_)) if repository.holding == Holding::Wiki => return Ok(None),
            other => other?,
        };
        if known.refs.as_ref() == Some(&references.digest) {
            return Ok(None);
        }
        let size = || repository.size_kib.or_else(|| self.texts.size(repository));
        if let Some(budget) = self.mirrors.budget
            && let Some(size) = size()
            && size.saturating_mul(1024) > budget
        {
            return Err(Refusal::Never(format!(
                "it takes {} MiB, more than all mirrors may take (--disk); give them more room",
                size >> 10
            )));
        }
        let mirror = self.mirrors.take(&repository.name, repository.holding)?;
        mirror.update(&self.git, &remote, &references)?;
        let goes_on = known.ledger.is_some();
        let mut ledger = known.ledger.unwrap_or_else(|| self.store.new_ledger());
        let begin = Instant::now();
        let scanned = history::scan_on(
            &self.detector,
            &mirror.folder,
            self.jobs,
            true,
            &Progress::default(),
            Some(&mut ledger),
        )
        .map_err(|error| Refusal::Now(repository::causes(&error)))?;
        let look = self.finish(Seen {
            repository,
            root: &mirror.folder,
            mode: SourceMode::History,
            begin,
            scanned,
            ledger,
            goes_on,
            refs: references.digest,
            before: known.found,
        });
        self.mirrors.make_room(&mirror.folder);
        Ok(Some(look))
    }

    fn folder(&self, repository: &Repository, path: &Path, known: Known) -> Result<Look, Refusal> {
        if !path.exists() {
            return Err(Refusal::Never("the folder is gone".to_owned()));
        }
        if !repository::is_bare(path)
            && !path.join(".git").is_file()
            && !repository::is_bare(&path.join(".git"))
        {
            return Err(Refusal::Never(
                "its .git folder is no repository: HEAD or objects are missing".to_owned(),
            ));
        }
        let state = folder::state(path);
        let goes_on = known.ledger.is_some();
        let mut ledger = known.ledger.unwrap_or_else(|| self.store.new_ledger());
        let begin = Instant::now();
        let progress = Progress::default();
        let history = history::scan_on(&self.detector, path, self.jobs, false, &progress, Some(&mut ledger))
            .map_err(|error| Refusal::Never(repository::causes(&error)))?;
        let mut scanned = if repository::is_bare(path) {
            scan::Found::default().covering(Tally::default())
        } else {
            let options =
                tree::Options { no_ignore: false, max_file_size: None, jobs: self.jobs, stop: Stop::NEVER };
            scan::trees(&self.detector, &[path.to_owned()], &options, &progress)
                .map_err(|error| Refusal::Now(repository::causes(&error)))?
        };
        // What is checked out is a repository of its own, which the listing has found.
        let mut nested = Nested::new(&self.detector, self.jobs, false, &progress);
        nested.knows_checked_out(path);
        scanned.add(history, Path::new(""));
        scanned.add(nested.modules(path), Path::new(""));
        Ok(self.finish(Seen {
            repository,
            root: path,
            mode: SourceMode::History,
            begin,
            scanned,
            ledger,
            goes_on,
            refs: state,
            before: known.found,
        }))
    }

    fn api(&self, repository: &Repository, url: &str, known: Known) -> Result<Option<Look>, Refusal> {
        let mirror = self.mirrors.take(&repository.name, Holding::Texts)?;
        let root = mirror.folder.join("texts");
        let since = known.refs.filter(|since| root.is_dir() && !since.is_empty());
        private::folder(&root).map_err(|error| Refusal::Now(format!("{}: {error}", root.display())))?;
        let begin = Instant::now();
        let brought = self.texts.update(repository, url, &root, since.as_deref(), known.last_try)?;
        if brought.unchanged {
            return Ok(None);
        }
        let options =
            tree::Options { no_ignore: true, max_file_size: None, jobs: self.jobs, stop: Stop::NEVER };
        let mut scanned =
            scan::trees(&self.detector, std::slice::from_ref(&root), &options, &Progress::default())
                .map_err(|error| Refusal::Now(repository::causes(&error)))?;
        scanned.coverage.append(brought.coverage);
        let look = self.finish(Seen {
            repository,
            root: &root,
            mode: SourceMode::Tree,
            begin,
            scanned,
            ledger: self.store.new_ledger(),
            goes_on: false,
            refs: brought.marks,
            before: known.found,
        });
        Ok(Some(look))
    }

    /// Gathers what was found.
    fn finish(&self, seen: Seen<'_>) -> Look {
        let options = gather::Options {
            min_confidence: Confidence::Medium,
            show_secrets: false,
            repository: Some(&seen.repository.name),
        };
        let Gathered { mut findings, mut credentials, vault, .. } =
            gather::gather(self.detector.rules(), seen.scanned.texts, options);
        drop(vault);
        let is_of_interest = !(findings.is_empty() && seen.before.findings.is_empty());
        let opened = (seen.mode == SourceMode::History && is_of_interest)
            .then(|| repository::open(seen.root).ok())
            .flatten();
        let owners = opened.as_deref().map(Owners::of).unwrap_or_default();
        for finding in &mut findings {
            owners.name(finding);
        }
        if let Some(opened) = opened {
            carried::carry(&opened, seen.before, &mut findings, &mut credentials);
        }
        let mut stats = seen.scanned.stats;
        stats.seconds = seen.begin.elapsed().as_secs_f64();
        Look {
            rules: self.detector.rules().version().to_owned(),
            refs: seen.refs,
            root: seen.root.display().to_string(),
            host: self.host.clone(),
            mode: seen.mode,
            stats,
            coverage: seen.scanned.coverage,
            findings,
            credentials,
            ledger: seen.ledger,
            goes_on: seen.goes_on,
        }
    }
}

fn ending(look: Result<Option<Look>, Refusal>, tries: i64) -> Ending {
    match look {
        Ok(Some(look)) => Ending::Looked(Box::new(look)),
        Ok(None) => Ending::Unchanged,
        Err(Refusal::Never(reason) | Refusal::Missing(reason)) => Ending::Failed(reason),
        Err(Refusal::Now(reason)) if tries + 1 >= MOST_TRIES => {
            Ending::Failed(format!("{reason} (tried {MOST_TRIES} times)"))
        }
        Err(Refusal::Now(reason)) => Ending::Again(reason),
        Err(Refusal::Stopped) => Ending::Stopped,
    }
}
