//! A registry on loopback that serves a fleet, or a layout, and counts what is asked of it.

mod answer;
mod body;
mod content;
mod counts;
mod fault;
mod from_layout;
mod pace;
mod route;
mod stubs;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use lazaret::digest::Digest;
use tokio::runtime::Runtime;

pub use counts::Counts;
pub use fault::Faults;
pub use pace::Throttle;
pub use stubs::Stubs;

use crate::fleet::{Fleet, Kept};
use content::{Content, FleetContent};
use counts::Counters;
use fault::Mishaps;
use from_layout::LayoutContent;
use pace::Pace;

/// Manifests that are kept for the next one who asks, in bytes.
const MANIFESTS: usize = 16 << 20;

/// How a registry behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegistryOptions {
    /// How fast it is.
    pub throttle: Throttle,
    /// What goes wrong.
    pub faults: Faults,
    /// Threads that it answers with.
    pub threads: usize,
    /// Where it listens on loopback; 0 is a free port.
    pub port: u16,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self { throttle: Throttle::default(), faults: Faults::default(), threads: 1, port: 0 }
    }
}

/// What all requests have in common.
struct Shared {
    content: Box<dyn Content>,
    options: RegistryOptions,
    counters: Counters,
    mishaps: Option<Mishaps>,
    bytes: Pace,
    requests: Pace,
}

/// A running registry, on threads of its own; it ends when this is dropped.
pub struct SyntheticRegistry {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl SyntheticRegistry {
    /// Serves `fleet`.
    ///
    /// # Errors
    /// The port is taken, or there are no threads to be had.
    pub fn start(fleet: Arc<Fleet>, options: RegistryOptions) -> io::Result<Self> {
        Self::serve(Box::new(FleetContent { fleet, manifests: Kept::new(MANIFESTS) }), options)
    }

    /// Serves the images of the OCI layout in `directory`: `family:1.0` as tag `1.0` of `family`, `alpine` as
    /// `alpine:latest`.
    ///
    /// # Errors
    /// As for [`Self::start`], or the layout cannot be read.
    pub fn from_layout(directory: &Path, options: RegistryOptions) -> io::Result<Self> {
        Self::serve(Box::new(LayoutContent::open(directory)?), options)
    }

    /// Serves images whose layers are names alone.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn of_stubs(stubs: Stubs, options: RegistryOptions) -> io::Result<Self> {
        Self::serve(Box::new(stubs), options)
    }

    fn serve(content: Box<dyn Content>, options: RegistryOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("registry")
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            content,
            counters: Counters::default(),
            mishaps: Mishaps::new(options.faults),
            bytes: Pace::new(),
            requests: Pace::new(),
            options,
        });
        let router = Router::new().fallback(answer::answer).with_state(shared.clone());
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        // A connection that cannot be told not to wait is slower and works as well.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { shared, address, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// References to all images, as a user types them: `127.0.0.1:PORT/payments/api:1.4.2`.
    pub fn references(&self) -> impl Iterator<Item = String> {
        (0..self.shared.content.len()).filter_map(|image| self.reference(image))
    }

    /// The reference to one image, counted from 0.
    pub fn reference(&self, image: usize) -> Option<String> {
        let (repository, tag) = self.shared.content.name(image)?;
        Some(format!("{}/{repository}:{tag}", self.address))
    }

    /// What was asked of it so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.counts()
    }

    /// How often a blob was fetched.
    pub fn blob_gets(&self, digest: &Digest) -> u32 {
        self.shared.counters.gets_of(digest)
    }

    /// Counts from 0 again, as between two nights.
    pub fn reset_counts(&self) {
        self.shared.counters.reset();
    }
}

impl Drop for SyntheticRegistry {
    fn drop(&mut self) {
        // Does not wait: this may be dropped on a thread that must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
