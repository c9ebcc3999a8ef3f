//! The signals that end a server.

use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::domain::{Error, Result};

/// Catches SIGTERM and SIGINT: the first is waited for, a second one ends the process
/// at once.
///
/// It is made before the server says that it listens. A service manager that has heard
/// so may stop it in the same millisecond, and that must be a graceful stop too.
pub struct StopSignals {
    signals: Signals,
}

impl StopSignals {
    /// Catches the signals from now on; what comes before [`StopSignals::wait`] is kept.
    pub fn catch() -> Result<Self> {
        let second = Arc::default();
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&second))
                .map_err(Error::internal)?;
            signal_hook::flag::register(signal, Arc::clone(&second)).map_err(Error::internal)?;
        }
        let signals = Signals::new([SIGTERM, SIGINT]).map_err(Error::internal)?;
        Ok(Self { signals })
    }

    /// Waits for the first signal.
    pub(super) fn wait(mut self) {
        if let Some(signal) = self.signals.forever().next() {
            tracing::info!(signal, "stopping");
        }
    }
}
