//! The environment of a process (`runtime.md 3.1`): nothing of the server's own, the
//! component's variables, and what a sailor has to know.

use std::net::SocketAddr;
use std::path::Path;

use super::SailorOptions;
use super::desk::name_of;
use super::member::{DATA_KEY, ERROR_KEY, EXCHANGE, REBOUND_KEY, SNAPSHOT_KEY};
use super::process::Launch;
use crate::app::env_var::EnvVars;

/// Where programs are found that components start.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How much a process may emit in 100 ms. The defaults, ten messages and two of the others,
/// guard a broker that many share; here each publish waits until it is on the disk.
const RATE_LIMITS: [(&str, &str); 3] = [
    ("DATA_RATE_LIMIT", "1000"),
    ("ERROR_RATE_LIMIT", "100"),
    ("SNAPSHOT_RATE_LIMIT", "100"),
];

/// Names and values.
pub(super) type Variables = Vec<(String, String)>;

/// What every process is given: the component's own variables, a place for files, limits.
pub(super) fn basis(own: &EnvVars, scratch: &Path, options: &SailorOptions) -> Variables {
    let scratch = scratch.display().to_string();
    let mut variables = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("NODE_ENV".to_owned(), "production".to_owned()),
        // Proxies and loaders of the operator's are none of a component's business.
        ("NO_UPDATE_NOTIFIER".to_owned(), "1".to_owned()),
    ];
    for (name, value) in own {
        variables.push((name.clone(), value.expose().to_owned()));
    }
    // What follows wins: it is what the server relies on.
    variables.push(("HOME".to_owned(), scratch.clone()));
    variables.push(("TMPDIR".to_owned(), scratch));
    let memory = format!("--max-old-space-size={}", options.memory_mib);
    variables.push(("NODE_OPTIONS".to_owned(), memory));
    variables
}

/// What the process of a step is given besides.
pub(super) fn of_step(launch: &Launch, api: SocketAddr, amqp: SocketAddr) -> Variables {
    let mut variables = Variables::new();
    let mut set = |name: &str, value: String| {
        variables.push((format!("ELASTICIO_{name}"), value));
    };
    let name = name_of(launch.number);
    set("FLOW_ID", launch.flow.clone());
    // Sailors of version 1 know the flow by this name.
    set("TASK_ID", launch.flow.clone());
    set("FLOW_TYPE", "ordinary".to_owned());
    set("EXEC_ID", launch.exec_id.clone());
    set("STEP_ID", launch.step.clone());
    set("CONTAINER_ID", name.clone());
    set("WORKSPACE_ID", launch.workspace.clone());
    set("USER_ID", launch.user.clone());
    set("COMP_ID", launch.component.to_string());
    set("FUNCTION", launch.function.clone());
    set("API_URI", format!("http://{api}"));
    set("API_USERNAME", launch.key.user.clone());
    set("API_KEY", launch.key.key.expose().to_owned());
    // What is too large for a message is an object, which the server takes in its place.
    let token = format!("{}:{}", launch.key.user, launch.key.key.expose());
    set("OBJECT_STORAGE_URI", format!("http://{api}"));
    set("OBJECT_STORAGE_TOKEN", token);
    set("EMIT_LIGHTWEIGHT_MESSAGE", "true".to_owned());
    set(
        "AMQP_URI",
        format!("amqp://{name}:{}@{amqp}", launch.password),
    );
    set("LISTEN_MESSAGES_ON", name);
    set("PUBLISH_MESSAGES_TO", EXCHANGE.to_owned());
    set("DATA_ROUTING_KEY", DATA_KEY.to_owned());
    set("ERROR_ROUTING_KEY", ERROR_KEY.to_owned());
    set("REBOUND_ROUTING_KEY", REBOUND_KEY.to_owned());
    set("SNAPSHOT_ROUTING_KEY", SNAPSHOT_KEY.to_owned());
    set("MESSAGE_CRYPTO_IV", launch.iv.clone());
    set("MESSAGE_CRYPTO_PASSWORD", launch.password.clone());
    set("RABBITMQ_PREFETCH_SAILOR", launch.prefetch.to_string());
    set("REBOUND_LIMIT", launch.rebound_limit.to_string());
    for (name, limit) in RATE_LIMITS {
        set(name, limit.to_owned());
    }
    // An error reaches a waiting caller through the engine, which knows the handler.
    set("NO_ERROR_REPLIES", "true".to_owned());
    if launch.is_shutdown {
        set("HOOK_SHUTDOWN", "true".to_owned());
    }
    if launch.needs_startup {
        set("STARTUP_REQUIRED", "true".to_owned());
    }
    variables
}
