//! What keys and clicks do in a list.

use ratatui::layout::Rect;

use super::related::{curl, name_of, related_to};
use super::{Model, Reach, row_json};
use crate::console::keys::Action;
use crate::console::menu::{self, MenuItem};
use crate::console::message::Level;
use crate::console::overlay::Overlay;
use crate::console::screen::{Effect, Scene, Screen};
use crate::console::text;
use crate::domain::listing::{ListAt, ListSort};

/// The line of the body with the first row, behind the box and the titles.
const FIRST_ROW_LINE: u16 = 2;

impl Model {
    /// Does what a key asks for; none where a list knows nothing of it.
    pub fn act(&mut self, action: Action, scene: &Scene) -> Option<Vec<Effect>> {
        let effects = match action {
            Action::Down => self.move_down(1),
            Action::Up => self.move_up(1),
            Action::PageDown => self.move_down((self.height / 2).max(1)),
            Action::PageUp => self.move_up((self.height / 2).max(1)),
            Action::Top => self.go_to_start(),
            Action::Bottom => self.go_to_end(),
            Action::Open => self.open(),
            Action::Related => self.related(),
            Action::Sort => vec![self.sort_menu()],
            Action::Reverse => {
                let descending = !self.sort.descending;
                self.set_sort(ListSort {
                    descending,
                    ..self.sort
                });
                vec![Effect::Load]
            }
            Action::Mark => {
                self.mark();
                self.move_down(1)
            }
            Action::NextFound => self.go_to_marked(true),
            Action::PreviousFound => self.go_to_marked(false),
            Action::NextPane => self.tab(1),
            Action::PreviousPane => self.tab(-1),
            Action::Copy => self.copy_id(),
            Action::CopyJson => self.copy_json(),
            Action::CopyCurl => self.copy_curl(),
            Action::Refresh => {
                if self.show_newer() {
                    Vec::new()
                } else {
                    self.reach = Reach::Anew;
                    vec![Effect::Load]
                }
            }
            Action::Back if !self.marks.is_empty() => {
                self.marks.clear();
                Vec::new()
            }
            Action::Back if self.fault.is_some() => {
                self.fault = None;
                Vec::new()
            }
            Action::Back if !self.filter.is_empty() && !self.is_narrowed_for_good => {
                self.set_filter("", scene.now_ms);
                vec![Effect::Load]
            }
            _ => return None,
        };
        Some(effects)
    }

    /// Moves the cursor down; loads what lies behind the last row.
    fn move_down(&mut self, by: usize) -> Vec<Effect> {
        if self.cursor + by >= self.len() && self.after().is_some() {
            self.reach = if self.is_stopped() {
                Reach::On(by)
            } else {
                Reach::Down(by)
            };
            return vec![Effect::Load];
        }
        self.cursor += by;
        self.settle();
        Vec::new()
    }

    /// Moves the cursor up; loads what lies before the first row.
    fn move_up(&mut self, by: usize) -> Vec<Effect> {
        if by > self.cursor && self.before().is_some() {
            self.reach = Reach::Up(by);
            return vec![Effect::Load];
        }
        self.cursor = self.cursor.saturating_sub(by);
        self.settle();
        Vec::new()
    }

    /// Goes to the first row of the list.
    fn go_to_start(&mut self) -> Vec<Effect> {
        self.cursor = 0;
        self.offset = 0;
        if self.before().is_none() {
            self.settle();
            return Vec::new();
        }
        self.selected = None;
        self.restart();
        self.parts.clear();
        vec![Effect::Load]
    }

    /// Goes to the last row of the list.
    fn go_to_end(&mut self) -> Vec<Effect> {
        if self.after().is_none() {
            self.cursor = self.len();
            self.settle();
            return Vec::new();
        }
        self.selected = None;
        self.restart();
        self.parts.clear();
        self.at = ListAt::End;
        vec![Effect::Load]
    }

    /// Opens the row under the cursor.
    fn open(&self) -> Vec<Effect> {
        let Some(row) = self.selected() else {
            return Vec::new();
        };
        vec![Effect::Open(Box::new(Screen::of_row(self.of, row.clone())))]
    }

    /// Offers what belongs to the row.
    fn related(&self) -> Vec<Effect> {
        let Some(row) = self.selected() else {
            return Vec::new();
        };
        let title = format!("Of {}", name_of(self.of, row));
        vec![menu::offer(title, related_to(self.of, row))]
    }

    /// Offers the columns to sort by.
    fn sort_menu(&self) -> Effect {
        let columns = self.of.columns().iter().enumerate();
        let items = columns
            .filter(|(_, column)| column.sortable)
            .map(|(at, column)| MenuItem {
                label: column.key.replace('_', " "),
                effect: Effect::SortBy(at),
            });
        let mut menu = menu::Model::new("Sort by", items.collect());
        menu.choose(|item| matches!(item.effect, Effect::SortBy(at) if at == self.sort.column));
        Effect::Show(Box::new(Overlay::Menu(menu)))
    }

