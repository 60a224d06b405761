//! A simulated Twilio: real HTTPS on loopback, with answers as Twilio's specification, documentation and dated live
//! tests have them, and faults on order. Tests hold the truth ([`World`]) and may change it at any time.

mod answer;
mod apps;
mod auth;
pub mod fault;
pub mod log;
mod products;
mod request;
pub mod resources;
mod server;
mod tls;
mod v2010;
mod webhooks;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard};

pub use fault::{Fault, FaultKind};
pub use log::Entry;
pub use world::{Elsewhere, InactiveAnswer, KeyKind, Region, Status, World};

/// A running simulator; it stops when dropped.
#[derive(Debug)]
pub struct Sim {
    /// `https://127.0.0.1:PORT`.
    pub endpoint: String,
    /// The authority to trust, in PEM.
    pub authority: String,
    world: Arc<Mutex<World>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Sim {
    /// Starts on a free port of loopback.
    ///
    /// # Panics
    /// If loopback has no free port.
    #[must_use]
    pub fn start(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let (config, authority) = tls::configure(Arc::clone(&world));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
        let endpoint = format!("https://{}", listener.local_addr().expect("an address"));
        runtime.spawn(server::serve(listener, config, Arc::clone(&world)));
        Self { endpoint, authority, world, runtime: Some(runtime) }
    }

    /// The truth.
    ///
    /// # Panics
    /// If an answer panicked.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no answer panicked")
    }

    /// Orders a fault.
    pub fn order(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// What was asked so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.world().log.clone()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
