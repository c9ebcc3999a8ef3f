//! What the server shares between its calls: options, maintenance, counters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::Counters;

/// The largest body of an ordinary request (`v1.md 1.3`).
pub const BODY_MAX_BYTES: u64 = 1024 * 1024;

/// The upper bounds of the latency histogram, in microseconds.
pub const LATENCY_BOUNDS_US: [u64; 8] =
    [250, 500, 1_000, 2_500, 10_000, 50_000, 250_000, 1_000_000];

/// What the operator set for the API.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// The largest body of an ordinary request, in bytes.
    pub body_max_bytes: u64,
    /// Scheme and host of absolute links; what the client named where missing.
    pub public_url: Option<String>,
    /// Origins of pages that may change state, besides the server's own.
    pub allowed_origins: Vec<String>,
    /// The token that lets others than loopback peers read the metrics.
    pub metrics_token: Option<String>,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            body_max_bytes: BODY_MAX_BYTES,
            public_url: None,
            allowed_origins: Vec::new(),
            metrics_token: None,
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Returns it.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of answered calls.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by the hundreds of their status: 2xx at 2.
    pub by_class: [Counter; 6],
    /// Answers by how long they took; the last is beyond all bounds.
    pub by_latency: [Counter; LATENCY_BOUNDS_US.len() + 1],
    /// All that time together, in microseconds.
    pub took_us: Counter,
    /// Handlers that panicked.
    pub panics: Counter,
}

impl Metrics {
    /// Counts one answer.
    pub fn answered(&self, status: u16, took_us: u64) {
        let class = usize::from(status / 100).min(self.by_class.len() - 1);
        self.by_class[class].add(1);
        let place = LATENCY_BOUNDS_US.partition_point(|bound| *bound < took_us);
        self.by_latency[place].add(1);
        self.took_us.add(took_us);
    }
}

/// The flows whose calls in vain are counted: more than any honest caller confuses.
const MISSED_FLOWS_MAX: usize = 1_000;

/// How often in a row webhooks were called in vain, by what the callers named.
#[derive(Debug, Default)]
pub struct HookMisses(Mutex<HashMap<String, u32>>);

impl HookMisses {
    /// Counts a call in vain; returns how many there were in a row.
    pub fn count(&self, flow: &str) -> u32 {
        let mut misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if misses.len() >= MISSED_FLOWS_MAX && !misses.contains_key(flow) {
            misses.clear();
        }
        let count = misses.entry(flow.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    /// Forgets the calls in vain: one was accepted.
    pub fn forget(&self, flow: &str) {
        let mut misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        misses.remove(flow);
    }
}

/// What the calls share.
#[derive(Debug, Default)]
pub struct Shared {
    /// What the operator set.
    pub options: ApiOptions,
    /// Counts of answered calls.
    pub metrics: Metrics,
    /// The counters of the sockets, once the server listens.
    pub http: OnceLock<Arc<Counters>>,
    /// Whether the store was writable when last tried, and when that was.
    pub readiness: super::ops::Readiness,
    /// Calls in vain of webhooks.
    pub hook_misses: HookMisses,
    maintenance: RwLock<Option<String>>,
}

impl Shared {
    /// Makes what the calls of one server share.
    pub fn new(options: ApiOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Returns the message of maintenance, where it is on.
    pub fn maintenance(&self) -> Option<String> {
        let held = self.maintenance.read();
        held.map_or(None, |message| message.clone())
    }

    /// Sets whether maintenance is on, and what clients are told.
    pub fn set_maintenance(&self, message: Option<String>) {
        if let Ok(mut held) = self.maintenance.write() {
            *held = message;
        }
    }

    /// Tells whether a token is the one of the metrics, in a time that tells nothing.
    pub fn is_metrics_token(&self, token: &str) -> bool {
        self.options.metrics_token.as_deref().is_some_and(|own| {
            let (own, sent) = (Sha256::digest(own), Sha256::digest(token));
            own.as_slice().ct_eq(sent.as_slice()).into()
        })
    }
}
