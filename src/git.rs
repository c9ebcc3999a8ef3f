//! Git: repositories, the doors to them, and the builds that pushes begin.
//!
//! Everything here runs other programs: git, npm, node and sshd. They get a clean
//! environment, settings and hooks of ours, and bounds; what a pusher sends reaches them
//! as data, as arguments that we made, and never through a shell (`runtime.md 6`).

mod backend;
mod build;
mod confine;
mod folder;
mod hook;
mod place;
mod sandbox;
mod server;
mod session;
mod sshd;
mod stage;
mod tool;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::App;
use crate::domain::Result;
use crate::sandbox::Strength;
pub use confine::become_confined;
pub use hook::Push;
pub use server::ServerProcess;
pub use session::SshSession;
pub use sshd::Sshd;

/// How git is run.
#[derive(Clone, Debug, Default)]
pub struct GitOptions {
    /// This program, which git runs as its hooks.
    pub program: PathBuf,
    /// The flags with which this program finds the installation, such as `--db PATH`.
    pub flags: Vec<OsString>,
    /// The variables that git, npm and node inherit: where programs are, proxies, the
    /// registry. Nothing else of this process's environment reaches them.
    pub environment: Vec<(String, OsString)>,
    /// How much builds are shut in.
    pub sandbox: Strength,
    /// The server whose sessions these are; none for what nobody serves.
    pub server: Option<ServerProcess>,
}

/// Git over one installation. Clones are cheap.
#[derive(Clone)]
pub struct Git {
    app: App,
    options: Arc<GitOptions>,
    calls: backend::Calls,
}

impl Git {
    /// Makes ready what git needs on the disk: its settings and our hooks.
    pub fn open(app: App, options: GitOptions) -> Result<Self> {
        let git = Self {
            app,
            options: Arc::new(options),
            calls: backend::Calls::default(),
        };
        git.prepare()?;
        Ok(git)
    }
}
