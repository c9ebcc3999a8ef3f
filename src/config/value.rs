//! Texts to typed settings; every fault names the setting and where its value stands.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::table::{Form, SETTINGS, position};
use super::{
    Given, LogFormat, LogLevel, PasswordStrength, Registration, Resolved, Settings, Source,
};
use crate::app::SecretText;
use crate::app::mail::{MailSecurity, MailServer};
use crate::app::step_run::ComponentNetwork;
use crate::domain::run::limits::RunLimits;
use crate::domain::run::retention::Retention;
use crate::domain::{Error, Kind, Result};
use crate::sandbox::Strength;

/// What stands in place of a secret.
const MASK: &str = "(set, not shown)";

/// The longest path of a Unix socket that the kernel takes, less the final zero byte.
const SOCKET_PATH_MAX_BYTES: usize = 107;

/// The shortest token: what is shorter can be guessed.
const TOKEN_MIN_CHARS: usize = 16;

/// What was given for each setting, by its place in the table.
pub(super) struct Values {
    given: Vec<Option<Given>>,
}

impl Values {
    /// Wraps what was given.
    pub(super) fn new(given: Vec<Option<Given>>) -> Self {
        Self { given }
    }

    /// Returns each value and where it comes from.
    pub(super) fn resolved(&self) -> Vec<Resolved> {
        SETTINGS
            .iter()
            .zip(&self.given)
            .map(|(setting, given)| {
                let value = match given {
                    Some(given) => Some(given.text.clone()),
                    None => setting.default.map(str::to_owned),
                };
                Resolved {
                    setting,
                    value: value.map(|text| {
                        if setting.is_secret {
                            MASK.to_owned()
                        } else {
                            text
                        }
                    }),
                    source: given
                        .as_ref()
                        .map_or(Source::Default, |given| given.source.clone()),
                }
            })
            .collect()
    }

    /// Reads one setting; none where it is not set and has no default.
    fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        let at = position(key).expect("every setting is in the table");
        let (text, source) = match (&self.given[at], SETTINGS[at].default) {
            (Some(given), _) => (given.text.as_str(), given.source.clone()),
            (None, Some(default)) => (default, Source::Default),
            (None, None) => return Ok(None),
        };
        parse(text).map(Some).map_err(|fault| {
            // A secret is not repeated, also where it is wrong.
            let shown = if SETTINGS[at].is_secret {
                String::new()
            } else {
                format!(", not `{}`", shortened(text))
            };
            let told = format!("the setting `{key}` ({source}) {fault}{shown}");
            Error::new(Kind::Invalid, told)
        })
    }

    /// Reads a setting that has a default.
    fn required<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T> {
        Ok(self
            .read(key, parse)?
            .expect("the table gives this setting a default"))
    }

    /// Reads `true` or `false`.
    fn flag(&self, key: &'static str) -> Result<bool> {
        self.required(key, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        })
    }

    /// Reads a number within the bounds that the table names.
    fn number<T: TryFrom<u64>>(&self, key: &'static str) -> Result<T> {
        let at = position(key).expect("every setting is in the table");
        let Form::Number { min, max } = SETTINGS[at].form else {
            unreachable!("the table says that {key} is a number")
        };
        self.required(key, |text| {
            text.parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| format!("must be a whole number from {min} to {max}"))
        })
    }

    /// Reads one of a few words.
    fn choice<T: Copy>(&self, key: &'static str, meanings: &[(&str, T)]) -> Result<T> {
        self.required(key, |text| {
            let found = meanings.iter().find(|(word, _)| *word == text);
            found.map(|(_, meaning)| *meaning).ok_or_else(|| {
                let words: Vec<&str> = meanings.iter().map(|(word, _)| *word).collect();
                format!("must be one of {}", words.join(", "))
            })
        })
    }

    /// Reads a list; blanks around its entries do not count.
    fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        self.required(key, |text| {
            text.split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(parse)
                .collect()
        })
    }
}

