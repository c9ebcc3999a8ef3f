//! The one way to start a thread: it has a name, and how it ends is logged.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};

/// Starts a thread called `name`, with a stack of `stack_bytes` or the default.
///
/// A panic inside is caught and logged under the thread's name; it ends that
/// thread and nothing else. The error is the system's when it has no threads left.
pub fn spawn(
    name: &str,
    stack_bytes: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let mut builder = Builder::new().name(name.to_owned());
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    let name = name.to_owned();
    builder.spawn(move || {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            tracing::error!(thread = %name, "thread ended by a panic");
        }
    })
}
