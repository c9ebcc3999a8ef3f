//! A page of flows through API v2: against a bare asynchronous server that answers bytes of
//! the same size, and with 1,000,000 flows against 1,000. Ratios of one run.
//!
//! The time on the cores is told beside the time on the wall: what else the machine does
//! hardly changes it. Client and servers share one process, so it holds the client's too.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark makes rows, measures time and prints it"
)]

mod answer;
mod bare;
mod cpu;
mod load;
mod median;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use elastane::app::user::Role;
use elastane::app::{App, AppOptions, SecretText};
use elastane::domain::id::UserId;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::user::NewUser;
use elastane::server::{Running, ServerOptions};
use hyper::body::Bytes;

/// The allocator of the binary, so that what is measured is what is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Flows of the small and of the large installation.
const FLOWS: [u32; 2] = [1_000, 1_000_000];

/// How often each rate is taken, in turns; the median counts.
const ROUNDS: usize = 5;

/// How long each rate is taken.
const DURATION: Duration = Duration::from_secs(2);

/// Connections of that.
const CONNECTIONS: usize = 64;

/// Pages that one time is the median of, taken in turns.
const PAGES: usize = 400;

/// What is asked for: the documented page, and the last one of the large list.
const PAGE: &str = "/v2/flows?page%5Bsize%5D=50";
const LAST_PAGE: u32 = FLOWS[1] / 50;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = FLOWS.map(|flows| {
        let home = folder.path().join(flows.to_string());
        std::fs::create_dir(&home).expect("a folder");
        Served::start(&home.join("elastane.db"), flows)
    });
    against_bare(&served);
    println!("the first page: {}", flatness(&served, PAGE));
    let last = format!("{PAGE}&page%5Bnumber%5D={LAST_PAGE}");
    let first = served[1].request(PAGE);
    let last = served[1].request(&last);
    let figures = in_turns(&[(&served[1], first), (&served[1], last)]);
    println!(
        "the last page of {} flows against the first: {:.2} (goal at most 1.5)",
        FLOWS[1],
        figures[1] / figures[0]
    );
    for one in served {
        one.running.stop().expect("a clean stop");
    }
}

/// An installation that is served, and the key of its user.
struct Served {
    running: Running,
    key: String,
}

impl Served {
    /// Makes an installation of so many flows of one user, without request limits, and
    /// serves it.
    fn start(path: &Path, flows: u32) -> Self {
        let mut options = AppOptions::new(path);
        options.rules.request_limits = false;
        let app = App::init(&options).expect("an installation");
        let operator = Principal::operator(Channel::Cli);
        let new = NewUser::parse(Some("ada@example.com"), Some("Ada"), Some("Lovelace"), None);
        let secret = SecretText::new("secret");
        let made = app
            .register_user(&operator, new.expect("valid"), &secret, Role::Member)
            .expect("registered");
        fill(path, made.user.id, flows);
        let options = ServerOptions {
            listen: "127.0.0.1:0".parse().expect("an address"),
            ..ServerOptions::default()
        };
        Self {
            running: Running::start(app, &options).expect("a server"),
            key: made.api_secret.expose().to_owned(),
        }
    }

    /// Writes a request for a page.
    fn request(&self, path: &str) -> Vec<u8> {
        let authorization =
            base64::engine::general_purpose::STANDARD.encode(format!("{}:", self.key));
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {authorization}\r\n\
             Accept: application/json\r\n\r\n"
        )
        .into_bytes()
    }
}

/// Adds flows as the store would write them, past its verbs for the sake of time. Each is
/// like the documented example: two steps and a mapper.
fn fill(path: &Path, user: UserId, flows: u32) {
    let graph = concat!(
        r#"{"nodes":[{"id":"step_1","command":"elasticio/timer:timer","#,
        r#""fields":{"interval":"minute"}},"#,
        r#"{"id":"step_2","command":"elasticio/email:send"}],"#,
        r#""edges":[{"source":"step_1","target":"step_2","config":{"mapper":"#,
        r#"{"to":"info@example.com","subject":"Test","textBody":"{{fireTime}}"}}}]}"#
    );
    let conn = rusqlite::Connection::open(path).expect("the database");
    conn.execute_batch(&format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {flows})
         INSERT INTO flows (id, user_id, name, graph, created_at, updated_at)
         SELECT printf('ffffff%018x', i), '{user}', 'Timer to E-Mail ' || i, '{graph}', 0, 0 FROM n;
         COMMIT;"
    ))
    .expect("filled");
}

