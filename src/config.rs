//! Settings: flag over environment over file over default.
//!
//! One table ([`SETTINGS`]) drives everything: which keys the file may have, which
//! variables are read, what `elastane config show` prints and what the README lists.
//! This is the only reader of the environment.

mod environment;
mod file;
mod reference;
mod table;
mod value;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

pub use environment::{
    Environment, HookEnvironment, SshEnvironment, Terminal, VARIABLE_PREFIX, hook_environment,
    server_of_session, ssh_environment, terminal, tool_environment, wants_no_color,
};
pub use reference::reference;
pub use table::{Form, SETTINGS, Setting};

use crate::app::SecretText;
use crate::app::mail::MailServer;
use crate::app::step_run::ComponentNetwork;
use crate::domain::run::limits::RunLimits;
use crate::domain::run::retention::Retention;
use crate::domain::{Error, Kind, Result};
use crate::sandbox::Strength;
use value::Values;

/// The name of the settings file, which stands beside the database.
pub const FILE_NAME: &str = "elastane.toml";

/// What passwords must be like, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordStrength {
    /// At least six characters.
    Basic,
    /// At least eight characters with a letter, a digit and a symbol.
    Strict,
}

/// Who may register users (`v1.md 2.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Every signed-in user.
    Anyone,
    /// Tenant administrators alone.
    Admins,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Faults alone.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And one line a request.
    Info,
    /// And what helps to find a fault.
    Debug,
    /// And everything else.
    Trace,
}

/// Everything that the operator may set.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that the operator turns"
)]
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database file.
    pub db: PathBuf,
    /// The key file; `elastane.key` beside the database where missing.
    pub key_file: Option<PathBuf>,
    /// The TCP address to listen on.
    pub listen: SocketAddr,
    /// A Unix socket to listen on besides.
    pub unix_socket: Option<PathBuf>,
    /// Where git is served over SSH, if it is.
    pub ssh: Option<SocketAddr>,
    /// Whether builds of pushed components run in a sandbox.
    pub build_sandbox: Strength,
    /// Whether another address than loopback may be served without TLS.
    pub insecure: bool,
    /// Whether requests are limited per account and address; sign-ins always are.
    pub rate_limit: bool,
    /// Whether outgoing requests may go to private and loopback addresses.
    pub allow_private_networks: bool,
    /// The mail server of the installation.
    pub mail_server: Option<MailServer>,
    /// Whether a login password signs in where no key fits.
    pub password_auth: bool,
    /// What passwords must be like.
    pub password_policy: PasswordStrength,
    /// Who may register users.
    pub registration: Registration,
    /// Whether everyone who may use a component reads its environment variables.
    pub env_readable_by_users: bool,
    /// The smallest RSA key that is accepted, in bits.
    pub min_rsa_bits: u32,
    /// The most connections at once.
    pub max_connections: usize,
    /// The largest body of an ordinary request, in bytes.
    pub max_body_bytes: u64,
    /// The largest file of the object storage, in bytes.
    pub max_object_bytes: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The token that lets others than loopback peers read the metrics.
    pub metrics_token: Option<SecretText>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_level: LogLevel,
    /// How long audit entries are kept, in days.
    pub audit_days: u32,
    /// Threads that work on the messages of flows.
    pub engine_workers: usize,
    /// How long a webhook call waits for the flow's reply, in seconds.
    pub reply_timeout: u32,
    /// How often a message may be put back to be tried again later.
    pub rebound_limit: u32,
    /// How long a step may work on a message, in seconds.
    pub step_time_limit: u32,
    /// How much processes of components are shut in.
    pub component_sandbox: Strength,
    /// What processes of components may connect to.
    pub component_network: ComponentNetwork,
    /// How much may wait, and how large a message may be.
    pub limits: RunLimits,
    /// How long runs, their messages and logs are kept.
    pub retention: Retention,
    /// Scheme and host of absolute links, without a final slash.
    pub public_url: Option<String>,
    /// Origins of pages that may change state, besides the server's own.
    pub allowed_origins: Vec<String>,
}

impl Settings {
    /// Refuses to serve another address than loopback in clear, unless `insecure` is set.
    pub fn require_safe_listening(&self) -> Result<()> {
        if self.insecure || self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Forbidden,
            format!(
                "{} can be reached from other machines, and without TLS everybody on the way \
                 reads the API keys",
                self.listen
            ),
        ))
    }
}

/// What the command line gave.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The settings file; the one beside the database where missing.
    pub config: Option<PathBuf>,
    given: Vec<(&'static str, &'static str, String)>,
}

impl Flags {
    /// Notes that `flag` gave `value` for the setting `key`; no value changes nothing.
    pub fn set(&mut self, key: &'static str, flag: &'static str, value: Option<String>) {
        self.given.extend(value.map(|value| (key, flag, value)));
    }

    /// Returns what was given for a setting.
    fn get(&self, key: &str) -> Option<Given> {
        let (_, flag, text) = self.given.iter().find(|(of, ..)| *of == key)?;
        Some(Given {
            text: text.clone(),
            source: Source::Flag(flag),
        })
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(String),
    /// A line of the settings file.
    File(PathBuf, usize),
    /// Nobody set it.
    Default,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path, line) => write!(f, "file {} line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as somebody gave it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    text: String,
    source: Source,
}

/// A setting with its value, for `elastane config show`.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value as text, masked where it is a secret; none where it is not set.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
}

/// Settings with what there is to say about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Each value and where it comes from, in the order of the table.
    pub resolved: Vec<Resolved>,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    /// What looks like a mistake but stops nothing.
    pub warnings: Vec<String>,
}

/// Gathers the settings from the flags, the environment, the file and the defaults.
///
/// Every value is checked, also those that the caller does not need; the error names
/// the setting and where its value stands.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Loaded> {
    let mut given: Vec<Option<Given>> = SETTINGS
        .iter()
        .map(|setting| {
            let flag = flags.get(setting.key);
            flag.or_else(|| environment.get(setting))
        })
        .collect();
    let place = file_place(flags, environment, &given);
    if let Some(path) = &place {
        for (at, found) in file::read(path)? {
            given[at].get_or_insert(found);
        }
    }
    let values = Values::new(given);
    Ok(Loaded {
        settings: value::settings(&values)?,
        resolved: values.resolved(),
        file: place,
        warnings: environment.warnings(),
    })
}

/// Finds the settings file: a named one must exist, the one beside the database may.
fn file_place(
    flags: &Flags,
    environment: &Environment,
    given: &[Option<Given>],
) -> Option<PathBuf> {
    if let Some(named) = flags.config.clone().or_else(|| environment.config_file()) {
        return Some(named);
    }
    let at = table::position("db").expect("the table has the database");
    let db = match &given[at] {
        Some(given) => given.text.clone(),
        None => SETTINGS[at].default.unwrap_or_default().to_owned(),
    };
    let beside = Path::new(&db).with_file_name(FILE_NAME);
    // A directory that lets nobody look has no settings for us; opening the database
    // will say what is wrong.
    beside.exists().then_some(beside)
}
