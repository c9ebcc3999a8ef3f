//! What a component that means harm gets to (`reliability.md 3.3`).

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;

use elastane::engine::SailorOptions;
use serde_json::{Value, json};

use super::house::{House, Sailor, wait_for};

/// A server with a component that does what it is sent, in a process that is shut in.
struct Prey {
    house: House,
    flow: String,
    component: String,
    calls: usize,
}

impl Prey {
    fn new() -> Self {
        Self::with(SailorOptions::default())
    }

    /// Starts it with the operator's settings.
    fn with(options: SailorOptions) -> Self {
        let house = House::with(|engine| engine.sailor = options);
        let file = "
            const fs = require('fs');
            const kept = [];
            exports.process = async function (msg) {
                const database = msg.body.database;
                try { return { body: { got: await eval(`(async () => {${msg.body.code}})()`) } }; }
                catch (error) { return { body: { code: error.code || String(error) } }; }
            };";
        let descriptor = json!({ "title": "Hostile", "actions": {
            "attack": { "title": "Attack", "main": "./attack.js", "metadata": {} },
        } });
        let files = [("attack.js", file)];
        let component = house.component("hostile", Sailor::New, &descriptor, &files);
        let command = format!("{}/{}:attack", component.team, component.slug);
        let flow = house.flow(&[json!({ "id": "step", "command": command })]);
        Self {
            house,
            flow,
            component: component.id.to_string(),
            calls: 0,
        }
    }

    /// Waits until its process is gone, and was missed.
    fn pause(&self) {
        let folder = self.house.server.installation.database();
        let folder = folder.with_extension("scratch");
        wait_for("the process to end", || {
            std::fs::read_dir(&folder).is_ok_and(|all| all.count() == 0)
        });
    }

    /// Lets it run a piece of JavaScript, and returns what it answers: its value, or its
    /// error's code.
    fn attack(&mut self, code: &str) -> Value {
        let database = self.house.server.installation.database();
        let sent = json!({ "code": code, "database": database.display().to_string() });
        let _answer = self.house.call(&self.flow, &sent);
        self.calls += 1;
        let runs = self.house.ended_runs(&self.flow, self.calls);
        let run = runs.last().expect("a run");
        let out = self.house.outputs(run, "step");
        out.first()
            .cloned()
            .unwrap_or_else(|| self.house.error(run, "step"))
    }

    /// Asserts that each of these is refused, or has nothing to act on.
    #[track_caller]
    fn assert_refused(&mut self, attacks: &[&str]) {
        for code in attacks {
            let got = self.attack(code);
            let refusal = got["code"].as_str().unwrap_or_default();
            assert!(
                matches!(refusal, "EACCES" | "EPERM" | "ENOENT" | "ESRCH"),
                "{code}: {got}"
            );
        }
    }
}

#[test]
fn files_that_are_not_its_own_are_neither_read_nor_written() {
    let mut prey = Prey::new();
    let own = prey.attack(
        "fs.writeFileSync(process.env.TMPDIR + '/mine', 'x');
         return fs.readFileSync(process.env.TMPDIR + '/mine', 'utf8') + fs.readdirSync('.').length;",
    );
    assert!(
        own["got"].as_str().is_some_and(|it| it.starts_with('x')),
        "{own}"
    );
    prey.assert_refused(&[
        "return fs.readFileSync(database).length;",
        "return fs.readFileSync(database.replace('.db', '.key'), 'utf8');",
        "return fs.readFileSync(database + '-wal').length;",
        // Other components, other builds of this one, other processes' files.
        "return fs.readdirSync(database.replace('.db', '.builds'));",
        "return fs.readdirSync('..');",
        "return fs.readdirSync(database.replace('.db', '.scratch'));",
        "return fs.readdirSync('/');",
        "return fs.readdirSync('/home');",
        "return fs.readFileSync('/etc/shadow', 'utf8');",
        "return fs.readFileSync('/proc/1/environ', 'utf8');",
        "return fs.writeFileSync('/tmp/elastane-hostile', 'x');",
        "return fs.writeFileSync('component.json', '{}');",
        "return fs.writeFileSync('/usr/bin/elastane-hostile', 'x');",
        "return fs.symlinkSync(database, process.env.TMPDIR + '/link') || fs.readFileSync(process.env.TMPDIR + '/link');",
    ]);
    let environment = prey.attack("return Object.keys(process.env);");
    let names = environment["got"].as_array().expect("names");
    assert!(
        !names.iter().any(|name| name == "CARGO_MANIFEST_DIR"),
        "{environment}"
    );
}

