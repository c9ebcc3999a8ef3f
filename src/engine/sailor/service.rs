//! Calls of components outside of flows, by `runService.js` (`runtime.md 3.8`): the
//! environment in, one request with the result out.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;
use serde_json::{Value, json};

use super::environment;
use super::jail::{Jail, Output};
use super::process::{How, Scratch, node, signal};
use crate::app::component_runtime::{ServiceCall, ServiceMethod};
use crate::app::step_run::{StepBuild, StepKey, StepRun};
use crate::domain::id::{FlowId, RawId};
use crate::domain::run::Failure;
use crate::domain::scheduled_execution::TIME_LIMIT_MS;
use crate::engine::shared::Shared;

/// The file by which a sailor makes such calls.
const SERVICE: &str = "node_modules/elasticio-sailor-nodejs/runService.js";

/// How long a process may take to end after it posted its result, or failed to.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Answers a service call of a component that is not built in.
pub(in crate::engine) fn call(
    shared: &Arc<Shared>,
    call: &ServiceCall<'_>,
) -> Result<Value, Failure> {
    let name = format!("{}/{}", call.team, call.component);
    let build = shared.app.newest_build(call.team, call.component);
    let build = build.map_err(|error| Failure::new(error.message().to_owned()))?;
    let build = build.ok_or_else(|| Failure::new(format!("{name} has no build")))?;
    if !build.folder.join(SERVICE).is_file() {
        return Err(Failure::new(format!("the build of {name} holds no sailor")));
    }
    let posted = run(shared, call, &build)
        .map_err(|error| Failure::new(format!("{name} can't be run: {error}")))?;
    let data = posted.get("data").cloned().unwrap_or_default();
    if posted["status"] == "success" {
        return Ok(data);
    }
    let message = data.get("message").and_then(Value::as_str);
    Err(Failure::new(message.unwrap_or("the component failed")))
}

/// Runs the process, and returns what it posted.
fn run(shared: &Arc<Shared>, call: &ServiceCall<'_>, build: &StepBuild) -> io::Result<Value> {
    let api = shared.fleet.api();
    let api = api.ok_or_else(|| io::Error::other("the server is not ready"))?;
    let (result, posted) = bounded(1);
    let key = shared.app.begin_step_run(StepRun {
        flow: FlowId::new(RawId::from_parts(0, [0; 8])),
        step: String::new(),
        owner: call.owner,
        component: build.component,
        function: String::new(),
        config: call.cfg.clone(),
        credential: None,
        passes_through: false,
        variables: serde_json::Map::new(),
        snapshot: None,
        startup: None,
        result: Some(result),
    });
    let ran = (|| {
        let scratch = Scratch::make(shared, shared.fleet.next_number())?;
        let command = command(shared, call, build, &key, &scratch, api)?;
        let network = shared.app.component_network(build.component);
        let jail = Jail::of(
            &shared.fleet.options,
            network.map_err(|error| io::Error::other(error.message().to_owned()))?,
            &build.folder,
            &scratch.path,
            vec![api],
        );
        // What it prints is for nobody: what it says, it posts.
        let child = jail.start(command, Output::Dropped)?;
        let limit = Duration::from_millis(u64::try_from(TIME_LIMIT_MS).unwrap_or(0));
        let (over_to, over) = bounded::<io::Result<()>>(1);
        let group = child.group;
        crate::thread::spawn("sailor-service", None, move || {
            let _status = child.wait();
            // It posts before it ends, so the result is there when this is heard.
            let _heard = over_to.send(Ok(()));
        })?;
        let result = crossbeam_channel::select! {
            recv(posted) -> value => value.map_err(io::Error::other),
            recv(over) -> _ => posted
                .try_recv()
                .map_err(|_| io::Error::other("it ended without a result")),
            default(limit) => Err(io::Error::other("it took too long")),
        };
        if result.is_ok() {
            let _ended = over.recv_timeout(END_LIMIT);
        }
        signal(group, How::Kill);
        result
    })();
    shared.app.end_step_run(&key);
    ran
}

/// Returns the command that makes a call.
fn command(
    shared: &Shared,
    call: &ServiceCall<'_>,
    build: &StepBuild,
    key: &StepKey,
    scratch: &Scratch,
    api: SocketAddr,
) -> io::Result<Command> {
    let own = shared.app.variables_of_component(build.component);
    let own = own.map_err(|error| io::Error::other(error.message().to_owned()))?;
    let (method, function, model) = match call.method {
        ServiceMethod::VerifyCredentials => ("verifyCredentials", "", ""),
        ServiceMethod::MetaModel { function } => ("getMetaModel", function, ""),
        ServiceMethod::SelectModel { function, method } => ("selectModel", function, method),
    };
    let (user, secret) = (&key.user, key.key.expose());
    let mut command = node(scratch, SERVICE);
    command
        .arg(method)
        .current_dir(&build.folder)
        .env_clear()
        .envs(environment::basis(
            &own,
            &scratch.path,
            &shared.fleet.options,
        ))
        .env(
            "ELASTICIO_POST_RESULT_URL",
            format!("http://{user}:{secret}@{api}/sailor-support/result"),
        )
        .env("ELASTICIO_CFG", json!(call.cfg).to_string())
        .env("ELASTICIO_ACTION_OR_TRIGGER", function)
        .env("ELASTICIO_GET_MODEL_METHOD", model)
        .env("ELASTICIO_API_URI", format!("http://{api}"))
        .env("ELASTICIO_API_USERNAME", user)
        .env("ELASTICIO_API_KEY", secret);
    Ok(command)
}
