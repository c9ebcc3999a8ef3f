//! The table of settings: the one list of what may be set.

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A path; in the file, relative to the file's directory.
    Path,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Number {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Several texts: a list in the file, separated by commas elsewhere.
    List,
}

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its key in the file.
    pub key: &'static str,
    /// How its value is written.
    pub form: Form,
    /// Its value where nobody sets it; none where it then is not set.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub is_secret: bool,
    /// What it does, as a sentence.
    pub about: &'static str,
}

impl Setting {
    /// Returns the variable of the environment that sets it.
    pub fn variable(&self) -> String {
        format!("{}{}", super::VARIABLE_PREFIX, self.key.to_uppercase())
    }
}

/// Makes an entry of the table.
const fn setting(
    key: &'static str,
    form: Form,
    default: Option<&'static str>,
    about: &'static str,
) -> Setting {
    Setting {
        key,
        form,
        default,
        is_secret: false,
        about,
    }
}

/// Days: at most a century; more is a slip of the finger.
const DAYS: Form = Form::Number {
    min: 1,
    max: 36_500,
};

/// Runs of one flow: with more than a million the file is what the disk holds.
const RUNS: Form = Form::Number {
    min: 1,
    max: 1_000_000,
};

/// How code of others may be shut in ([`crate::sandbox::Strength`]).
const SANDBOXES: &[&str] = &["on", "landlock", "off"];