#[test]
fn processes_and_services_of_the_machine_are_not_reached() {
    let mut prey = Prey::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("service");
    let _service = UnixListener::bind(&socket).expect("a socket");
    let server = std::process::id();
    let connect = |to: String| {
        format!(
            "return await new Promise((done, failed) => {{
                const socket = require('net').connect({to}, () => done('connected'));
                socket.on('error', failed);
            }});"
        )
    };
    prey.assert_refused(&[
        &connect(format!("{port}, '127.0.0.1'")),
        &connect(format!("{:?}", socket.display().to_string())),
        &format!("return process.kill({server}, 0);"),
        &format!("return process.kill({server}, 'SIGKILL');"),
        &format!("return fs.readFileSync('/proc/{server}/environ', 'utf8');"),
        "return await new Promise((done, failed) => {
            const server = require('net').createServer();
            server.on('error', failed);
            server.listen(0, '127.0.0.1', () => done('listening'));
        });",
    ]);
    for tool in ["mount -t tmpfs none .", "unshare --user true"] {
        let got = prey.attack(&format!(
            "return require('child_process').spawnSync('sh', ['-c', '{tool}']).status;"
        ));
        assert!(
            got["got"].as_i64().is_some_and(|it| it > 0),
            "{tool}: {got}"
        );
    }
}

#[test]
fn a_component_without_a_network_works_and_reaches_nothing() {
    let mut prey = Prey::new();
    let connect = "return await new Promise((done, failed) => {
        const socket = require('net').connect(443, '127.0.0.1', () => done('connected'));
        socket.on('error', failed);
    });";
    let ask = "return await require('dns').promises.resolve4('localhost');";
    let send = "return await new Promise((done, failed) => {
        const socket = require('dgram').createSocket('udp4');
        socket.send('x', 53, '127.0.0.1', (error) => error ? failed(error) : done('sent'));
    });";
    // Of the installation: port 443 is open, where nobody listens, and so is UDP.
    assert_eq!(prey.attack(connect)["code"], "ECONNREFUSED");
    assert_eq!(prey.attack(send)["got"], "sent");
    let root = prey.house.server.admin("root@example.com");
    let component = prey.component.clone();
    let path = format!("/v2/components/{component}");
    let change = json!({ "data": { "type": "component", "id": component, "attributes": {
        "network": "none",
    } } });
    assert_eq!(prey.house.ada.patch(&path, &change).status, 403);
    let changed = root.patch(&path, &change).json(200);
    assert_eq!(changed["data"]["attributes"]["network"], "none");
    // From the next process on.
    let _ended = prey.attack("setTimeout(() => process.exit(1), 10); return 1;");
    prey.pause();
    let got = prey.attack(connect);
    assert!(
        matches!(got["code"].as_str(), Some("EACCES" | "ENETUNREACH")),
        "{got}"
    );
    assert!(prey.attack(send)["code"].is_string());
    assert!(prey.attack(ask)["code"].is_string());
    let addresses = prey.attack("return Object.keys(require('os').networkInterfaces());");
    assert_eq!(addresses["got"], json!([]));
}

