//! What a component that means harm gets to (`reliability.md 3.3`).

use serde_json::{Value, json};

use super::house::{House, Sailor};

/// Runs a piece of JavaScript as a component that is shut in, and returns what it
/// answers: its value, or its error's code.
fn attack(code: &str) -> (House, Value) {
    let house = House::new();
    let database = house.server.installation.database();
    let database = json!(database.display().to_string());
    let file = format!(
        "exports.process = async function () {{
            const database = {database}; const fs = require('fs');
            try {{ return {{ body: {{ got: await (async () => {{ {code} }})() }} }}; }}
            catch (error) {{ return {{ body: {{ code: error.code || String(error) }} }}; }}
        }};"
    );
    let descriptor = json!({ "title": "Hostile", "actions": {
        "attack": { "title": "Attack", "main": "./attack.js", "metadata": {} },
    } });
    let files = [("attack.js", file.as_str())];
    let component = house.component("hostile", Sailor::New, &descriptor, &files);
    let command = format!("{}/{}:attack", component.team, component.slug);
    let flow = house.flow(&[json!({ "id": "step", "command": command })]);
    let run = house.run(&flow, &json!({}));
    let out = house.outputs(&run, "step");
    assert_eq!(out.len(), 1, "{}", house.log(&flow));
    let got = out[0].clone();
    (house, got)
}

/// Asserts that an attack is refused.
#[track_caller]
fn assert_refused(code: &str) {
    let (_house, got) = attack(code);
    let refusal = got["code"].as_str().unwrap_or_default();
    assert!(matches!(refusal, "EACCES" | "EPERM"), "{code}: {got}");
}

#[test]
fn what_is_its_own_is_not_refused() {
    let (_house, got) = attack(
        "fs.writeFileSync(process.env.TMPDIR + '/mine', 'x');
         return fs.readFileSync(process.env.TMPDIR + '/mine', 'utf8') + fs.readdirSync('.').length;",
    );
    assert!(
        got["got"].as_str().is_some_and(|it| it.starts_with('x')),
        "{got}"
    );
}

#[test]
fn the_database_and_its_key_are_not_read() {
    assert_refused("return fs.readFileSync(database).length;");
    assert_refused("return fs.readFileSync(database.replace('.db', '.key'), 'utf8');");
}

#[test]
fn files_of_the_system_are_neither_read_nor_written() {
    assert_refused("return fs.readFileSync('/etc/shadow', 'utf8');");
    assert_refused("fs.writeFileSync('/tmp/elastane-hostile', 'x');");
    assert_refused("fs.writeFileSync('component.json', '{}');");
}

#[test]
fn other_ports_of_this_machine_are_not_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    assert_refused(&format!(
        "return await new Promise((done, failed) => {{
            const socket = require('net').connect({port}, '127.0.0.1', () => done('connected'));
            socket.on('error', failed);
        }});"
    ));
}

#[test]
fn nobody_else_is_signalled() {
    assert_refused(&format!("process.kill({}, 0);", std::process::id()));
}

#[test]
fn a_port_is_not_opened() {
    assert_refused(
        "return await new Promise((done, failed) => {
            const server = require('net').createServer();
            server.on('error', failed);
            server.listen(0, '127.0.0.1', () => done('listening'));
        });",
    );
}

#[test]
fn another_process_s_environment_is_not_read() {
    let own = std::process::id();
    assert_refused(&format!(
        "return fs.readFileSync('/proc/{own}/environ', 'utf8');"
    ));
}
