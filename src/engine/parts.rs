//! Decoded parts of runs, kept for a while: the next messages of a part are mostly
//! wanted soon after the first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::App;
use crate::app::run::PartData;
use crate::domain::Result;

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
    kept: Mutex<Shelf>,
}

impl Parts {
    /// Makes an empty cache over an application.
    pub(super) fn new(app: App) -> Self {
        Self {
            app,
            kept: Mutex::new(Shelf::default()),
        }
    }

    /// Returns a part; an empty one where it is gone.
    pub(super) fn get(&self, execution: i64, part: u32) -> Result<Arc<PartData>> {
        let found = self.shelf().find(execution, part);
        if let Some(data) = found {
            return Ok(data);
        }
        let data = Arc::new(self.app.run_part(execution, part)?);
        self.keep(execution, part, Arc::clone(&data));
        Ok(data)
    }

    /// Keeps a part.
    pub(super) fn keep(&self, execution: i64, part: u32, data: Arc<PartData>) {
        self.shelf().put(execution, part, data);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parts that are kept, oldest first.
#[derive(Default)]
struct Shelf(VecDeque<Kept>);

/// A part that is kept.
struct Kept {
    execution: i64,
    part: u32,
    data: Arc<PartData>,
}

impl Shelf {
    /// Returns a part that is kept.
    fn find(&self, execution: i64, part: u32) -> Option<Arc<PartData>> {
        self.0
            .iter()
            .find(|kept| kept.execution == execution && kept.part == part)
            .map(|kept| Arc::clone(&kept.data))
    }

    /// Adds a part, and lets the oldest ones go that are too many or too large.
    fn put(&mut self, execution: i64, part: u32, data: Arc<PartData>) {
        let kept = &mut self.0;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns which of the first so many runs are kept, after each had a part of `bytes`.
    fn kept_of(runs: i64, bytes: u64) -> Vec<i64> {
        let mut shelf = Shelf::default();
        for run in 0..runs {
            let data = PartData {
                bytes,
                ..PartData::default()
            };
            shelf.put(run, 0, Arc::new(data));
        }
        let is_kept = |run: &i64| shelf.find(*run, 0).is_some();
        (0..runs).filter(is_kept).collect()
    }

    #[test]
    fn large_parts_leave_room_for_fewer_and_one_is_kept_whatever_its_size() {
        assert_eq!(kept_of(40, 1_000).len(), PARTS_KEPT);
        assert_eq!(kept_of(40, BYTES_KEPT / 4), [36, 37, 38, 39]);
        assert_eq!(kept_of(40, BYTES_KEPT / 4 + 1), [37, 38, 39]);
        assert_eq!(kept_of(3, BYTES_KEPT * 2), [2]);
    }
}
