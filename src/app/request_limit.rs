//! How often an account and an address may ask (`v1.md 1.5`, 429).

use std::net::IpAddr;

use super::App;
use super::limiter::{Caller, Limiter, REQUESTS_PER_ACCOUNT, REQUESTS_PER_ADDRESS};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};

/// The buckets of requests.
pub(super) struct RequestLimits {
    on: bool,
    by_address: Limiter,
    by_account: Limiter,
}

impl RequestLimits {
    /// Makes full buckets; with `on` false nobody is limited.
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            by_address: Limiter::new(REQUESTS_PER_ADDRESS),
            by_account: Limiter::new(REQUESTS_PER_ACCOUNT),
        }
    }
}

impl App {
    /// Takes one request from an address's share, before anybody is signed in.
    pub fn admit_address(&self, address: Option<IpAddr>) -> Result<()> {
        let limits = &self.inner.requests;
        match address {
            Some(address) if limits.on => limits
                .by_address
                .check(Caller::address(address), self.now_ms())
                .map_err(too_many),
            _ => Ok(()),
        }
    }

    /// Takes one request from an account's share.
    pub fn admit_account(&self, who: &Principal) -> Result<()> {
        let limits = &self.inner.requests;
        match who.user_id() {
            Some(user) if limits.on => limits
                .by_account
                .check(Caller::User(user), self.now_ms())
                .map_err(too_many),
            _ => Ok(()),
        }
    }
}

/// The answer to whoever asks too often.
fn too_many(retry_after_s: u32) -> Error {
    Error::too_many("too many requests: slow down", retry_after_s)
}
