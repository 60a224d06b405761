//! A progress line on a terminal, for scans that take longer than a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::scan::Progress;

/// Shows the counts of `progress` until dropped.
pub struct Display {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Display {
    /// Starts showing, if standard error is a terminal.
    #[must_use]
    pub fn start(progress: &Arc<Progress>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
            let (stop, progress) = (Arc::clone(&stop), Arc::clone(progress));
            std::thread::spawn(move || show(&stop, &progress))
        });
        Self { stop, thread }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn show(stop: &AtomicBool, progress: &Progress) {
    let begin = Instant::now();
    let wait = |time: Duration| {
        std::thread::park_timeout(time);
        !stop.load(Ordering::Relaxed)
    };
    while begin.elapsed() < Duration::from_secs(1) {
        if !wait(Duration::from_secs(1).saturating_sub(begin.elapsed())) {
            return;
        }
    }
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    loop {
        let files = HumanCount(progress.files.load(Ordering::Relaxed));
        let bytes = HumanBytes(progress.bytes.load(Ordering::Relaxed));
        bar.set_message(format!("{files} files, {bytes} read"));
        bar.tick();
        if !wait(Duration::from_millis(100)) {
            bar.finish_and_clear();
            return;
        }
    }
}
