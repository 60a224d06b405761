//! Whether somebody asked a scan to stop: it ends early, says so, and tells what it found until then.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is said of that which a scan did not come to.
pub const INTERRUPTED: &str = "the scan was interrupted before it came to this";

/// A wish that may be uttered while a scan runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stop(Option<&'static AtomicBool>);

impl Stop {
    /// Nobody can interrupt.
    pub const NEVER: Self = Self(None);

    /// Set as soon as somebody interrupts.
    #[must_use]
    pub fn by(flag: &'static AtomicBool) -> Self {
        Self(Some(flag))
    }

    /// Whether somebody did.
    #[must_use]
    pub fn is_set(self) -> bool {
        self.0.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}
