//! What every command about data shares: which database, and how it is opened.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::error::{Advice, CliError};
use crate::app::{App, AppOptions, Opening, PasswordPolicy, Rules};
use crate::config::{self, Environment, Flags, Loaded, PasswordStrength, Registration, Settings};
use crate::domain::Kind;
use crate::domain::principal::{Channel, Principal};
use crate::engine::Runtime;

/// Which database a command works on.
#[derive(Clone, Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The database file [default: elastane.db]
    #[arg(long, value_name = "PATH")]
    pub(super) db: Option<String>,
    /// The key file [default: elastane.key beside the database]
    #[arg(long, value_name = "PATH")]
    pub(super) key_file: Option<String>,
    /// The settings file [default: elastane.toml beside the database]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<String>,
}

impl DatabaseArgs {
    /// Returns what these flags give.
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        flags.config = self.config.as_ref().map(Into::into);
        flags.set("db", "--db", self.db.clone());
        flags.set("key_file", "--key-file", self.key_file.clone());
        flags
    }

    /// Loads the settings.
    pub(super) fn load(&self) -> Result<Loaded, CliError> {
        load(&self.flags())
    }

    /// Returns what the application is opened with.
    pub(super) fn options(&self) -> Result<AppOptions, CliError> {
        Ok(app_options(&self.load()?.settings))
    }

    /// Opens the application.
    pub(super) fn open(&self, opening: Opening) -> Result<App, CliError> {
        open(&self.options()?, opening)
    }
}

/// Loads the settings from flags and the environment of the process.
pub(super) fn load(flags: &Flags) -> Result<Loaded, CliError> {
    config::load(flags, &Environment::of_process())
        .advise(|| "`elastane config reference` lists the settings".to_owned())
}

/// Opens an installation, and says what to do where that fails.
pub(super) fn open(options: &AppOptions, opening: Opening) -> Result<App, CliError> {
    let opened = App::open(options, opening).inspect(|app| {
        // A server puts its engine in place of this.
        app.set_component_runtime(Arc::new(Runtime::without_engine()));
    });
    opened.map_err(|error| {
        let advice = match error.kind() {
            Kind::NotFound => missing(&options.database),
            Kind::Invalid => "`elastane check` tells more".to_owned(),
            _ => String::new(),
        };
        let told: CliError = error.into();
        if advice.is_empty() {
            told
        } else {
            told.or_hint(|| advice)
        }
    })
}

/// Says how to come to a database.
pub(super) fn missing(database: &Path) -> String {
    format!(
        "make it with `elastane init --db {}`, or name another file with --db",
        database.display()
    )
}

/// Returns what the application is opened with under these settings.
pub(super) fn app_options(settings: &Settings) -> AppOptions {
    AppOptions {
        key_file: settings.key_file.clone(),
        rules: Rules {
            password_auth: settings.password_auth,
            password: match settings.password_policy {
                PasswordStrength::Basic => PasswordPolicy::DEFAULT,
                PasswordStrength::Strict => PasswordPolicy::STRICT,
            },
            registration_by_admins_only: settings.registration == Registration::Admins,
            env_readable_by_users: settings.env_readable_by_users,
            min_rsa_bits: settings.min_rsa_bits,
            request_limits: settings.rate_limit,
            allow_private_networks: settings.allow_private_networks,
            object_max_bytes: settings.max_object_bytes,
            retention: settings.retention,
            limits: settings.limits,
        },
        mail_server: settings.mail_server.clone(),
        ..AppOptions::new(&settings.db)
    }
}

/// Returns whom a command acts as: whoever has the file is its operator.
pub(super) fn operator() -> Principal {
    Principal::operator(Channel::Cli)
}
