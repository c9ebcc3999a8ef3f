//! The author's JavaScript: one run of one message, in a sandbox of its own.

/// What one run of a script may use.
#[derive(Clone, Debug)]
pub struct ScriptLimits {
    /// How long a run may take, in milliseconds.
    pub time_ms: u64,
    /// How much memory the script's values may take together, in bytes.
    pub memory_bytes: usize,
}
