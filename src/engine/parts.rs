//! Decoded parts of runs, kept for a while: the next messages of a part are mostly
//! wanted soon after the first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::app::run::PartData;

/// The parts that are kept: one for each worker, and some more.
const PARTS_KEPT: usize = 32;

/// The messages that are kept in all: a burst of this many is decoded once.
const MESSAGES_KEPT: usize = 200_000;

/// What the parts that are kept have in all, as JSON; in memory that is a few times as
/// much. One part is kept whatever its size, since its next message is wanted soon.
const BYTES_KEPT: u64 = 32 * 1024 * 1024;

/// The cache.
pub(super) struct Parts {
    app: App,
    kept: Mutex<VecDeque<Kept>>,
}

/// A part that is kept.
struct Kept {
    execution: i64,
    part: u32,
    data: Arc<PartData>,
}

impl Parts {
    /// Makes an empty cache over an application.
    pub(super) fn new(app: App) -> Self {
        Self {
            app,
            kept: Mutex::new(VecDeque::new()),
        }
    }

    /// Returns a part; none where it can't be read, which is logged.
    pub(super) fn get(&self, execution: i64, part: u32) -> Option<Arc<PartData>> {
        let found = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|kept| kept.execution == execution && kept.part == part)
            .map(|kept| Arc::clone(&kept.data));
        if found.is_some() {
            return found;
        }
        match self.app.run_part(execution, part) {
            Ok(data) => {
                let data = Arc::new(data);
                self.keep(execution, part, Arc::clone(&data));
                Some(data)
            }
            Err(error) => {
                tracing::error!(causes = %error.causes(), "can't read a part of a run: {error}");
                None
            }
        }
    }

    /// Keeps a part.
    pub(super) fn keep(&self, execution: i64, part: u32, data: Arc<PartData>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(Kept {
            execution,
            part,
            data,
        });
        let mut bytes: u64 = kept.iter().map(|it| it.data.bytes).sum();
        let mut messages: usize = kept.iter().map(|it| it.data.messages.len()).sum();
        let is_too_much = |messages, bytes| messages > MESSAGES_KEPT || bytes > BYTES_KEPT;
        while kept.len() > PARTS_KEPT || (kept.len() > 1 && is_too_much(messages, bytes)) {
            if let Some(oldest) = kept.pop_front() {
                bytes -= oldest.data.bytes;
                messages -= oldest.data.messages.len();
            }
        }
    }
}
