//! Lists that are answered whole: read page by page, so that no single read holds a
//! snapshot of the database for long.

use crate::app::PAGE_MAX;
use crate::domain::Result;

/// Reads all pages of a list: `page` gets the last item that was read and the size of a
/// page. What bounds the list is the rule of its resource.
pub fn every<T>(mut page: impl FnMut(Option<&T>, u32) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    loop {
        let next = page(all.last(), PAGE_MAX)?;
        let is_last = next.len() < PAGE_MAX as usize;
        all.extend(next);
        if is_last {
            return Ok(all);
        }
    }
}
