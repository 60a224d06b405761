//! How much memory objects may take that are inflated at the same time: a thread for each of eight blobs of a gigabyte would take
//! all that a machine has. Small ones are not counted.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

/// An object from this size on is counted, in bytes.
pub const LARGE: u64 = 32 << 20;
/// So much may be in flight, in bytes: with all else that a scan holds it stays below a gigabyte. A larger object is alone.
const MOST: u64 = 640 << 20;
/// What the readers of one archive may hold in memory together, in bytes. One archive at a time may hold so much.
pub const MOST_OF_ARCHIVE: u64 = 384 << 20;

/// Memory for large objects, of which each takes its share for as long as it is looked at.
pub struct Budget {
    most: u64,
    left: Mutex<u64>,
    given_back: Condvar,
}

impl Budget {
    /// That of the whole process, whatever is scanned side by side.
    pub fn of_process() -> &'static Self {
        static BUDGET: OnceLock<Budget> = OnceLock::new();
        BUDGET.get_or_init(|| Self::of(MOST))
    }

    /// That of the readers of archives, which is another one: an object that has its share may be an archive.
    pub fn of_archives() -> &'static Self {
        static BUDGET: OnceLock<Budget> = OnceLock::new();
        BUDGET.get_or_init(|| Self::of(MOST_OF_ARCHIVE))
    }

    fn of(most: u64) -> Self {
        Self { most, left: Mutex::new(most), given_back: Condvar::new() }
    }

    /// A share for an object of this size, which is waited for; nothing where it is small. Whoever has one must not ask for
    /// another.
    pub fn share(&self, size: u64) -> Option<Share<'_>> {
        if size < LARGE {
            return None;
        }
        let size = size.min(self.most);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left < size {
            left = self.given_back.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= size;
        Some(Share { budget: self, size })
    }
}

/// A share, until it is dropped.
pub struct Share<'a> {
    budget: &'a Budget,
    size: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.size;
        self.budget.given_back.notify_all();
    }
}

/// Lets go of what a buffer took for one large object.
pub fn trim(buffer: &mut Vec<u8>) {
    if buffer.capacity() as u64 > LARGE {
        *buffer = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::super::delta::LONGEST;
    use super::{Budget, LARGE};

    #[test]
    fn large_objects_are_looked_at_one_after_the_other() {
        let budget = Budget::of_process();
        assert!(budget.share(LARGE - 1).is_none());
        let most = std::sync::atomic::AtomicU64::new(0);
        let now = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _share = budget.share(LONGEST);
                    let together = 1 + now.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    most.fetch_max(together, std::sync::atomic::Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    now.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
    }
}
