//! `sidsweep audit`: all repositories of an organization.

mod list;
mod report;
mod start;
mod status;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Subcommand;
use etcetera::BaseStrategy;

use super::{Failure, Outcome, output, rules};
use crate::audit::{self, Access, CloneHost, Mirrors, Presence, Queue, Run, Source};
use crate::detect::Detector;
use crate::rules::Rules;
use crate::store::{Audit, Database, Store};

/// Audit all repositories of an organization
///
/// Lists what a forge has, mirrors it, and judges every object of every repository once. Run again, it goes on where it was;
/// a later audit looks only at what is new. Tokens are taken from GH_TOKEN or GITHUB_TOKEN (GH_ENTERPRISE_TOKEN and GH_HOST for
/// a host of your own; GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY for an App, with GITHUB_APP_HOST), GITLAB_TOKEN (GITLAB_HOST),
/// BITBUCKET_TOKEN or BITBUCKET_EMAIL and BITBUCKET_API_TOKEN, GITEA_TOKEN and GITEA_HOST, and AZURE_DEVOPS_EXT_PAT
/// (AZURE_DEVOPS_HOST), or asked of gh and glab. Each is sent to its own host only.
///
/// What a token does not show is named in the report: private repositories where there is no token, and those that the forge
/// counts and does not list.
///
/// Exit codes: 0 nothing to report; 1 something that counts for --fail-on was found; 2 the command could not do what was
/// asked, or could not read all of it and found nothing in the rest.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "it is shown as it stands")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    start: start::Start,
}

#[derive(Subcommand)]
enum Command {
    Worker(worker::Args),
    Status(status::Args),
    List(list::Args),
    Report(Box<report::Args>),
}

/// Which database.
#[derive(clap::Args, Debug, Clone)]
#[expect(clippy::doc_markdown, reason = "it is shown as it stands")]
struct Place {
    /// Where audits are kept: sqlite:FILE, or postgres://USER@HOST/NAME where several machines work together (PGPASSWORD
    /// may hold its password) [default: audit.db in the user's state folder]
    #[arg(long, value_name = "DATABASE", env = "SIDSWEEP_DATABASE", hide_env_values = true)]
    database: Option<Database>,
}

/// How this machine works.
#[derive(clap::Args, Debug, Clone)]
struct Working {
    /// Repositories at once on this machine [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Where mirrors are kept [default: beside the database's file, or in the user's state folder]
    #[arg(long, value_name = "FOLDER")]
    mirrors: Option<PathBuf>,
    /// The most room that mirrors may take, e.g. 50G; those used longest ago go first [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = super::scan::size)]
    disk: Option<u64>,
    /// A file with names, vendors and examples of your own; all workers of an audit need the same
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// After how many seconds without a sign of life a worker's repository is given to another
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u16).range(2..))]
    lease: u16,
    /// The host that a forge's repositories are cloned from where it is not the forge's own, e.g. git.example=code.example: the
    /// forge's token is sent there too
    #[arg(long, value_name = "HOST=HOST")]
    clone_host: Vec<CloneHost>,
    /// Try again at once what did not go for a passing reason
    #[arg(long, hide = true)]
    hurry: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure(format!("no event queue: {error}")))?;
    match &args.command {
        None => start::run(&args.start, &runtime),
        Some(Command::Worker(args)) => runtime.block_on(worker::run(args)),
        Some(Command::List(args)) => runtime.block_on(list::run(args)),
        Some(Command::Status(args)) => runtime.block_on(status::run(args)),
        Some(Command::Report(args)) => report::run(args, &runtime),
    }
}

impl Place {
    fn database(&self) -> Result<Database, Failure> {
        match &self.database {
            Some(database) => Ok(database.clone()),
            None => Ok(Database::File(state_folder()?.join("audit.db"))),
        }
    }

    /// Opens a store that is there, since nobody asks after an audit in a new one.
    async fn open(&self) -> Result<Store, Failure> {
        let database = self.database()?;
        if let Database::File(path) = &database
            && !path.exists()
        {
            return Err(Failure(format!(
                "{}: there is no audit there yet; `sidsweep audit SOURCE` begins one",
                path.display()
            )));
        }
        Ok(Store::open(database).await?)
    }
}

