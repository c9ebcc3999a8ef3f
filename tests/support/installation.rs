//! Installations in folders of their own, with and without a server.

use std::path::PathBuf;

use elastane::app::user::Role;
use elastane::app::{App, AppOptions, HashCost, SecretText};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::user::{NewUser, User};
use elastane::server::{Running, ServerOptions};
use tempfile::TempDir;

use super::Actor;

/// The password of every user that tests register.
pub const PASSWORD: &str = "correct horse";

/// Hashing that takes microseconds; one test of the hasher pays the real price.
pub const CHEAP: HashCost = HashCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

/// A fresh installation with its first tenant administrator.
pub struct Installation {
    /// The application, opened to serve.
    pub app: App,
    /// The folder, deleted at the end.
    pub dir: TempDir,
}

impl Installation {
    /// Makes an installation with the rules of tests: no request limits.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Makes an installation whose options a test changes first.
    pub fn with(change: impl FnOnce(&mut AppOptions)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut options = options_in(dir.path().join("elastane.db"));
        change(&mut options);
        let app = App::init(&options).expect("a fresh installation");
        Self { app, dir }
    }

    /// Returns the path of the database file.
    pub fn database(&self) -> PathBuf {
        self.dir.path().join("elastane.db")
    }

    /// Registers a user and returns it with its key.
    pub fn register(&self, email: &str, role: Role) -> (User, String) {
        let operator = Principal::operator(Channel::Cli);
        let new = NewUser::parse(Some(email), Some("Test"), Some("User"), None).expect("valid");
        let made = self
            .app
            .register_user(&operator, new, &SecretText::new(PASSWORD), role)
            .expect("registered");
        let key = made.api_secret.expose().to_owned();
        (made.user, key)
    }

    /// Registers an ordinary user and returns it as the one who asks.
    pub fn principal(&self, email: &str) -> Principal {
        let (user, _) = self.register(email, Role::Member);
        Principal::user(user, Origin::local(Channel::Api))
    }
}

/// Returns the options of a test's installation.
pub fn options_in(database: PathBuf) -> AppOptions {
    let mut options = AppOptions::new(database);
    options.hash_cost = CHEAP;
    options.rules.request_limits = false;
    options
}

/// A server on a free port of loopback over a fresh installation.
pub struct TestServer {
    /// The installation that it serves.
    pub installation: Installation,
    /// Scheme, host and port.
    pub base: String,
    running: Option<Running>,
}

impl TestServer {
    /// Starts a server with the options of tests.
    pub fn start() -> Self {
        Self::over(Installation::new(), ServerOptions::default())
    }

    /// Starts a server over an installation; its port is always a free one.
    pub fn over(installation: Installation, mut options: ServerOptions) -> Self {
        options.listen = ([127, 0, 0, 1], 0).into();
        // This program is that of the tests, which is no first process of a sandbox.
        options.engine.sailor.program = env!("CARGO_BIN_EXE_elastane").into();
        let running = Running::start(installation.app.clone(), &options).expect("a server");
        Self {
            base: format!("http://{}", running.address()),
            installation,
            running: Some(running),
        }
    }

    /// Returns somebody without credentials.
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(&self.base)
    }

    /// Registers an ordinary user, who signs in with its key as user name.
    pub fn user(&self, email: &str) -> Actor {
        let (user, key) = self.installation.register(email, Role::Member);
        Actor::of(&self.base, user, &key)
    }

    /// Registers a tenant administrator.
    pub fn admin(&self, email: &str) -> Actor {
        let (user, key) = self.installation.register(email, Role::TenantAdmin);
        Actor::of(&self.base, user, &key)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().expect("a clean stop");
        }
    }
}
