//! Knows whether a thread is inside a transaction, so that it cannot wait for itself.
//!
//! A write from inside a write job would wait for the writer, which is the thread
//! that waits. A read inside a read would take a second place of the pool, and with
//! all places taken so, none is ever given back. Both are faults of ours; they are
//! refused at once, always, and not only under load.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::error::{Error, Result};

thread_local! {
    static STORES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The mark of one store on the threads that are inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Mark(u64);

impl Mark {
    /// Returns a mark that no other store of this process has.
    pub(in crate::store) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Refuses if this thread is inside a transaction of the same store.
    pub(in crate::store) fn refuse_nesting(self) -> Result<()> {
        if STORES.with_borrow(|stores| stores.contains(&self.0)) {
            return Err(Error::internal(
                "a transaction was begun inside a transaction of the same store",
            ));
        }
        Ok(())
    }

    /// Marks this thread until the result is dropped.
    pub(in crate::store) fn enter(self) -> Inside {
        STORES.with_borrow_mut(|stores| stores.push(self.0));
        Inside {
            mark: self,
            here: PhantomData,
        }
    }
}

/// A thread's stay inside a store; dropped on the same thread.
pub(in crate::store) struct Inside {
    mark: Mark,
    here: PhantomData<*const ()>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        STORES.with_borrow_mut(|stores| {
            if let Some(at) = stores.iter().rposition(|store| *store == self.mark.0) {
                stores.remove(at);
            }
        });
    }
}
