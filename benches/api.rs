//! What the API costs over the bare server: an authenticated read against a route that
//! does nothing, and a durable write against the store alone. Ratios of one run.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod answer;
mod load;
mod median;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use elastane::app::user::Role;
use elastane::app::{App, AppOptions, HashCost, SecretText};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::user::{NewUser, User};
use elastane::http::{Address, Request, Response, Server, Settings};
use elastane::server::{Running, ServerOptions};

/// How often each figure is taken, in turns; the median counts.
const ROUNDS: usize = 5;

/// How long each figure is taken.
const DURATION: Duration = Duration::from_secs(2);

/// Users who create teams in turns: each may have 500.
const USERS: usize = 1_000;

/// Any free port of loopback.
const LISTEN: &str = "127.0.0.1:0";

/// Connections, and writers of the store.
const CONNECTIONS: usize = 64;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = installation(&folder.path().join("elastane.db"));
    let (users, keys): (Vec<User>, Vec<String>) =
        (0..USERS).map(|number| register(&app, number)).unzip();
    let options = ServerOptions {
        listen: LISTEN.parse().expect("an address"),
        ..ServerOptions::default()
    };
    let running = Running::start(app.clone(), &options).expect("a server");
    let noop = bare_server();
    let noop_address = noop.local_addr().expect("an address");
    let get = head("GET", "/v1/users", &keys[0], "");
    let next = AtomicUsize::new(0);
    let create = |_| {
        let user = next.fetch_add(1, Ordering::Relaxed) % keys.len();
        head("POST", "/v1/teams", &keys[user], "{}")
    };
    let over_http = |address, request: &(dyn Fn(usize) -> Vec<u8> + Sync)| {
        load::answers_per_s(address, CONNECTIONS, DURATION, request)
    };
    let (mut reads, mut writes) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        let bare = over_http(noop_address, &|_| get.clone());
        let own = over_http(running.address(), &|_| get.clone());
        let store = teams_per_s(&app, &users);
        let teams = over_http(running.address(), &create);
        println!(
            "round {round}: bare {bare:.0}/s, users {own:.0}/s, store {store:.0}/s, teams {teams:.0}/s"
        );
        reads.push(own / bare);
        writes.push(teams / store);
    }
    let (reads, writes) = (median::median(reads), median::median(writes));
    println!("GET /v1/users against a bare route: {reads:.2} (goal 0.60)");
    println!("POST /v1/teams against the same verb without HTTP: {writes:.2} (goal 0.50)");
    running.stop().expect("a clean stop");
}

/// Makes an installation without request limits.
fn installation(database: &Path) -> App {
    let mut options = AppOptions::new(database);
    options.rules.request_limits = false;
    // A thousand users are registered; what their passwords cost is not measured here.
    options.hash_cost = HashCost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };
    App::init(&options).expect("an installation")
}

/// Starts a server whose one route does nothing.
fn bare_server() -> Server {
    let body = br#"{"id":"54f4be3fe7d5224f91000001","first_name":"John","last_name":"Doe"}"#;
    let address = Address::Tcp(LISTEN.parse().expect("an address"));
    Server::start(&[address], Settings::default(), |_: &mut Request<'_>| {
        Response::new(200)
            .header("Content-Type", "application/json; charset=utf-8")
            .bytes(&body[..])
    })
    .expect("a bare server")
}

/// Registers a user and returns it with its key.
fn register(app: &App, number: usize) -> (User, String) {
    let operator = Principal::operator(Channel::Cli);
    let email = format!("{number}@example.com");
    let new = NewUser::parse(Some(&email), Some("Ada"), Some("Lovelace"), None);
    let made = app
        .register_user(
            &operator,
            new.expect("valid"),
            &SecretText::new("secret"),
            Role::Member,
        )
        .expect("registered");
    let key = made.api_secret.expose().to_owned();
    (made.user, key)
}

/// Writes a request.
fn head(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let authorization = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {authorization}\r\n\
         Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Creates teams from as many threads as there are connections, each by the verb that
/// the API calls; returns teams a second.
#[expect(clippy::cast_precision_loss, reason = "a rate is told to three digits")]
fn teams_per_s(app: &App, users: &[User]) -> f64 {
    let began = Instant::now();
    let written: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..CONNECTIONS)
            .map(|writer| {
                scope.spawn(move || {
                    let mut written = 0;
                    while began.elapsed() < DURATION {
                        let user = &users[(written * CONNECTIONS + writer) % users.len()];
                        let who = Principal::user(user.clone(), Origin::local(Channel::Api));
                        app.create_team(&who, user.id, None).expect("a team");
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"))
            .sum()
    });
    written as f64 / began.elapsed().as_secs_f64()
}
