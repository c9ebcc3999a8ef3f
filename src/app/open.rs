//! Making an installation, opening one, closing it.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use super::callback::Callbacks;
use super::key_file::{create_key_file, key_file_beside, read_key_file};
use super::limiter::{FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS, SignInGuard};
use super::mail::MailServer;
use super::outgoing::Outgoing;
use super::password::{HashCost, PasswordHasher, PasswordPolicy};
use super::random::{IdMaker, Random};
use super::repository::Folders;
use super::request_limit::RequestLimits;
use super::sign_in_cache::{MAX_REMEMBERED, SignInCache};
use super::ssh_key_policy::RSA_BITS_MIN;
use super::step_run::StepRuns;
use super::storage::Folder;
use super::vault::{Sealed, Vault};
use super::{App, Inner};
use crate::clock::Clock;
use crate::domain::run::limits::RunLimits;
use crate::domain::run::retention::Retention;
use crate::domain::{Error, Kind, Result};
use crate::store::{OpenMode, Store};

/// The fact that holds the check value of the key file.
const META_KEY_CHECK: &str = "key_check";

/// The fact that holds the version of the key that sealed the check value.
const META_KEY_CHECK_VERSION: &str = "key_check_version";

/// The largest file unless the operator says otherwise: the platform's limit of an
/// attachment (`runtime.md 4.9`).
const OBJECT_MAX_BYTES: u64 = 100 * 1024 * 1024;

/// The rules that the operator may set.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the settings"
)]
pub struct Rules {
    /// Whether a login password signs in where no key fits (`v1.md 1.2`, rule 6).
    pub password_auth: bool,
    /// What passwords must be like.
    pub password: PasswordPolicy,
    /// Whether only tenant administrators register users (`v1.md 2.1`).
    pub registration_by_admins_only: bool,
    /// Whether everyone who may use a component reads its environment variables
    /// (`v2.md 4.1`, where it is `components.env_readable_by_users`).
    pub env_readable_by_users: bool,
    /// The smallest RSA key that is accepted, in bits.
    pub min_rsa_bits: u32,
    /// Whether requests are limited per account and address; sign-in limits always are.
    pub request_limits: bool,
    /// Whether outgoing requests may go to private and loopback addresses.
    pub allow_private_networks: bool,
    /// The largest file of the object storage, in bytes.
    pub object_max_bytes: u64,
    /// How long runs, their messages and logs are kept.
    pub retention: Retention,
    /// How much may wait, and how large a message may be.
    pub limits: RunLimits,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            password_auth: true,
            password: PasswordPolicy::DEFAULT,
            registration_by_admins_only: false,
            env_readable_by_users: false,
            min_rsa_bits: RSA_BITS_MIN,
            request_limits: true,
            allow_private_networks: false,
            object_max_bytes: OBJECT_MAX_BYTES,
            retention: Retention::default(),
            limits: RunLimits::default(),
        }
    }
}

/// What an application is opened with.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// The database file.
    pub database: PathBuf,
    /// The key file; `elastane.key` beside the database where missing.
    pub key_file: Option<PathBuf>,
    /// The rules that the operator set.
    pub rules: Rules,
    /// The mail server of the installation, where it has one.
    pub mail_server: Option<MailServer>,
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub random: Random,
    /// What hashing a password costs.
    pub hash_cost: HashCost,
}

impl AppOptions {
    /// Returns the options of an ordinary installation over `database`.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            key_file: None,
            rules: Rules::default(),
            mail_server: None,
            clock: Clock::system(),
            random: Random::system(),
            hash_cost: HashCost::DEFAULT,
        }
    }

    /// Returns where the key file lies.
    pub fn key_path(&self) -> PathBuf {
        self.key_file
            .clone()
            .unwrap_or_else(|| key_file_beside(&self.database))
    }
}

/// For what an existing installation is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// To serve it: an older schema is migrated, the built-in components are renewed.
    Serve,
    /// To work on it beside a server or without one: nothing is migrated.
    Use,
    /// To look at it: nothing can be written.
    Look,
}

