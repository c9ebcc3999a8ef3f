//! `elastane component run`: one message through one function, for whoever writes it.

use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::app::credential::NewCredential;
use crate::app::env_var::EnvVars;
use crate::app::user::Role;
use crate::app::{App, SecretText};
use crate::cli::database::{app_options, load, operator};
use crate::cli::demo::PrivateFolder;
use crate::cli::error::{Advice, CliError};
use crate::cli::output::{Output, clean};
use crate::cli::serve::start;
use crate::config::{Flags, Settings};
use crate::domain::credential::OpenCredential;
use crate::domain::organization::Owner;
use crate::domain::principal::{Channel, Origin, Principal};
use crate::domain::user::NewUser;
use crate::domain::{Error, Kind};
use crate::engine::{Emission, SingleRun};
use crate::server::ServerOptions;

/// The largest file with a message or with fields: the largest message of a flow, and
/// something.
const FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The sailor, from a component's folder.
const SAILOR: &str = "node_modules/elasticio-sailor-nodejs/run.js";

/// What is run, and with what.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder with component.json, after `npm install`
    folder: PathBuf,
    /// The trigger or action
    #[arg(long, value_name = "NAME")]
    function: String,
    /// A JSON file with the message: an object with `body`, or else its body; - reads stdin
    #[arg(long, value_name = "FILE")]
    message: Option<PathBuf>,
    /// A JSON file with the fields of the step
    #[arg(long, value_name = "FILE")]
    fields: Option<PathBuf>,
    /// A JSON file with the keys of a credential
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// A JSON file with the snapshot that the step begins with
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// An environment variable of the component; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// How long the message may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    time_limit: u32,
    /// How long to listen for what comes after the message ended, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    linger: u32,
    /// What the component may connect to [default: https]
    #[arg(long, value_name = "none|https|any")]
    component_network: Option<String>,
    /// How the component is shut in [default: on]
    #[arg(long, value_name = "on|landlock|off")]
    component_sandbox: Option<String>,
}

/// Runs one message, and fails where the component did.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    check(&args.folder, &args.function)?;
    let object = |path: &Option<PathBuf>| match path {
        Some(path) => object_in(path),
        None => Ok(Map::new()),
    };
    let (fields, keys) = (object(&args.fields)?, object(&args.credentials)?);
    let snapshot = Value::Object(object(&args.snapshot)?);
    let message = match &args.message {
        Some(path) => message_of(read(path)?),
        None => message_of(json!({})),
    };
    let variables = variables(&args.env)?;
    let kept = PrivateFolder::create()?;
    let settings = settings(args, kept.path())?;
    let mut options = app_options(&settings);
    // The environment may speak of a real installation, whose key is none of this.
    options.key_file = None;
    let app = App::init(&options)?;
    let who = developer(&app)?;
    let credential = args.credentials.is_some().then(|| {
        let new = NewCredential {
            keys: keys.clone(),
            ..NewCredential::default()
        };
        app.create_credential(&who, new)
    });
    let credential = credential.transpose()?;
    let single = SingleRun {
        folder: fs::canonicalize(&args.folder)?,
        function: args.function.clone(),
        fields: keys.clone().into_iter().chain(fields).collect(),
        credential: credential.as_ref().map(|it| it.credential.id),
        snapshot,
        message,
        variables,
        owner: Owner {
            user: who.require_user()?.id,
            organization: None,
        },
        limit_ms: u64::from(args.time_limit) * 1_000,
        linger_ms: u64::from(args.linger) * 1_000,
    };
    let served = ServerOptions {
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        unix_socket: None,
        ssh: None,
        ..ServerOptions::from(&settings)
    };
    let running = start(app.clone(), None, &served)?;
    let mut told = Told::default();
    let ran = running.run_single(&single, &mut |emission| told.tell(emission, out));
    let changed = credential.map(|before| changed_keys(&app, &who, &before));
    running.stop()?;
    if let Some(keys) = changed.transpose()?.flatten() {
        out.json(&json!({ "event": "updateKeys", "keys": keys }))?;
    }
    ran?;
    told.result(out)
}

/// Says what is missing before anything is started.
fn check(folder: &Path, function: &str) -> Result<(), CliError> {
    let shown = folder.display();
    let read = fs::read(folder.join("component.json"));
    let text = read.map_err(|error| {
        let told = format!("{shown} has no component.json that can be read: {error}");
        CliError::from(Error::new(Kind::NotFound, told))
    })?;
    let parsed: Value = serde_json::from_slice(&text).map_err(|error| {
        let told = format!("{shown}/component.json is no JSON: {error}");
        CliError::from(Error::new(Kind::Invalid, told))
    })?;
    let names: Vec<&str> = ["triggers", "actions"]
        .iter()
        .filter_map(|kind| parsed.get(kind)?.as_object())
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    if !names.contains(&function) {
        let told = format!("the component has no trigger or action {function}");
        let names = names.join(", ");
        return Err(Error::new(Kind::NotFound, told)).advise(|| format!("it has: {names}"));
    }
    if !folder.join(SAILOR).is_file() {
        let told = format!("{shown} holds no elasticio-sailor-nodejs: it is not installed");
        return Err(Error::new(Kind::NotFound, told))
            .advise(|| format!("run `npm install` in {shown}"));
    }
    Ok(())
}

