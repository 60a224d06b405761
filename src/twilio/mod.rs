//! Twilio's API, read and, by an administrator's explicit wish, changed. Only pinned hosts are asked.

pub mod account;
mod answer;
pub mod change;
pub mod client;
mod clock;
pub mod exposure;
pub mod happenings;
pub mod inventory;
pub mod keys;
pub mod lists;
mod loopback;
pub mod meaning;
pub mod oauth;
pub mod pair;
pub mod product;
pub mod reading;
pub mod resources;
mod sent;
pub mod tokens;
pub mod verify;
pub mod webhooks;

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
