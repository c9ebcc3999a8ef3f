//! The AMQP endpoint, driven by two clients that share no code with it or each other,
//! and by bytes that no client sends.
//!
//! Where Node with npm or Python with venv is missing these tests fail and say so.

mod broker;
mod malformed;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use elastane::amqp::{Server, Settings};

use crate::support::programs::{install_node_modules, install_python, run};

/// How long a client may take: it waits for single messages, ten seconds at most.
const CLIENT_LIMIT: Duration = Duration::from_mins(2);

/// Returns the folder with the clients.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/amqp")
}

/// Starts an endpoint over a broker.
fn endpoint() -> (Server, Arc<Broker>) {
    let broker = Arc::new(Broker::default());
    let server = Server::start(Settings::default(), Arc::clone(&broker) as _);
    (server.expect("a port on loopback"), broker)
}

/// Runs a client against an endpoint.
#[track_caller]
fn drive(mut command: Command, server: &Server) {
    command
        .current_dir(folder())
        .env("AMQP_HOST", server.address().to_string())
        .env("AMQP_USER", "ada")
        .env("AMQP_PASSWORD", "secret");
    let ended = run(command, CLIENT_LIMIT);
    assert!(ended.success, "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn the_library_of_sailors_finds_all_that_it_needs() {
    install_node_modules(&folder());
    let (server, broker) = endpoint();
    let mut command = Command::new("node");
    command.arg("amqplib.mjs");
    drive(command, &server);
    let state = broker.state();
    assert_eq!(state.dead.len(), 1, "one message was rejected");
    let keys: Vec<&str> = state
        .published
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, ["work", "work", "work", "work", "plain"]);
}

#[test]
fn a_client_in_another_language_finds_it_too() {
    let python = install_python("amqp-client", "pika", &folder().join("requirements.txt"));
    let (server, broker) = endpoint();
    let mut command = Command::new(python);
    command.arg("pika_client.py");
    drive(command, &server);
    assert_eq!(broker.state().published.len(), 4);
}

#[test]
fn a_stopped_endpoint_ends_its_connections_and_takes_none() {
    let (server, _broker) = endpoint();
    let address = server.address();
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    server.stop();
    let mut rest = Vec::new();
    // Closed or reset: both are an end.
    let _ended = std::io::Read::read_to_end(&mut stream, &mut rest);
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}
