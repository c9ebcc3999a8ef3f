//! Lists of flows in pages, sorted, filtered and searched (`v2.md 2.5, 6.4`).

use crate::app::{App, PAGE_MAX};
use crate::domain::Result;
use crate::domain::flow::{Flow, FlowList, FlowQuery};
use crate::domain::organization::Scope;
use crate::domain::page::{Part, Slice};
use crate::domain::principal::Principal;

impl App {
    /// Returns a part of the flows that `who` sees in a list: the one place that says
    /// which those are.
    pub fn flow_part(
        &self,
        who: &Principal,
        query: &FlowQuery,
        slice: Slice,
    ) -> Result<Part<Flow>> {
        let user = who.require_user()?.id;
        let list = match who.scope {
            Scope::Personal => FlowList::Personal(user),
            Scope::Organization(membership) => FlowList::Organization(membership.organization),
        };
        let limit = slice.limit.min(PAGE_MAX);
        self.read(|read| {
            Ok(Part {
                items: read.flow_part(list, query, slice.offset, limit)?,
                total: read.count_flows(list, query)?,
            })
        })
    }
}
