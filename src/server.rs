//! The composition root: opens, wires, starts, and stops in order.
//!
//! Order of start: the lock, the API over the application, the housekeeper, the engine,
//! git with its sshd, the sockets. Order of stop: the sockets (requests in flight finish), sshd, the engine (steps
//! in work finish), the housekeeper, the application with its last checkpoint, the lock.

mod from_settings;
mod housekeeper;
mod lock;
mod signals;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use lock::Lock;
pub use signals::StopSignals;

use crate::api::dispatch::Api;
use crate::api::openapi;
use crate::api::shared::{ApiOptions, Shared};
use crate::app::App;
use crate::domain::{Error, Kind, Result};
use crate::engine::{Emission, Engine, EngineOptions, SingleRun};
use crate::git::{Git, GitOptions, ServerProcess, Sshd};
use crate::http::{self, Address, Server};
use housekeeper::Housekeeper;
use serde_json::Value;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A Unix socket to listen on besides, made with mode 0600.
    pub unix_socket: Option<PathBuf>,
    /// Whether another address than loopback is served without TLS.
    pub insecure: bool,
    /// The most connections at once.
    pub connections_max: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long audit entries are kept, in days.
    pub audit_days: u32,
    /// What the operator set for the API.
    pub api: ApiOptions,
    /// What the operator set for the engine.
    pub engine: EngineOptions,
    /// How git is run.
    pub git: GitOptions,
    /// Where git is served over SSH, if it is.
    pub ssh: Option<SocketAddr>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            unix_socket: None,
            insecure: false,
            connections_max: http::CONNECTIONS,
            trusted_proxies: Vec::new(),
            audit_days: housekeeper::AUDIT_DAYS,
            api: ApiOptions::default(),
            engine: EngineOptions::default(),
            git: GitOptions::default(),
            ssh: None,
        }
    }
}

/// Returns the OpenAPI document of the API that a server answers.
pub fn openapi_document() -> Value {
    openapi::document()
}

/// A server that answers until it is stopped.
pub struct Running {
    server: Server,
    engine: Engine,
    housekeeper: Housekeeper,
    sshd: Option<Sshd>,
    app: App,
    _lock: Lock,
}

impl Running {
    /// Starts to serve an application that was opened for it.
    ///
    /// Refused on another address than loopback unless `insecure` says so, where another
    /// server holds the database, and where the address can't be had.
    pub fn start(app: App, options: &ServerOptions) -> Result<Self> {
        let lock = Lock::take(app.database())?;
        Self::start_holding(lock, app, options)
    }

    /// Starts to serve an application whose lock was taken before it was opened, so that
    /// nothing was migrated under another server.
    pub fn start_holding(lock: Lock, app: App, options: &ServerOptions) -> Result<Self> {
        refuse_open_door(options)?;
        let shared = Arc::new(Shared::new(options.api.clone()));
        shared.set_maintenance(app.maintenance()?);
        let api = Api::new(app.clone(), Arc::clone(&shared))?;
        let housekeeper = Housekeeper::start(app.clone(), Arc::clone(&shared), options.audit_days)?;
        let engine = Engine::start(&app, options.engine.clone())?;
        app.sweep_repositories()?;
        let git_options = GitOptions {
            server: ServerProcess::own(),
            ..options.git.clone()
        };
        let git = Git::open(app.clone(), git_options)?;
        git.settle();
        let sshd = options.ssh.map(|address| Sshd::start(&git, address));
        let sshd = sshd.transpose()?;
        app.set_git_server(Arc::new(git));
        let mut addresses = vec![Address::Tcp(options.listen)];
        addresses.extend(options.unix_socket.clone().map(Address::Unix));
        let settings = http::Settings {
            connections: options.connections_max,
            trusted_proxies: options.trusted_proxies.clone(),
            ..http::Settings::default()
        };
        let server = Server::start(&addresses, settings, api).map_err(|error| {
            Error::new(Kind::Unavailable, format!("can't listen on {error}")).caused_by(error)
        })?;
        if let Some(address) = server.local_addr() {
            let address = reachable(address);
            engine.set_api(address);
            let public = options.api.public_url.clone();
            app.set_base_url(public.unwrap_or_else(|| format!("http://{address}")));
        }
        // Set once: this is the only place that has the counters.
        let _ = shared.http.set(server.counters());
        Ok(Self {
            server,
            engine,
            housekeeper,
            sshd,
            app,
            _lock: lock,
        })
    }

    /// Returns the TCP address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.server
            .local_addr()
            .unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Returns the system account that git comes to over SSH, where that is served.
    pub fn ssh_account(&self) -> Option<&str> {
        self.sshd.as_ref().map(Sshd::account)
    }

    /// Runs one message through a function of a folder, without a flow (see
    /// [`Engine::run_single`]).
    pub fn run_single(&self, run: &SingleRun, hear: &mut dyn FnMut(Emission)) -> Result<()> {
        self.engine.run_single(run, hear)
    }

    /// Waits for SIGTERM or SIGINT, then stops; a second signal ends the process at once.
    pub fn wait_for(self, signals: StopSignals) -> Result<()> {
        signals.wait();
        self.stop()
    }

    /// Stops: requests in flight finish within the grace, everything queued is on disk.
    pub fn stop(self) -> Result<()> {
        let grace = Duration::from_millis(http::STOP_GRACE_MS);
        if !self.server.wait(grace) {
            tracing::warn!("some requests did not finish in time");
        }
        if let Some(sshd) = self.sshd {
            sshd.stop();
        }
        self.engine.stop();
        self.housekeeper.stop();
        self.app.clear_git_server();
        self.app.close();
        Ok(())
    }
}

/// Returns the address by which a process of this machine reaches a listening address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Refuses to show an API without TLS to a network.
fn refuse_open_door(options: &ServerOptions) -> Result<()> {
    if options.listen.ip().is_loopback() || options.insecure {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        format!(
            "{} is not loopback, and keys would travel in clear: put a TLS proxy in front and \
             listen on 127.0.0.1, or add --insecure where the network is trusted",
            options.listen
        ),
    ))
}