/// Reads all settings.
pub(super) fn settings(values: &Values) -> Result<Settings> {
    Ok(Settings {
        db: values.required("db", path)?,
        key_file: values.read("key_file", path)?,
        listen: values.required("listen", listen)?,
        ssh: values.read("ssh", listen)?,
        build_sandbox: values.choice("build_sandbox", &Strength::WORDS)?,
        unix_socket: values.read("unix_socket", socket_path)?,
        insecure: values.flag("insecure")?,
        rate_limit: values.flag("rate_limit")?,
        allow_private_networks: values.flag("allow_private_networks")?,
        mail_server: mail_server(values)?,
        password_auth: values.flag("password_auth")?,
        password_policy: values.choice(
            "password_policy",
            &[
                ("basic", PasswordStrength::Basic),
                ("strict", PasswordStrength::Strict),
            ],
        )?,
        registration: registration(values)?,
        env_readable_by_users: values.flag("env_readable_by_users")?,
        min_rsa_bits: values.number("min_rsa_bits")?,
        max_connections: values.number("max_connections")?,
        max_body_bytes: values.number("max_body_bytes")?,
        max_object_bytes: values.number("max_object_bytes")?,
        trusted_proxies: values.list("trusted_proxies", ip_address)?,
        metrics_token: values.read("metrics_token", token)?,
        log_format: values.choice(
            "log_format",
            &[
                ("auto", LogFormat::Auto),
                ("text", LogFormat::Text),
                ("json", LogFormat::Json),
            ],
        )?,
        log_level: values.choice(
            "log_level",
            &[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ],
        )?,
        audit_days: values.number("audit_days")?,
        engine_workers: values.number("engine_workers")?,
        reply_timeout: values.number("reply_timeout")?,
        rebound_limit: values.number("rebound_limit")?,
        step_time_limit: values.number("step_time_limit")?,
        component_sandbox: values.choice("component_sandbox", &Strength::WORDS)?,
        component_network: component_network(values)?,
        limits: RunLimits {
            queue_messages: values.number("queue_messages")?,
            queue_bytes: values.number("queue_bytes")?,
            message_bytes: values.number("message_bytes")?,
        },
        retention: Retention {
            execution_days: values.number("execution_days")?,
            log_days: values.number("log_days")?,
            error_body_days: values.number("error_body_days")?,
            errors_per_flow: values.number("errors_per_flow")?,
            bodies_per_flow: values.number("bodies_per_flow")?,
        },
        public_url: values.read("public_url", origin)?,
        allowed_origins: values.list("allowed_origins", origin)?,
    })
}

/// Reads the settings of the mail server, which go together.
fn mail_server(values: &Values) -> Result<Option<MailServer>> {
    let security = values.choice(
        "smtp_security",
        &[
            ("none", MailSecurity::None),
            ("starttls", MailSecurity::StartTls),
            ("tls", MailSecurity::Tls),
        ],
    )?;
    let port = values.read("smtp_port", |text| {
        let port = text.parse().ok().filter(|port: &u16| *port > 0);
        port.ok_or_else(|| "must be a whole number from 1 to 65535".to_owned())
    })?;
    let user = values.read("smtp_user", |text| Ok(text.to_owned()))?;
    let password = values.read("smtp_password", |text| Ok(SecretText::new(text)))?;
    let of_server = |error: Error| {
        error
            .fields()
            .first()
            .map_or_else(String::new, |fault| fault.message.clone())
    };
    let Some(mut server) = values.read("smtp_host", |text| {
        MailServer::new(text, port, security).map_err(of_server)
    })?
    else {
        return Ok(None);
    };
    if let Some(user) = user {
        let password = password.unwrap_or_else(|| SecretText::new(""));
        server = server.with_credentials(&user, password)?;
    }
    let with_sender = values.read("smtp_from", |text| {
        server.with_sender(text).map_err(of_server)
    })?;
    with_sender.map(Some).ok_or_else(|| {
        let message = "the setting `smtp_host` needs `smtp_from`: who sends the mail";
        Error::new(Kind::Invalid, message)
    })
}

/// Reads a path, which must not be empty.
fn path(text: &str) -> Result<PathBuf, String> {
    // The sign that stands for bytes that are no UTF-8: another file would be opened.
    if text.is_empty() || text.contains(['\0', char::REPLACEMENT_CHARACTER]) {
        return Err("must be a path in UTF-8".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// Reads the path of a Unix socket.
fn socket_path(text: &str) -> Result<PathBuf, String> {
    if text.len() > SOCKET_PATH_MAX_BYTES {
        return Err(format!(
            "must be a path of at most {SOCKET_PATH_MAX_BYTES} bytes"
        ));
    }
    path(text)
}

/// Reads HOST:PORT; the host is an IP address or `localhost`.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let fault = || "must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080".to_owned();
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| fault())?;
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| fault())
}

/// Reads an IP address.
fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| "must be a list of IP addresses".to_owned())
}

/// Reads a token that can stand in a header.
fn token(text: &str) -> Result<SecretText, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || text.len() < TOKEN_MIN_CHARS {
        return Err(format!(
            "must have at least {TOKEN_MIN_CHARS} letters, digits or signs, and no blanks"
        ));
    }
    Ok(SecretText::new(text))
}

/// Reads scheme, host and port of a web address; a final slash is dropped.
fn origin(text: &str) -> Result<String, String> {
    let fault = || "must be scheme and host, such as https://api.example.com".to_owned();
    let text = text.strip_suffix('/').unwrap_or(text);
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or_else(fault)?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return Err(fault());
    }
    Ok(text.to_ascii_lowercase())
}

/// Returns the beginning of a text, for an error of one line.
fn shortened(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    match clean.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// Reads what processes of components may connect to.
fn component_network(values: &Values) -> Result<ComponentNetwork> {
    values.choice("component_network", &ComponentNetwork::WORDS)
}

/// Reads who may register users.
fn registration(values: &Values) -> Result<Registration> {
    let words = [
        ("anyone", Registration::Anyone),
        ("admins", Registration::Admins),
    ];
    values.choice("registration", &words)
}