/// Prints how many pages a second are answered, beside a bare server with the same bytes:
/// of one page that does not change, and of pages that nobody asked for just before.
fn against_bare(served: &[Served; 2]) {
    let request = served[0].request(PAGE);
    let address = served[0].running.address();
    let body = answer(&mut connect(address), &request);
    let bytes = body.len();
    let bare = bare::start("application/json; charset=utf-8", Bytes::from(body));
    let next = AtomicU32::new(0);
    let other_page = |_| {
        // Each page that begins behind a remembered place, one after the other.
        let number = 1 + next.fetch_add(20, Ordering::Relaxed) % LAST_PAGE;
        served[1].request(&format!("{PAGE}&page%5Bnumber%5D={number}"))
    };
    let (mut rates, mut costs, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let [other, own] = [bare, address].map(|address| rate(address, |_| request.clone()));
        let new = rate(served[1].running.address(), other_page);
        println!(
            "round {round}: bare {:.0}/s at {:.0} us of a core, a page {:.0}/s at {:.0} us, \
             other pages {:.0}/s at {:.0} us, load {}",
            other.per_s,
            other.core_us,
            own.per_s,
            own.core_us,
            new.per_s,
            new.core_us,
            cpu::load()
        );
        rates.push(own.per_s / other.per_s);
        costs.push(own.core_us / other.core_us);
        unknown.push(new.per_s / other.per_s);
    }
    println!(
        "a page of 50 flows, {bytes} bytes, {CONNECTIONS} connections, against a bare server: \
         {:.2} (goal 0.30), {:.2} times its cost on the cores, client included; pages that \
         nobody asked for just before: {:.2}",
        median::median(rates),
        median::median(costs),
        median::median(unknown)
    );
}

/// What a server reached in a round.
struct Rate {
    per_s: f64,
    core_us: f64,
}

/// Loads a server for a round.
fn rate(address: SocketAddr, request: impl Fn(usize) -> Vec<u8> + Sync) -> Rate {
    let before = cpu::cpu_s(process::id());
    let per_s = load::answers_per_s(address, CONNECTIONS, DURATION, request);
    let used = cpu::cpu_s(process::id()) - before;
    Rate {
        per_s,
        core_us: used * 1e6 / (per_s * DURATION.as_secs_f64()),
    }
}

/// Tells what a page costs in the large installation against the small one.
fn flatness(served: &[Served; 2], path: &str) -> String {
    let requests = [0, 1].map(|at| (&served[at], served[at].request(path)));
    let [small, large] = in_turns(&requests);
    format!(
        "{small:.0} us with {} flows, {large:.0} us with {}: {:.2} (goal at most 1.5)",
        FLOWS[0],
        FLOWS[1],
        large / small
    )
}

/// Asks two questions in turns, each over a connection of its own; returns their median
/// times in microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a page are few")]
fn in_turns(requests: &[(&Served, Vec<u8>); 2]) -> [f64; 2] {
    let mut streams = requests
        .each_ref()
        .map(|(served, _)| connect(served.running.address()));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..PAGES {
        for at in [0, 1] {
            let began = Instant::now();
            let body = answer(&mut streams[at], &requests[at].1);
            times[at].push(began.elapsed().as_nanos() as f64 / 1_000.0);
            let entries = body.windows(13).filter(|part| part == b"\"type\":\"flow\"");
            assert_eq!(entries.count(), 50, "a full page");
        }
    }
    times.map(median::median)
}

/// Connects to a server.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    stream
}

/// Asks once; returns the body of the answer.
fn answer(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).expect("a sent request");
    let mut buffer = Vec::new();
    load::read_answer(stream, &mut buffer);
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n");
    buffer.split_off(end.expect("a head") + 4)
}