#[test]
fn more_processes_files_and_memory_than_one_may_have_are_refused() {
    let options = SailorOptions {
        memory_mib: 128,
        ..SailorOptions::default()
    };
    let mut prey = Prey::with(options);
    // A bomb: each lives on, in a group of its own.
    let bomb = prey.attack(
        "let refused = 0;
         for (let i = 0; i < 600; i += 1) {
             const options = { detached: true, stdio: 'ignore' };
             const child = require('child_process').spawn('sleep', ['1000'], options);
             child.on('error', () => {}); child.unref();
             if (child.pid === undefined) refused += 1;
         }
         return refused;",
    );
    let refused = bomb["got"].as_i64().unwrap_or_default();
    assert!(refused > 0 || !bounds_processes(), "{bomb}");
    let files = prey.attack(
        "const held = [];
         try { for (;;) held.push(fs.openSync('component.json')); }
         finally { held.forEach((file) => fs.closeSync(file)); }",
    );
    assert_eq!(files["code"], "EMFILE");
    let file = prey.attack(
        "process.on('SIGXFSZ', () => {});
         const file = fs.openSync(process.env.TMPDIR + '/large', 'w');
         fs.ftruncateSync(file, 2 ** 31);",
    );
    assert_eq!(file["code"], "EFBIG");
    let memory = prey.attack("for (;;) kept.push(Buffer.alloc(100 * 2 ** 20));");
    let refusal = memory["code"].as_str().unwrap_or_default();
    assert!(refusal.contains("allocation failed"), "{memory}");
}

#[test]
fn endless_lines_and_giant_messages_are_cut_short() {
    let mut prey = Prey::new();
    assert_eq!(
        prey.attack("console.log('y'.repeat(200000)); return 1;")["got"],
        1
    );
    let flow = prey.flow.clone();
    wait_for("the long line", || {
        prey.house.log(&flow).contains(&"y".repeat(4_000))
    });
    assert!(!prey.house.log(&flow).contains(&"y".repeat(5_000)));
    let flood = "for (let i = 0; i < 20000; i += 1) console.log('line ' + i); return 1;";
    assert_eq!(prey.attack(flood)["got"], 1);
    let lines = || {
        let path = format!("/v2/flows/{flow}/logs?page[size]=1");
        let shown = prey.house.ada.get(&path).json(200);
        shown["meta"]["total"].as_u64().expect("a count")
    };
    wait_for("some of the lines", || lines() > 500);
    assert!(lines() < 5_000, "{}", lines());

    // By the sailor, and past it.
    let large = prey.attack("return 'x'.repeat(20 * 2 ** 20);");
    assert!(large["got"].is_null(), "a message of 20 MiB");
    let raw = prey.attack(
        "const line = await require('amqplib').connect(process.env.ELASTICIO_AMQP_URI);
         const channel = await line.createChannel();
         return await new Promise((done, failed) => {
             channel.on('error', failed);
             const { ELASTICIO_PUBLISH_MESSAGES_TO: to, ELASTICIO_OUTPUT_ROUTING_KEY: key } = process.env;
             channel.publish(to, key, Buffer.alloc(20 * 2 ** 20));
         });",
    );
    assert_eq!(raw["code"], 311, "content too large");
    assert_eq!(prey.attack("return 1;")["got"], 1);
}

#[test]
fn what_fills_the_disk_or_does_not_leave_when_it_is_told_to_is_ended() {
    let mut prey = Prey::new();
    // Two files, each of which is one that it may have; they take no disk.
    let fill = "setTimeout(() => {
            for (const name of ['a', 'b']) {
                const file = fs.openSync(process.env.TMPDIR + '/' + name, 'w');
                fs.ftruncateSync(file, 600 * 2 ** 20);
            }
        }, 10);
        return 1;";
    assert_eq!(prey.attack(fill)["got"], 1);
    // Long before it would be idle for long enough.
    prey.pause();
    wait_for("why", || {
        prey.house.log(&prey.flow).contains("it wrote more than")
    });
    let stay = "process.removeAllListeners('SIGTERM');
        process.on('SIGTERM', () => {});
        setInterval(() => {}, 1000);
        return 1;";
    assert_eq!(prey.attack(stay)["got"], 1);
    let tell = |verb: &str| {
        let path = format!("/v2/flows/{}/{verb}", prey.flow);
        let told = prey.house.ada.send("POST", &path, &[], "");
        assert!(told.status < 300, "{}", told.text);
    };
    tell("stop");
    prey.pause();
    tell("start");
    assert_eq!(prey.attack("return 1;")["got"], 1);
}

/// Tells whether the kernel bounds the processes of a namespace for this account: for root
/// it does since Linux 6.14.
fn bounds_processes() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let mut number = || numbers.next().and_then(Result::ok).unwrap_or_default();
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    !is_root || (number(), number()) >= (6, 14)
}