/// An audit that was begun.
#[derive(clap::Args, Debug, Clone)]
struct Chosen {
    #[command(flatten)]
    place: Place,
    /// Which audit [default: the latest]
    #[arg(long, value_name = "ID")]
    audit: Option<String>,
}

impl Chosen {
    /// Opens a store that is there, and finds the audit.
    async fn open(&self) -> Result<(Store, Audit), Failure> {
        let store = self.place.open().await?;
        let audit = chosen(&store, self.audit.as_deref()).await?;
        Ok((store, audit))
    }
}

fn state_folder() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy().map_err(|error| {
        Failure(format!("no place for audits: {error}; give --database sqlite:FILE and --mirrors FOLDER"))
    })?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("sidsweep"))
}

/// The audit that was begun last, or the one of this id.
async fn chosen(store: &Store, id: Option<&str>) -> Result<Audit, Failure> {
    let audits = store.audits().await?;
    let shown = store.database().shown();
    match id {
        Some(id) => audits
            .into_iter()
            .find(|audit| audit.id == id)
            .ok_or_else(|| Failure(format!("{shown}: no audit {id}; `sidsweep audit list` lists them"))),
        None => {
            audits.into_iter().next().ok_or_else(|| Failure(format!("{shown}: no audit was begun there yet")))
        }
    }
}

impl Working {
    /// The sources of an audit, with the hosts that they are cloned from: each machine says so for itself, since its tokens go
    /// there.
    fn sources(&self, texts: &[String]) -> Vec<Source> {
        let sources = texts.iter().filter_map(|text| text.parse::<Source>().ok());
        sources.map(|source| source.cloned_from(&self.clone_host)).collect()
    }

    fn mirrors(&self, database: &Database) -> Result<Mirrors, Failure> {
        let root = match (&self.mirrors, database) {
            (Some(folder), _) => folder.clone(),
            (None, Database::File(path)) => path.with_extension("mirrors"),
            (None, Database::Server(_)) => state_folder()?.join("mirrors"),
        };
        let root =
            std::path::absolute(&root).map_err(|error| Failure(format!("{}: {error}", root.display())))?;
        Ok(Mirrors { root, budget: self.disk })
    }

    fn detector(&self) -> Result<Arc<Detector>, Failure> {
        let mut all = Rules::built_in();
        for file in &self.rules {
            rules::add_file(&mut all, file)?;
        }
        Ok(Arc::new(Detector::new(all)))
    }

    async fn run(&self, store: Store, sources: &[Source], stop: Arc<AtomicBool>) -> Result<Run, Failure> {
        let mirrors = self.mirrors(store.database())?;
        let presence = Presence::take(&mirrors.root.join(".workers"), &audit::host())
            .map_err(|error| Failure(format!("{}: {error}", mirrors.root.display())))?;
        let detector = self.detector()?;
        let cores = crate::scan::all_cores();
        Ok(Run {
            queue: Queue::open(&store, Duration::from_secs(self.lease.into())).await?,
            access: Arc::new(Access::of(sources).map_err(Failure)?),
            store,
            mirrors,
            detector,
            presence,
            host: audit::host(),
            concurrency: self.workers.map_or(cores, usize::from),
            hurry: self.hurry,
            say: Arc::new(|words: &str| output::complain(words)),
            stop,
        })
    }
}

/// Ends a run in order at the first signal, and at once at the second.
fn end_on_signal(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        signal().await;
        stop.store(true, Ordering::Relaxed);
        output::complain(
            "Stopping: what is nearly done is stored, the rest is given back. The same command goes on later. Once more ends at once.",
        );
        signal().await;
        std::process::exit(130);
    });
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        let interrupt = std::pin::pin!(tokio::signal::ctrl_c());
        let terminate = std::pin::pin!(terminate.recv());
        futures_util::future::select(interrupt, terminate).await;
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
