//! Lists of flows in pages, sorted, filtered and searched (`v2.md 2.5, 6.4`).
//!
//! A page costs what it shows, however long the list is. Its length is kept by triggers.
//! What stands before a page is not counted again: the place of every thousandth flow is
//! remembered as long as the list does not change, and so is how many a filter lets
//! through. Both are looked up by the list's own count of changes, read in the same
//! transaction as the page, so neither can be stale. The last pages are remembered as they
//! were written, too, with a second count: of what is shown of a flow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::{App, PAGE_MAX};
use crate::domain::Result;
use crate::domain::flow::{FlowKey, FlowList, FlowQuery, ShownFlow};
use crate::domain::id::FlowId;
use crate::domain::organization::Scope;
use crate::domain::page::Slice;
use crate::domain::principal::Principal;
use crate::store::{FlowListState, Read};

/// How many flows lie between two remembered places: the most that a page passes over.
const MARK_EVERY: u32 = 1_000;

/// The most lists, narrowed or not, of which something is remembered: the lists of those
/// who are looking now. The longest takes 12 kB.
const REMEMBERED_MAX: usize = 1_000;

/// Room for a flow on a page, in bytes: one of middle size fits.
const FLOW_BYTES: usize = 1_024;

/// The largest page that is remembered, in bytes of memory: one of 50 flows of middle size
/// fits.
const PAGE_BYTES_MAX: usize = 64 * 1_024;

/// The most pages that are remembered, 4 MB of them: those that are being looked at.
const PAGES_MAX: usize = 64;

/// What is remembered of lists of flows.
#[derive(Default)]
pub(in crate::app) struct FlowLists {
    known: Mutex<HashMap<(FlowList, FlowQuery), Known>>,
    pages: Mutex<HashMap<(FlowList, FlowQuery, Slice), Remembered>>,
}

/// A page of flows as its caller wrote it.
#[derive(Clone, Debug)]
pub struct FlowPage {
    /// What the caller wrote.
    pub text: Arc<Vec<u8>>,
    /// How many flows the whole list has.
    pub total: u64,
}

/// A page and the state of its list that it is true of.
struct Remembered {
    state: FlowListState,
    page: FlowPage,
}

/// What is remembered of one list.
#[derive(Clone, Default)]
struct Known {
    /// The count of changes that it is true of.
    changes: i64,
    /// How many flows are asked for, where that was counted.
    total: Option<u64>,
    /// The ids of every thousandth flow, as far as anybody looked.
    marks: Vec<FlowId>,
}

impl FlowLists {
    /// Returns what is known of a list in this state.
    fn get(&self, key: &(FlowList, FlowQuery), changes: i64) -> Known {
        let held = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held.get(key).filter(|known| known.changes == changes);
        known.cloned().unwrap_or(Known {
            changes,
            ..Known::default()
        })
    }

    /// Remembers what is known of a list.
    fn put(&self, key: (FlowList, FlowQuery), known: Known) {
        let mut held = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= REMEMBERED_MAX && !held.contains_key(&key) {
            held.clear();
        }
        held.insert(key, known);
    }

    /// Returns a page of a list in this state.
    fn page(&self, key: &(FlowList, FlowQuery, Slice), state: FlowListState) -> Option<FlowPage> {
        let held = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.get(key).filter(|found| found.state == state);
        found.map(|found| found.page.clone())
    }

    /// Remembers a page, unless it is too large.
    fn put_page(&self, key: (FlowList, FlowQuery, Slice), state: FlowListState, page: FlowPage) {
        if page.text.capacity() > PAGE_BYTES_MAX {
            return;
        }
        let mut held = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= PAGES_MAX && !held.contains_key(&key) {
            held.clear();
        }
        held.insert(key, Remembered { state, page });
    }
}

impl App {
    /// Writes a part of the flows that `who` sees in a list, one by one: the one place
    /// that says which those are.
    ///
    /// What was written is remembered and given out as long as nothing of the list
    /// changed, so there is one form of pages in a process: that of API v2.
    pub fn flow_part(
        &self,
        who: &Principal,
        query: &FlowQuery,
        slice: Slice,
        mut write: impl FnMut(&mut Vec<u8>, &ShownFlow<'_>),
    ) -> Result<FlowPage> {
        let user = who.require_user()?.id;
        let list = match who.scope {
            Scope::Personal => FlowList::Personal(user),
            Scope::Organization(membership) => FlowList::Organization(membership.organization),
        };
        let limit = slice.limit.min(PAGE_MAX);
        let key = (list, query.clone(), slice);
        self.read(|read| {
            let state = read.flow_list_state(list)?;
            let lists = &self.inner.flow_lists;
            if let Some(page) = lists.page(&key, state) {
                return Ok(page);
            }
            let total = self.flow_total(read, list, query)?;
            let mut text = Vec::with_capacity(limit as usize * FLOW_BYTES);
            if slice.offset >= total {
                return Ok(FlowPage {
                    text: Arc::new(text),
                    total,
                });
            }
            let (after, offset) = if is_by_id(query) {
                self.flow_place(read, list, slice.offset)?
            } else {
                (None, slice.offset)
            };
            read.flow_part(list, query, after, offset, limit, |flow| {
                write(&mut text, flow);
            })?;
            let page = FlowPage {
                text: Arc::new(text),
                total,
            };
            lists.put_page(key, state, page.clone());
            Ok(page)
        })
    }

    /// Returns how many flows of a list are asked for.
    fn flow_total(&self, read: &Read<'_>, list: FlowList, query: &FlowQuery) -> Result<u64> {
        let state = read.flow_list_state(list)?;
        if query.is_everything() {
            return Ok(state.flows);
        }
        let unordered = FlowQuery {
            order: Vec::new(),
            ..query.clone()
        };
        let lists = &self.inner.flow_lists;
        let key = (list, unordered);
        let mut known = lists.get(&key, state.changes);
        if let Some(total) = known.total {
            return Ok(total);
        }
        let total = read.count_flows(list, query)?;
        known.total = Some(total);
        lists.put(key, known);
        Ok(total)
    }

    /// Returns a remembered flow before the place `offset` of a whole list by id, and how
    /// many flows lie between.
    fn flow_place(
        &self,
        read: &Read<'_>,
        list: FlowList,
        offset: u64,
    ) -> Result<(Option<FlowId>, u64)> {
        let wanted = usize::try_from(offset / u64::from(MARK_EVERY)).unwrap_or(usize::MAX);
        if wanted == 0 {
            return Ok((None, offset));
        }
        let lists = &self.inner.flow_lists;
        let key = (list, FlowQuery::default());
        let mut known = lists.get(&key, read.flow_list_state(list)?.changes);
        let had = known.marks.len();
        while known.marks.len() < wanted {
            let before = known.marks.last().copied();
            match read.flow_mark(list, before, MARK_EVERY)? {
                Some(mark) => known.marks.push(mark),
                None => break,
            }
        }
        let marks = known.marks.len().min(wanted);
        let after = marks.checked_sub(1).map(|last| known.marks[last]);
        if known.marks.len() > had {
            lists.put(key, known);
        }
        let passed = marks as u64 * u64::from(MARK_EVERY);
        Ok((after, offset - passed))
    }
}

/// Tells whether a query asks for a whole list by id.
fn is_by_id(query: &FlowQuery) -> bool {
    let first = query.order.first();
    query.is_everything()
        && first.is_none_or(|first| first.key == FlowKey::CreatedAt && !first.is_descending)
}
