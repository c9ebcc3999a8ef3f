//! Empty states: why there is nothing to see, and what to do next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::Look;
use super::text;
use crate::domain::listing::ListOf;

/// Returns why a list may be empty, and what fills it.
pub(super) fn reason(of: ListOf, is_read_only: bool) -> &'static str {
    match of {
        ListOf::Users => "No users yet. `elastane user add` makes one.",
        ListOf::Teams => "No teams yet. A user makes one with POST /v2/teams.",
        ListOf::Flows if is_read_only => "No tasks.",
        ListOf::Flows => {
            "No tasks yet. Activate a recipe (press 6), send one with POST /v2/flows, or look at `elastane demo`."
        }
        ListOf::Executions => {
            "No executions yet. A task runs when its time comes, when its webhook is called, or when somebody runs it now."
        }
        ListOf::Recipes => "No recipes. `elastane recipe import` brings them in.",
        ListOf::Components => "No components. `elastane serve` renews the built-in ones.",
        ListOf::SshKeys => "No SSH keys yet. A user adds one with POST /v2/sshkeys.",
        ListOf::ApiKeys => "No API keys yet. `elastane key create` makes one.",
        ListOf::Credentials => "No credentials yet. A task needs one where it signs in elsewhere.",
        ListOf::Audit => "Nothing has been done yet.",
        ListOf::Organizations => "No organizations yet. `elastane organization create` makes one.",
        ListOf::Lookups => "No lookups yet. A user makes one with POST /v2/lookups.",
    }
}

/// Draws such a text at the upper left, wrapped.
pub(super) fn draw(look: &Look, buffer: &mut Buffer, area: Rect, text: &str) {
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    for (line, text) in text::wrap(text, room).iter().enumerate() {
        let line = u16::try_from(line).unwrap_or(u16::MAX).saturating_add(1);
        let (x, y) = (area.x.saturating_add(2), area.y.saturating_add(line));
        if y >= area.bottom() || x >= area.right() {
            return;
        }
        buffer.set_stringn(x, y, look.clean(text), room, look.styles().text);
    }
}
