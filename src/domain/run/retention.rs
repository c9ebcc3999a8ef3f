//! How long runs, their messages and logs are kept.

/// How long what runs leave behind is kept (`runtime.md 4.8, 4.9`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The days after which a run goes.
    pub execution_days: u32,
    /// The days after which an entry of a log goes.
    pub log_days: u32,
    /// The days after which the messages of a failed run go.
    pub error_body_days: u32,
    /// The newest failed runs of a flow that are kept.
    pub errors_per_flow: u32,
    /// The newest runs of a flow without an error whose messages are kept.
    pub bodies_per_flow: u32,
}

impl Default for Retention {
    /// Returns what the platform documents, and the 500 of `settled.md`.
    fn default() -> Self {
        Self {
            execution_days: 30,
            log_days: 14,
            error_body_days: 5,
            errors_per_flow: 1_000,
            bodies_per_flow: 500,
        }
    }
}
