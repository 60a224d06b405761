//! Ctrl-C during a scan: the scan stops, and what it found until then is told. A second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

use crate::source::stop::Stop;

/// The exit code of a program that a signal ended at once.
const ENDED: i32 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(false);

/// From here on the first signal stops a scan, and the second one ends the program. Where the system refuses, the first one ends it, as
/// for any program.
pub fn stops_the_scan() -> Stop {
    for signal in [SIGINT, SIGTERM] {
        // They are run in this order, so the first signal finds the condition of the shutdown not fulfilled yet.
        let _ = register_conditional_shutdown(signal, ENDED, &AT_ONCE)
            .and_then(|_| register(signal, &STOP))
            .and_then(|_| register(signal, &AT_ONCE));
    }
    Stop::by(&STOP)
}

/// From here on the first signal ends the program.
pub fn ends_the_program() {
    AT_ONCE.store(true, Ordering::Relaxed);
}