/// Returns the settings of a run: none of a real installation's data.
fn settings(args: &Args, folder: &Path) -> Result<Settings, CliError> {
    let mut flags = Flags::default();
    let database = folder.join("elastane.db");
    let database = database.to_string_lossy().into_owned();
    flags.set("db", "component run", Some(database));
    let network = args.component_network.clone();
    flags.set("component_network", "--component-network", network);
    let sandbox = args.component_sandbox.clone();
    flags.set("component_sandbox", "--component-sandbox", sandbox);
    Ok(load(&flags)?.settings)
}

/// Makes the user for whom the component runs.
fn developer(app: &App) -> Result<Principal, CliError> {
    let new = NewUser::parse(
        Some("developer@example.com"),
        Some("Component"),
        Some("Developer"),
        None,
    )?;
    let password = SecretText::new(app.new_process_secret().0);
    let made = app.register_user(&operator(), new, &password, Role::Member)?;
    Ok(Principal::user(made.user, Origin::local(Channel::Cli)))
}

/// Returns the keys of a credential where the component changed them.
fn changed_keys(
    app: &App,
    who: &Principal,
    before: &OpenCredential,
) -> Result<Option<Value>, CliError> {
    let now = app.own_credential(who, before.credential.id)?;
    Ok((now.keys != before.keys).then_some(Value::Object(now.keys)))
}

/// Reads the environment variables of the component.
fn variables(given: &[String]) -> Result<EnvVars, CliError> {
    let pairs = given.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.to_owned(), SecretText::new(value.to_owned())))
        }
        _ => Err(CliError::usage(
            "an environment variable is NAME=VALUE",
            "--env API_URL=https://example.com sets one",
        )),
    });
    pairs.collect()
}

/// Returns the message that a file holds.
fn message_of(value: Value) -> Value {
    let is_message = value.get("body").is_some();
    let mut message = if is_message {
        value
    } else {
        json!({ "body": value })
    };
    if message.get("headers").is_none() {
        message["headers"] = json!({});
    }
    message
}

/// Reads an object from a file.
fn object_in(path: &Path) -> Result<Map<String, Value>, CliError> {
    if let Value::Object(members) = read(path)? {
        return Ok(members);
    }
    let told = format!("{} holds no object", path.display());
    Err(Error::new(Kind::Invalid, told).into())
}

/// Reads a file of JSON.
fn read(path: &Path) -> Result<Value, CliError> {
    let mut bytes = Vec::new();
    let limit = FILE_MAX_BYTES + 1;
    let read = if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    let shown = path.display();
    read.map_err(|error| Error::new(Kind::NotFound, format!("{shown} can't be read: {error}")))?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        let told = format!("{shown} has more than {FILE_MAX_BYTES} bytes");
        return Err(Error::new(Kind::TooLarge, told).into());
    }
    let parsed = serde_json::from_slice(&bytes);
    Ok(
        parsed
            .map_err(|error| Error::new(Kind::Invalid, format!("{shown} is no JSON: {error}")))?,
    )
}

/// What was printed so far.
#[derive(Default)]
struct Told {
    failure: Option<String>,
    unprinted: Option<CliError>,
}

impl Told {
    /// Prints what a component emitted as a line of JSON, and what it logged as a remark.
    fn tell(&mut self, emission: Emission, out: &mut Output) {
        let line = match emission {
            Emission::Data(message) => json!({ "event": "data", "message": message }),
            Emission::Error(failure) => {
                self.failure.get_or_insert_with(|| failure.to_string());
                json!({ "event": "error", "error": failure.to_value() })
            }
            Emission::Snapshot(value) => json!({ "event": "snapshot", "snapshot": value }),
            Emission::UpdateSnapshot(value) => {
                json!({ "event": "updateSnapshot", "snapshot": value })
            }
            Emission::Rebound(reason) => json!({ "event": "rebound", "reason": reason }),
            Emission::Reply(reply) => json!({ "event": "httpReply", "reply": reply }),
            Emission::End => json!({ "event": "end" }),
            Emission::Log(level, text) => {
                return out.note(&format!("{}: {}", level.as_str(), clean(&text)));
            }
        };
        // A component that runs for long is watched while it does.
        let printed = out.json(&line).and_then(|()| out.flush());
        if let Err(error) = printed {
            self.unprinted.get_or_insert(error);
        }
    }

    /// Fails where the component failed.
    fn result(self, out: &mut Output) -> Result<(), CliError> {
        match (self.unprinted, self.failure) {
            (Some(error), _) => Err(error),
            (None, Some(failure)) => {
                out.note(&format!("error: the component failed: {}", clean(&failure)));
                Err(CliError::Unsound)
            }
            (None, None) => Ok(()),
        }
    }
}
