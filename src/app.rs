//! The verbs: who may, in which transaction. The only door to the store.
//!
//! v1, v2, the engine, the console and the command line call the same verbs. A verb
//! validates, authorises against the rows that it loaded, runs in one transaction
//! and returns what changed. Checks that guard a write run inside its job, so no
//! check goes stale.

pub mod api_key;
mod api_key_takeover;
pub mod audit;
mod builtin;
mod callback;
pub mod component;
pub mod component_runtime;
pub mod credential;
pub mod data_sample;
pub mod env_var;
pub mod execution;
pub mod figures;
pub mod flow;
pub mod git_server;
pub mod invite;
pub mod key_file;
pub mod limiter;
pub mod listing;
pub mod lookup;
pub mod mail;
pub mod maintenance;
mod open;
pub mod organization;
pub mod outgoing;
mod owned;
pub mod password;
pub mod random;
pub mod recipe;
pub mod repository;
mod request_limit;
mod retention;
pub mod run;
pub mod scheduled_execution;
mod sign_in;
pub mod sign_in_cache;
pub mod snapshot;
pub mod ssh_key;
pub mod ssh_key_policy;
pub mod step_run;
pub mod storage;
pub mod team;
mod upkeep;
pub mod user;
pub mod vault;

use std::ops::Deref;
use std::sync::{Arc, RwLock};

pub use open::{AppOptions, Opening, Rules};
pub use password::{HashCost, PasswordPolicy, SecretText};
pub use random::Random;
pub use retention::Pruning;
pub use sign_in::BasicCredentials;

use crate::clock::Clock;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{ID_DIGITS, RawId};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};
use crate::store::{Read, Store, Write};

/// The most entries that one call returns; longer lists are read page by page.
pub const PAGE_MAX: u32 = 500;

/// The application: everything that can be done, over one database.
///
/// Cloning is cheap, and all clones are one application.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// What all clones share.
struct Inner {
    store: Store,
    clock: Clock,
    random: random::Random,
    ids: random::IdMaker,
    vault: vault::Vault,
    hasher: password::PasswordHasher,
    sign_ins: sign_in_cache::SignInCache,
    guard: limiter::SignInGuard,
    requests: request_limit::RequestLimits,
    callbacks: callback::Callbacks,
    workers: scheduled_execution::Workers,
    flow_lists: flow::FlowLists,
    outgoing: outgoing::Outgoing,
    objects: storage::Folder,
    step_runs: step_run::StepRuns,
    folders: repository::Folders,
    mail_server: Option<mail::MailServer>,
    rules: Rules,
    runtime: RwLock<Option<Arc<dyn component_runtime::ComponentRuntime>>>,
    git: RwLock<Option<Arc<dyn git_server::GitServer>>>,
    /// How others reach the server, once it listens.
    base_url: RwLock<Option<String>>,
}

impl App {
    /// Returns the wall time in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Returns the rules that the operator set.
    pub fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    /// Returns a fresh id for a request, for log lines and answers: 32 hex digits, as
    /// the platform's are (`runtime.md 4.5`).
    pub fn new_request_id(&self) -> String {
        let (one, other) = (
            self.inner.ids.next::<RawId>(),
            self.inner.ids.next::<RawId>(),
        );
        // The digits of the counter differ, so nothing is lost of either.
        format!("{one}{}", &other.to_string()[ID_DIGITS - 8..])
    }

    /// Writes to the disk and returns whether that worked; for readiness.
    pub fn prove_writable(&self) -> Result<()> {
        let now_ms = self.now_ms();
        self.inner
            .store
            .write(move |write| write.set_meta("ready_at", now_ms.to_string().as_bytes()))
    }

    /// Runs a reading verb on one snapshot of the database.
    fn read<T>(&self, verb: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.inner.store.read(verb)
    }

    /// Runs a writing verb for `who` in one transaction, which is on disk when this returns.
    fn act<T: Send + 'static>(
        &self,
        who: &Principal,
        verb: impl FnOnce(&Act<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let who = who.clone();
        let now_ms = self.now_ms();
        self.inner.store.write(move |write| {
            verb(&Act {
                write,
                who: &who,
                now_ms,
            })
        })
    }
}

/// A transaction of a verb: the rows to change, who acts, and one time for all of them.
struct Act<'a> {
    write: &'a Write<'a>,
    who: &'a Principal,
    now_ms: i64,
}

impl Act<'_> {
    /// Notes what the verb did.
    fn audit(&self, entry: &NewAuditEntry) -> Result<()> {
        self.write.audit(self.who, entry, self.now_ms)
    }
}

impl<'a> Deref for Act<'a> {
    type Target = Write<'a>;

    fn deref(&self) -> &Write<'a> {
        self.write
    }
}

/// Returns the answer for an object that `who` asked for and that is not there for it:
/// gone where `who` could see it before, else not found (`v1.md 1.5`).
///
/// Who passes all checks could see everything but what is private to its owner.
fn missing(
    read: &Read<'_>,
    who: &Principal,
    kind: ObjectKind,
    id: &str,
    what: &str,
) -> Result<Error> {
    let is_private = matches!(
        kind,
        ObjectKind::Credential | ObjectKind::SshKey | ObjectKind::ApiKey
    );
    let seen = match who.user_id() {
        Some(_) if who.passes_all() && !is_private => read.was_deleted(kind, id)?,
        Some(user) => read.has_seen_deleted(kind, id, user)?,
        None => false,
    };
    Ok(if seen {
        Error::gone(what)
    } else {
        Error::not_found(what)
    })
}
