//! The variables of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::table::{SETTINGS, Setting, meant};
use super::{Given, Source};

/// How the variables of this program begin.
pub const VARIABLE_PREFIX: &str = "ELASTANE_";

/// The variable that names the settings file.
const CONFIG_VARIABLE: &str = "ELASTANE_CONFIG";

/// The variable that stops what moves by itself in the console.
const NO_MOTION_VARIABLE: &str = "ELASTANE_NO_MOTION";

/// The variable that tells the processes of a push which process the server is.
const SERVER_VARIABLE: &str = "ELASTANE_SERVER";

/// Variables of this program that are no settings of the server.
const OTHERS: &[&str] = &[
    CONFIG_VARIABLE,
    NO_MOTION_VARIABLE,
    "ELASTANE_ADDRESS",
    "ELASTANE_PUSHER",
    "ELASTANE_REPOSITORY",
    SERVER_VARIABLE,
    "ELASTANE_SSH_KEY",
];

/// The variables of this program, as they were when it began.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// Reads the environment of the process.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with(VARIABLE_PREFIX).then_some((name, value))
        }))
    }

    /// Makes an environment of these variables.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, OsString)>) -> Self {
        Self {
            variables: pairs.into_iter().collect(),
        }
    }

    /// Returns the settings file that a variable names.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        let value = self.variables.get(CONFIG_VARIABLE)?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    }

    /// Returns what a variable gives for a setting; an empty one gives nothing, since
    /// service managers and containers set such.
    pub(super) fn get(&self, setting: &Setting) -> Option<Given> {
        let name = setting.variable();
        let value = self.variables.get(&name)?;
        // What is not UTF-8 fails the check of its setting, with its name.
        let text = value.to_string_lossy().into_owned();
        (!text.is_empty()).then_some(Given {
            text,
            source: Source::Environment(name),
        })
    }

    /// Returns a warning for each variable that looks like ours and is not.
    ///
    /// No error: container platforms put variables such as `ELASTANE_PORT` there
    /// without being asked.
    pub(super) fn warnings(&self) -> Vec<String> {
        let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
        let is_known = |name: &str| {
            OTHERS.contains(&name) || known.iter().any(|variable| variable.as_str() == name)
        };
        self.variables
            .keys()
            .filter(|name| !is_known(name))
            .map(|name| {
                let all = known.iter().map(String::as_str);
                match meant(name, all).filter(|likely| is_near(name, likely)) {
                    Some(likely) => format!(
                        "the variable {name} is not known and ignored: did you mean {likely}?"
                    ),
                    None => format!("the variable {name} is not known and ignored"),
                }
            })
            .collect()
    }
}

/// Tells whether two names are alike beyond the prefix that all of them share.
fn is_near(name: &str, likely: &str) -> bool {
    let rest = |text: &str| {
        text.strip_prefix(VARIABLE_PREFIX)
            .unwrap_or(text)
            .to_owned()
    };
    meant(&rest(name), std::iter::once(rest(likely).as_str())).is_some()
}

/// Tells whether the person at the terminal asked for no colours (`NO_COLOR`, or a
/// terminal that has none).
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn wants_no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Variables that git, npm and node inherit: where programs and temporary files are, the
/// language, proxies and certificates. All others may hold secrets of this process.
const OF_TOOLS: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// How the settings of npm begin, in either case: the registry among them.
const NPM_PREFIX: &str = "npm_config_";

/// Returns the variables that child processes inherit.
pub fn tool_environment() -> Vec<(String, OsString)> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_npm = name.to_ascii_lowercase().starts_with(NPM_PREFIX);
            (is_npm || OF_TOOLS.contains(&name.as_str())).then_some((name, value))
        })
        .collect()
}

/// What git and the door that let a push in tell a hook, as they say it.
#[derive(Clone, Debug, Default)]
pub struct HookEnvironment {
    /// The id of the user who pushes.
    pub pusher: String,
    /// The id of the repository.
    pub repository: String,
    /// The id of the SSH key that the user came with; none over HTTP.
    pub ssh_key: Option<String>,
    /// The id of the API key that the pusher came with; none over SSH.
    pub api_key: Option<String>,
    /// The network address that the user came from.
    pub address: Option<String>,
    /// The options of the push.
    pub options: Vec<String>,
    /// The variables with which git finds objects that are in quarantine.
    pub objects: Vec<(String, OsString)>,
}

/// Variables with which git finds objects.
const OF_OBJECTS: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_OBJECT_DIRECTORY",
    "GIT_QUARANTINE_PATH",
];

/// The most options of a push that are read.
const PUSH_OPTIONS_MAX: usize = 20;

/// Returns what a hook is told.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn hook_environment() -> HookEnvironment {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let count = read("GIT_PUSH_OPTION_COUNT").parse().unwrap_or(0_usize);
    HookEnvironment {
        pusher: read("ELASTANE_PUSHER"),
        repository: read("ELASTANE_REPOSITORY"),
        ssh_key: std::env::var("ELASTANE_SSH_KEY").ok(),
        api_key: std::env::var("ELASTANE_API_KEY_ID").ok(),
        address: std::env::var("ELASTANE_ADDRESS").ok(),
        options: (0..count.min(PUSH_OPTIONS_MAX))
            .map(|at| read(&format!("GIT_PUSH_OPTION_{at}")))
            .collect(),
        objects: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| OF_OBJECTS.contains(&name.as_str()))
            .collect(),
    }
}

/// What the environment says about the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether no colours are wanted: `NO_COLOR`, `CLICOLOR=0`, or a terminal without any.
    pub no_color: bool,
    /// Whether the terminal shows UTF-8; it does where nothing says otherwise.
    pub is_utf8: bool,
    /// Whether nothing is to move by itself (`ELASTANE_NO_MOTION`).
    pub no_motion: bool,
}

/// Returns what the environment says about the terminal.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn terminal() -> Terminal {
    let value = |name: &str| {
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some(value)
    };
    // The first of these that is set counts, as in setlocale(3).
    let locale = value("LC_ALL")
        .or_else(|| value("LC_CTYPE"))
        .or_else(|| value("LANG"));
    let is_utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Terminal {
        no_color: wants_no_color() || value("CLICOLOR").is_some_and(|value| value == "0"),
        is_utf8,
        no_motion: value(NO_MOTION_VARIABLE).is_some(),
    }
}

/// Returns which process the server of a session is, as the server says it; none where
/// nobody serves.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn server_of_session() -> Option<String> {
    std::env::var(SERVER_VARIABLE).ok()
}

/// What an SSH server tells the forced command of a key.
#[derive(Clone, Debug, Default)]
pub struct SshEnvironment {
    /// What the client wants to run.
    pub command: Option<String>,
    /// The system account that it came to.
    pub account: Option<String>,
    /// The version of the protocol that its git speaks.
    pub protocol: Option<String>,
    /// Its network address.
    pub address: Option<String>,
}

/// Returns what a forced command is told.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn ssh_environment() -> SshEnvironment {
    let read = |name: &str| std::env::var(name).ok();
    let connection = read("SSH_CONNECTION").unwrap_or_default();
    SshEnvironment {
        command: read("SSH_ORIGINAL_COMMAND"),
        account: read("LOGNAME").or_else(|| read("USER")),
        protocol: read("GIT_PROTOCOL"),
        address: connection.split(' ').next().map(str::to_owned),
    }
}
