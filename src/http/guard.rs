//! The one thread that ends whatever is late.

use std::sync::Arc;
use std::time::Duration;

use super::server::Shared;

/// How often deadlines are looked at: fine enough for limits of seconds, and 10 wake-ups a second cost nothing.
const TICK: Duration = Duration::from_millis(100);

/// Runs until the server has stopped and the last connection has left.
pub(crate) fn run(shared: &Arc<Shared>) {
    loop {
        shared.slots.enforce(&shared.counters);
        shared.close_shed();
        if shared.is_over() {
            return;
        }
        std::thread::park_timeout(TICK);
    }
}