    /// Marks the row, or takes its mark away.
    fn mark(&mut self) {
        let Some(id) = self.selected().map(|row| row.id.clone()) else {
            return;
        };
        if !self.marks.remove(&id) {
            self.marks.insert(id);
        }
    }

    /// Goes to the next marked row, or the one before, round the end.
    fn go_to_marked(&mut self, is_forward: bool) -> Vec<Effect> {
        let marked: Vec<usize> = self
            .rows()
            .enumerate()
            .filter(|(_, row)| self.marks.contains(&row.id))
            .map(|(at, _)| at)
            .collect();
        let next = if is_forward {
            let behind = marked.iter().find(|at| **at > self.cursor);
            behind.or(marked.first())
        } else {
            let before = marked.iter().rev().find(|at| **at < self.cursor);
            before.or(marked.last())
        };
        let Some(next) = next else {
            return vec![Effect::Say(
                Level::Note,
                "no row is marked: space marks one".to_owned(),
            )];
        };
        self.cursor = *next;
        self.settle();
        Vec::new()
    }

    /// Goes to a list beside this one in the same view.
    fn tab(&self, step: isize) -> Vec<Effect> {
        if self.is_narrowed_for_good {
            return Vec::new();
        }
        let lists = self.view_name().lists();
        let at = lists.iter().position(|list| *list == self.of).unwrap_or(0);
        let count = lists.len().cast_signed();
        let next = (at.cast_signed() + step).rem_euclid(count.max(1));
        match lists.get(next.unsigned_abs()) {
            Some(list) if *list != self.of => vec![Effect::TabOf(self.view, *list)],
            _ => Vec::new(),
        }
    }

    /// Copies the id, or the ids of all marked rows.
    fn copy_id(&self) -> Vec<Effect> {
        if !self.marks.is_empty() {
            let ids: Vec<&str> = self.marks.iter().map(String::as_str).collect();
            return vec![Effect::Copy {
                what: format!("{} ids", ids.len()),
                text: ids.join("\n"),
            }];
        }
        let row = self.selected();
        row.map_or_else(Vec::new, |row| {
            vec![Effect::Copy {
                what: "the id".to_owned(),
                text: row.id.clone(),
            }]
        })
    }

    /// Copies the row as JSON.
    fn copy_json(&self) -> Vec<Effect> {
        let row = self.selected();
        row.map_or_else(Vec::new, |row| {
            vec![Effect::Copy {
                what: "the row as JSON".to_owned(),
                text: row_json(self.of, row).to_string(),
            }]
        })
    }

    /// Copies the call of the API that shows the object.
    fn copy_curl(&self) -> Vec<Effect> {
        let Some(row) = self.selected() else {
            return Vec::new();
        };
        match curl(self.of, &row.id) {
            Some(text) => vec![Effect::Copy {
                what: "the call".to_owned(),
                text,
            }],
            None => vec![Effect::Say(
                Level::Note,
                "the API does not show this".to_owned(),
            )],
        }
    }

    /// Goes to the list whose name in the title is at a column.
    fn click_tab(&self, body: Rect, column: u16) -> Vec<Effect> {
        let lists = self.view_name().lists();
        if lists.len() < 2 || self.is_narrowed_for_good {
            return Vec::new();
        }
        // Behind the corner and a blank; the name of the open one is in brackets, between
        // names are two blanks.
        let mut end = body.x + 1;
        let at = lists.iter().position(|list| {
            let brackets = if *list == self.of { 2 } else { 0 };
            let width = text::width(self.view.title_of(*list)) + 2 + brackets;
            end = end.saturating_add(u16::try_from(width).unwrap_or(u16::MAX));
            column < end
        });
        let list = at
            .and_then(|at| lists.get(at))
            .filter(|list| **list != self.of);
        list.map_or_else(Vec::new, |list| vec![Effect::TabOf(self.view, *list)])
    }

    /// Takes a click: on a row it goes there, on the row under the cursor it opens, on the
    /// name of a tab it goes to that.
    pub fn click(&mut self, body: Rect, (column, line): (u16, u16)) -> Vec<Effect> {
        let (body, panes) = self.areas(body);
        if panes.is_some_and(|panes| line >= panes.y) {
            return Vec::new();
        }
        if line == body.y {
            return self.click_tab(body, column);
        }
        let Some(row) = line.checked_sub(body.y + FIRST_ROW_LINE) else {
            return Vec::new();
        };
        let at = self.offset + usize::from(row);
        if usize::from(row) >= self.height || at >= self.len() {
            return Vec::new();
        }
        if at == self.cursor {
            return self.open();
        }
        self.cursor = at;
        self.settle();
        Vec::new()
    }
}
