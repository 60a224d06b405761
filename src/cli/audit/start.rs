//! `sidsweep audit SOURCE...`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};

use super::super::scan::FailOn;
use super::super::{Failure, Outcome, output, twilio};
use super::report::{Showing, show};
use super::{Place, Working, end_on_signal};
use crate::audit::{Extras, Forge, Options, Source};
use crate::model::{WorkState, WorkerStatus};
use crate::report::printable;
use crate::store::{Audit, Store, Totals};

#[derive(clap::Args)]
pub struct Start {
    /// github:ORG, github:HOST/ORG, gitlab:GROUP, bitbucket:WORKSPACE, gitea:HOST/ORG, azure:ORG[/PROJECT], dir:PATH for all
    /// repositories below a folder, or list:FILE for clone URLs, one a line. A forge of your own: gitlab:https://HOST/GROUP;
    /// one below a path: gitlab:https://HOST/PATH//GROUP
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    working: Working,
    /// Look at wikis too
    #[arg(long)]
    wikis: bool,
    /// Look at gists too: a user's, or the public ones of an organization's members
    #[arg(long)]
    gists: bool,
    /// Look at the texts of issues, pull requests and comments too
    #[arg(long)]
    texts: bool,
    /// Only repositories of this name, e.g. 'acme/pay-*'; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// No repositories of this name; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Only repositories that these may see; may be given several times
    #[arg(long, value_name = "WHO", value_parser = ["public", "internal", "private"])]
    visibility: Vec<String>,
    /// Only repositories that were pushed to since, e.g. 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pushed_since: Option<String>,
    /// No archived repositories
    #[arg(long)]
    no_archived: bool,
    /// No forks
    #[arg(long)]
    no_forks: bool,
    /// Ask every repository for its references, also where the forge says that nothing was pushed
    #[arg(long)]
    check_refs: bool,
    #[command(flatten)]
    showing: Showing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn run(args: &Start, runtime: &tokio::runtime::Runtime) -> Result<Outcome, Failure> {
    args.showing.check()?;
    // Before all the work: whoever asked for verdicts hears at once that there will be none.
    let client = args.showing.verify.then(|| args.twilio.client()).transpose()?;
    let options = Options {
        extras: Extras { wikis: args.wikis, gists: args.gists, texts: args.texts },
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        visibility: args.visibility.clone(),
        pushed_since: args.pushed_since.clone(),
        no_archived: args.no_archived,
        no_forks: args.no_forks,
        check_refs: args.check_refs,
    };
    options.check().map_err(Failure)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (store, audit) = runtime.block_on(audit(args, &options, &stop))?;
    if stop.load(Ordering::Relaxed) {
        return Ok(Outcome::Incomplete);
    }
    show(&store, &audit, &args.showing, &args.twilio, client, &args.working, runtime)
}

/// Looks whether what lies on this machine is there, before an audit of it is begun.
fn check(source: &Source) -> Result<(), Failure> {
    let wrong = |reason: &str| Err(Failure(format!("{}: {reason}; no audit was begun", source.text)));
    let path = Path::new(&source.path);
    match source.forge {
        Forge::Folder if !path.exists() => wrong("there is no such folder"),
        Forge::Folder if !path.is_dir() => wrong("that is no folder"),
        Forge::List if !path.exists() => wrong("there is no such file"),
        Forge::Folder | Forge::List => Ok(()),
        Forge::Github | Forge::Gitlab | Forge::Bitbucket | Forge::Gitea | Forge::Azure => Ok(()),
    }
}

async fn audit(args: &Start, options: &Options, stop: &Arc<AtomicBool>) -> Result<(Store, Audit), Failure> {
    args.sources.iter().try_for_each(check)?;
    let database = args.place.database()?;
    let store = Store::open(database).await?;
    let own = |source: &Source| source.clone().cloned_from(&args.working.clone_host);
    let sources: Vec<Source> = args.sources.iter().map(own).collect();
    let run = args.working.run(store.clone(), &sources, Arc::clone(stop)).await?;
    let (audit, again) = run.audit(&sources, options).await?;
    output::complain(&format!(
        "{} audit {} in {}, mirrors in {}",
        if again { "Going on with" } else { "Beginning" },
        audit.id,
        store.database().shown(),
        run.mirrors.root.display()
    ));
    end_on_signal(stop);
    let listed = AtomicBool::new(false);
    let (ended, end) = tokio::sync::watch::channel(false);
    let list = async {
        let result = match run.list(&audit, &sources, options).await {
            Ok(is_all) => {
                listed.store(is_all, Ordering::Relaxed);
                // Where another process took over, this one goes on as its helper.
                if is_all { Ok(()) } else { run.follow(&audit, &sources, &listed, &ended).await }
            }
            Err(error) => Err(error),
        };
        if result.is_err() {
            ended.send_replace(true);
            stop.store(true, Ordering::Relaxed);
        }
        result
    };
    let mut display = Display::default();
    let mut show = |totals: &Totals, workers: Vec<WorkerStatus>| {
        display.show(totals, &workers, listed.load(Ordering::Relaxed));
    };
    let work = run.work(&sources, end);
    let watch = run.watch(&audit, &listed, &ended, &sources, &mut show);
    let (listing, (working, watching)) =
        futures_util::future::join(list, futures_util::future::join(work, watch)).await;
    display.clear();
    listing?;
    working?;
    watching?;
    let audit = super::chosen(&store, Some(&audit.id)).await?;
    Ok((store, audit))
}

/// How far it is, on a terminal: the whole, and what each worker is at.
#[derive(Default)]
struct Display {
    lines: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    begin: Option<std::time::Instant>,
}

impl Display {
    fn show(&mut self, totals: &Totals, workers: &[WorkerStatus], listed: bool) {
        if !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            return;
        }
        let begin = *self.begin.get_or_insert_with(std::time::Instant::now);
        let (all, whole, lines) = self.lines.get_or_insert_with(|| {
            let all = MultiProgress::new();
            let style = ProgressStyle::with_template("[{bar:24}] {pos} of {len}{msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let whole = all.add(ProgressBar::new(0).with_style(style));
            (all, whole, Vec::new())
        });
        let style = || {
            ProgressStyle::with_template("  {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
        };
        while lines.len() < workers.len() {
            lines.push(all.add(ProgressBar::new_spinner().with_style(style())));
        }
        whole.set_length(totals.all());
        whole.set_position(totals.all() - totals.open());
        let mut words = vec![format!("{} unchanged", totals.of(WorkState::Unchanged))];
        if totals.of(WorkState::Failed) > 0 {
            words.push(format!("{} failed", totals.of(WorkState::Failed)));
        }
        words.push(format!("{} objects, {}", HumanCount(totals.blobs), HumanBytes(totals.bytes)));
        match totals.seconds_left(begin.elapsed().as_secs_f64()) {
            _ if !listed => words.push("listing".to_owned()),
            Some(seconds) if totals.open() > 0 => {
                words.push(format!("{} left", HumanDuration(std::time::Duration::from_secs(seconds))));
            }
            _ => {}
        }
        whole.set_message(format!(" repositories ({})", words.join(", ")));
        for (number, line) in lines.iter().enumerate() {
            line.set_message(
                workers.get(number).map(|worker| printable(&worker.repository)).unwrap_or_default(),
            );
        }
    }

    fn clear(&mut self) {
        if let Some((all, _, _)) = self.lines.take() {
            let _ = all.clear();
        }
    }
}

impl Showing {
    fn check(&self) -> Result<(), Failure> {
        if self.fail_on == FailOn::Live && !self.verify {
            return Err(Failure(
                "--fail-on live needs --verify: without asking, nothing is known to be live".to_owned(),
            ));
        }
        self.unread.check()
    }
}