/// The levels of the log, from quiet to loud.
pub(super) const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    setting("db", Form::Path, Some("elastane.db"), "The database file."),
    setting(
        "key_file",
        Form::Path,
        None,
        "The key file. Where it is not set: elastane.key beside the database.",
    ),
    setting(
        "listen",
        Form::Text,
        Some("127.0.0.1:8080"),
        "The address to listen on, as HOST:PORT. Port 0 takes a free one.",
    ),
    setting(
        "unix_socket",
        Form::Path,
        None,
        "A Unix socket to listen on besides, made with mode 0600.",
    ),
    setting(
        "ssh",
        Form::Text,
        None,
        "Where git is served over SSH, as HOST:PORT, by the sshd of the system. Where it is not \
         set: nowhere.",
    ),
    setting(
        "build_sandbox",
        Form::Choice(SANDBOXES),
        Some("on"),
        "How builds of pushed components are shut in: by namespaces and Landlock, by Landlock \
         alone, or not. Where the system lacks it, nothing is built.",
    ),
    setting(
        "insecure",
        Form::Flag,
        Some("false"),
        "Lets an address that other machines reach be served without TLS.",
    ),
    setting(
        "rate_limit",
        Form::Flag,
        Some("true"),
        "Limits requests per account and per address. Sign-ins are always limited.",
    ),
    setting(
        "allow_private_networks",
        Form::Flag,
        Some("false"),
        "Lets flows and callbacks send requests to private and loopback addresses.",
    ),
    setting(
        "smtp_host",
        Form::Text,
        None,
        "The mail server for flows whose credential names none.",
    ),
    setting(
        "smtp_port",
        Form::Number {
            min: 1,
            max: 65_535,
        },
        None,
        "Its port. Where it is not set: 25, 587 or 465, as smtp_security is none, starttls or \
         tls.",
    ),
    setting(
        "smtp_security",
        Form::Choice(&["none", "starttls", "tls"]),
        Some("starttls"),
        "How the connection to the mail server is protected.",
    ),
    setting(
        "smtp_user",
        Form::Text,
        None,
        "The user of the mail server, where it wants one.",
    ),
    Setting {
        is_secret: true,
        ..setting(
            "smtp_password",
            Form::Text,
            None,
            "The password of that user.",
        )
    },
    setting(
        "smtp_from",
        Form::Text,
        None,
        "Who sends, such as Shop <shop@example.com>. Needed where smtp_host is set.",
    ),
    setting(
        "password_auth",
        Form::Flag,
        Some("true"),
        "Lets e-mail and login password sign in where no API key fits.",
    ),
    setting(
        "password_policy",
        Form::Choice(&["basic", "strict"]),
        Some("basic"),
        "What new passwords must be like. basic: six characters; strict: eight, with a letter, \
         a digit and a symbol.",
    ),
    setting(
        "registration",
        Form::Choice(&["anyone", "admins"]),
        Some("anyone"),
        "Who may register users: anyone who is signed in, or tenant administrators.",
    ),
    setting(
        "env_readable_by_users",
        Form::Flag,
        Some("false"),
        "Lets everyone who may use a component read its environment variables, which are often \
         secrets. Else its team alone does.",
    ),
    setting(
        "min_rsa_bits",
        // No RSA key under 1024 bits is worth its name, and none over 16384 is read.
        Form::Number {
            min: 1_024,
            max: 16_384,
        },
        Some("2048"),
        "The smallest RSA key that is accepted as an SSH key, in bits.",
    ),
    setting(
        "max_connections",
        // Each costs a thread and a descriptor; beyond this a system's limits come first.
        Form::Number {
            min: 1,
            max: 65_536,
        },
        Some("1024"),
        "The most connections at once.",
    ),
    setting(
        "max_body_bytes",
        // Under 1 KiB no request fits; a body is held in memory, so 64 MiB is a lot.
        Form::Number {
            min: 1_024,
            max: 64 * 1_024 * 1_024,
        },
        Some("1048576"),
        "The largest body of an ordinary request, in bytes.",
    ),
    setting(
        "max_object_bytes",
        // Under 1 KiB nothing is worth a file; what is stored streams, so 10 GiB is a disk's
        // question alone.
        Form::Number {
            min: 1_024,
            max: 10 * 1_024 * 1_024 * 1_024,
        },
        Some("104857600"),
        "The largest attachment or stored body, in bytes.",
    ),
    setting(
        "trusted_proxies",
        Form::List,
        Some(""),
        "IP addresses of proxies whose X-Forwarded-For is believed.",
    ),
    Setting {
        is_secret: true,
        ..setting(
            "metrics_token",
            Form::Text,
            None,
            "A bearer token that lets other peers than loopback read /metrics.",
        )
    },
    setting(
        "log_format",
        Form::Choice(&["auto", "text", "json"]),
        Some("auto"),
        "How log lines look. auto: text on a terminal, JSON otherwise.",
    ),
    setting(
        "log_level",
        Form::Choice(LEVELS),
        Some("info"),
        "Which log lines are written.",
    ),
    setting(
        "audit_days",
        DAYS,
        Some("365"),
        "How long audit entries are kept, in days.",
    ),
    setting(
        "engine_workers",
        // A hundred threads wait for other machines; more are a sign of another problem.
        Form::Number { min: 1, max: 128 },
        Some("16"),
        "Threads that work on the messages of flows.",
    ),
    setting(
        "reply_timeout",
        Form::Number { min: 1, max: 600 },
        Some("30"),
        "How long a webhook call waits for the flow's reply, in seconds.",
    ),
    setting(
        "rebound_limit",
        Form::Number { min: 0, max: 20 },
        Some("10"),
        "How often a message may be put back to be tried again later.",
    ),
    setting(
        "component_sandbox",
        Form::Choice(SANDBOXES),
        Some("on"),
        "How processes of components are shut in: by namespaces and Landlock (Linux 6.12), by Landlock alone, or not, which trusts them with all that the server may do. Where the system lacks it, they don't run.",
    ),
    setting(
        "component_network",
        Form::Choice(&["none", "https", "any"]),
        Some("https"),
        "What processes of components may connect to: nothing, port 443, or everything.",
    ),
    setting(
        "step_time_limit",
        // A day: what takes longer is no step.
        Form::Number {
            min: 1,
            max: 86_400,
        },
        Some("1200"),
        "How long a step may work on a message, in seconds; then it failed.",
    ),
    setting(
        "queue_messages",
        // What a million waiting messages take in memory and on disk is planned for.
        Form::Number {
            min: 1,
            max: 1_000_000,
        },
        Some("75000"),
        "The messages that may wait for a step; then the steps before it wait, and the webhook \
         answers 429.",
    ),
    setting(
        "queue_bytes",
        // A message of the largest size fits.
        Form::Number {
            min: 1024,
            max: 100 * 1024 * 1024 * 1024,
        },
        Some("209715200"),
        "The same in bytes of their bodies.",
    ),
    setting(
        "message_bytes",
        // Messages are held in memory, several times over while a step works on one.
        Form::Number {
            min: 1024,
            max: 100 * 1024 * 1024,
        },
        Some("10485760"),
        "The largest body of a message that a step makes or a webhook takes.",
    ),
    setting(
        "execution_days",
        DAYS,
        Some("30"),
        "How long runs of flows are kept, in days.",
    ),
    setting(
        "log_days",
        DAYS,
        Some("14"),
        "How long the logs of flows are kept, in days.",
    ),
    setting(
        "error_body_days",
        DAYS,
        Some("5"),
        "How long the messages of failed runs are kept, in days.",
    ),
    setting(
        "errors_per_flow",
        RUNS,
        Some("1000"),
        "How many failed runs of a flow are kept: the newest ones.",
    ),
    setting(
        "bodies_per_flow",
        RUNS,
        Some("500"),
        "For how many runs of a flow without an error their messages are kept: the newest ones.",
    ),
    setting(
        "public_url",
        Form::Text,
        None,
        "Scheme and host of absolute links, such as https://api.example.com. Where it is not \
         set: what the client named, and in messages the address of `listen`.",
    ),
    setting(
        "allowed_origins",
        Form::List,
        Some(""),
        "Origins of web pages that may change state, besides the server's own.",
    ),
];

/// Returns the place of a setting in the table.
pub(super) fn position(key: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.key == key)
}

/// Returns the one of `known` that was probably meant, where one is near enough.
pub(super) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Under this nobody would see the likeness; over it `listn` finds `listen`.
    const LIKENESS_MIN: f64 = 0.75;
    known
        .map(|key| (strsim::jaro_winkler(word, key), key))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}