impl App {
    /// Makes an installation: the key file, the database, the check value that ties
    /// them, the built-in components and the bundled recipes.
    ///
    /// A database that exists already is a conflict, and nothing is touched.
    pub fn init(options: &AppOptions) -> Result<Self> {
        if options.database.exists() {
            return Err(Error::new(
                Kind::Conflict,
                format!("{} exists already", options.database.display()),
            ));
        }
        let key_path = options.key_path();
        let keys = if key_path.exists() {
            read_key_file(&key_path)?
        } else {
            create_key_file(&key_path, &options.random)?
        };
        let store = Store::open(&options.database, OpenMode::Create)?;
        let vault = Vault::new(keys, options.random.clone());
        let check = vault.check_value()?;
        store.write(move |write| {
            write.set_meta(META_KEY_CHECK, &check.blob)?;
            write.set_meta(
                META_KEY_CHECK_VERSION,
                check.key_version.to_string().as_bytes(),
            )
        })?;
        let app = Self::assemble(store, vault, options)?;
        app.renew_builtin_components()?;
        app.import_bundled_recipes()?;
        Ok(app)
    }

    /// Opens an existing installation. A missing or wrong key file is refused with what
    /// to do about it.
    pub fn open(options: &AppOptions, opening: Opening) -> Result<Self> {
        let mode = match opening {
            Opening::Serve => OpenMode::Migrate,
            Opening::Use => OpenMode::Existing,
            Opening::Look => OpenMode::ReadOnly,
        };
        // The key comes first: nothing is migrated where it is missing.
        let database_is_there = options.database.exists();
        let keys = database_is_there
            .then(|| read_key_file(&options.key_path()))
            .transpose()?;
        let store = Store::open(&options.database, mode)?;
        let keys = keys.ok_or_else(|| Error::not_found("database"))?;
        let vault = Vault::new(keys, options.random.clone());
        let check = store.read(|read| {
            Ok((
                read.meta(META_KEY_CHECK)?,
                read.meta(META_KEY_CHECK_VERSION)?,
            ))
        })?;
        vault.verify_check(&sealed_check(check)?)?;
        let app = Self::assemble(store, vault, options)?;
        if opening == Opening::Serve {
            app.renew_builtin_components()?;
            app.end_pending_executions()?;
        }
        Ok(app)
    }

    /// Puts the parts together.
    fn assemble(store: Store, vault: Vault, options: &AppOptions) -> Result<Self> {
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                clock: options.clock.clone(),
                random: options.random.clone(),
                ids: IdMaker::new(options.clock.clone(), &options.random),
                vault,
                hasher: PasswordHasher::start(options.hash_cost, options.random.clone())?,
                sign_ins: SignInCache::new(MAX_REMEMBERED, &options.random),
                requests: RequestLimits::new(options.rules.request_limits),
                guard: SignInGuard::new(FAILURES_PER_ADDRESS, FAILURES_PER_ACCOUNT),
                mail_server: options.mail_server.clone(),
                objects: Folder::beside(&options.database),
                step_runs: StepRuns::default(),
                folders: Folders::beside(&options.database),
                outgoing: Outgoing::new(options.rules.allow_private_networks),
                callbacks: Callbacks::start(Outgoing::new(options.rules.allow_private_networks))?,
                workers: super::scheduled_execution::Workers::default(),
                flow_lists: super::flow::FlowLists::default(),
                rules: options.rules.clone(),
                runtime: RwLock::new(None),
                base_url: RwLock::new(None),
                git: RwLock::new(None),
            }),
        })
    }

    /// Ends the application: queued writes are done, the WAL is checkpointed.
    pub fn close(&self) {
        self.inner.store.close();
    }
}

/// Returns the stored check value.
fn sealed_check((blob, version): (Option<Vec<u8>>, Option<Vec<u8>>)) -> Result<Sealed> {
    let version = version
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse().ok());
    match (blob, version) {
        (Some(blob), Some(key_version)) => Ok(Sealed { key_version, blob }),
        _ => Err(Error::new(
            Kind::Invalid,
            "the database has no check value of a key file: it was not made by `elastane init`",
        )),
    }
}
