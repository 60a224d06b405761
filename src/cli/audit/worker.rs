//! `sidsweep audit worker`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::{Failure, Outcome, output};
use super::{Place, Working, end_on_signal};
use crate::store::{Audit, Store};

/// Join an audit that was begun elsewhere
///
/// Works on the audits of a database until all of them are done. Tokens are taken from this machine's environment.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    working: Working,
    /// How many seconds to wait for an audit to begin
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    wait: u64,
}

pub async fn run(args: &Args) -> Result<Outcome, Failure> {
    let store = Store::open(args.place.database()?).await?;
    let stop = Arc::new(AtomicBool::new(false));
    end_on_signal(&stop);
    let rules = args.working.detector()?.rules().version().to_owned();
    let begin = Instant::now();
    let mut worked = false;
    while !stop.load(Ordering::Relaxed) {
        let open: Vec<Audit> =
            store.audits().await?.into_iter().filter(|audit| audit.finished_at.is_none()).collect();
        if let Some(audit) = open.iter().find(|audit| audit.rules == rules) {
            join(args, &store, audit, &stop).await?;
            worked = true;
            continue;
        }
        if let Some(other) = open.first() {
            return Err(Failure(format!(
                "audit {} judges by {}, and this worker by {rules}: use the same version and the same --rules",
                other.id, other.rules
            )));
        }
        if worked {
            break;
        }
        if begin.elapsed() > Duration::from_secs(args.wait) {
            return Err(Failure(format!(
                "{}: no audit was begun there; `sidsweep audit SOURCE --database …` begins one",
                store.database().shown()
            )));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(Outcome::Clean)
}

/// Works until an audit is finished; who began it says when that is.
async fn join(args: &Args, store: &Store, audit: &Audit, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let sources = args.working.sources(&audit.sources);
    let run = args.working.run(store.clone(), &sources, Arc::clone(stop)).await?;
    run.bury().await?;
    for source in &sources {
        if let Err(problem) = run.access.refresh(source, stop, &run.say).await {
            output::complain(&format!("{}: {problem}", source.text));
        }
    }
    output::complain(&format!(
        "Joining audit {} in {} as {}",
        audit.id,
        store.database().shown(),
        run.presence.name
    ));
    let (ended, end) = tokio::sync::watch::channel(false);
    let listed = AtomicBool::new(audit.listed);
    let follow = async {
        let result = run.follow(audit, &sources, &listed, &ended).await;
        if result.is_err() {
            ended.send_replace(true);
            stop.store(true, Ordering::Relaxed);
        }
        result
    };
    let work = run.work(&sources, end);
    let mut silent = |_: &_, _: Vec<_>| {};
    let watch = run.watch(audit, &listed, &ended, &sources, &mut silent);
    let (following, (working, watching)) =
        futures_util::future::join(follow, futures_util::future::join(work, watch)).await;
    following?;
    working?;
    watching?;
    Ok(())
}
