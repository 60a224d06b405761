//! Twilio's API, read and, by an administrator's explicit wish, changed. Only pinned hosts are asked.

pub mod account;
pub mod change;
pub mod client;
mod clock;
pub mod exposure;
pub mod inventory;
pub mod keys;
mod loopback;
pub mod meaning;
pub mod pair;
pub mod product;
pub mod reading;
pub mod tokens;
pub mod verify;

pub use client::{Client, Fault, Options};
pub use pair::Pair;
pub use product::Product;

/// Runs requests to their end on this thread: the network is what is waited for.
///
/// # Panics
/// If the machine gives no event queue.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an event queue")
        .block_on(future)
}
