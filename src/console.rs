//! The admin console: users, teams, tasks and their runs on a terminal, live.
//!
//! It opens the database itself, through [`App`](crate::app::App), so it works beside a
//! running server, without one, and on a copied file.
//!
//! # Shape
//!
//! ```text
//! terminal ─┐                    ┌─ worker: has the App, answers
//! worker  ──┼─ Msg ─→ update ─ Cmd
//! signals ──┤           │        └─ the loop: copies, suspends, mouse
//! time ─────┘         Model ─→ view ─→ frame
//! ```
//!
//! [`model::Model`] is plain data. [`update::update`] changes it and does no I/O: what is
//! to be done it returns as [`msg::Cmd`], which is data too. [`worker`] performs it on a
//! thread of its own and answers with [`msg::Msg`]. [`view::view`] draws the model and
//! changes nothing. So keys can be tested without a terminal, and screens without keys.
//!
//! Pages lie on top of each other ([`model::Page`]), each with a [`screen::Screen`]. Over
//! them lies a stack of [`overlay::Overlay`]s, the last of which has the keys.
//!
//! # How a screen is added
//!
//! 1. A file of its own with a `Model`: `crumb`, `ask`, `take`, `act`, `resize`, `view`, as
//!    [`detail`] has them. No trait: [`screen::Screen`] has a variant for it, and a line in
//!    each of its functions.
//! 2. What it shows: a variant of [`ask::Ask`] and of [`ask::Answer`], with the verb of
//!    `app` in [`ask::Ask::perform`].
//! 3. Its keys: a table beside the others in [`keys`], named by a [`keys::Place`]; the last
//!    line, the help and the palette come from it. Keys that change something are
//!    `.writing()`, and are not there in a file that is only looked at.
//! 4. What it changes: a variant of [`deed::Deed`] with the verb in
//!    [`deed::Deed::perform`]. `act` never does it: it returns [`screen::Effect::Show`]
//!    with a [`confirm`] or a [`form`], which end in [`screen::Effect::Do`]. What was done
//!    is said in the status line; [`deed::Done`] also carries a secret that is shown once,
//!    and the deed that takes it back. What can be done with a row of a list, open or not,
//!    goes through [`on_row`], for one row or for all that are marked.
//! 5. Opening it: a line in [`screen::Screen::of_row`] for the rows of its list.
//! 6. Snapshots at 80x24 and 120x40, and tests of `act`, in `tests/console/`.

mod access;
pub mod ask;
pub mod chart;
pub mod confirm;
pub mod dashboard;
pub mod deed;
pub mod detail;
pub mod editor;
mod empty;
pub mod execution;
pub mod form;
mod fuzzy;
pub mod input;
pub mod json_view;
pub mod keys;
pub mod look;
pub mod menu;
pub mod message;
pub mod model;
pub mod msg;
pub mod on_row;
pub mod overlay;
pub mod palette;
mod pane;
pub mod peek;
pub mod recipe;
pub mod run;
pub mod screen;
pub mod table;
pub mod task;
mod teams;
mod terminal;
pub mod text;
pub mod theme;
pub mod update;
mod users;
pub mod view;
pub mod view_name;
pub mod worker;
