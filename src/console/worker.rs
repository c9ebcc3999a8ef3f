//! The thread that has the application: it performs what [`super::update`] wants, and
//! answers with messages.
//!
//! Of loads that wait for one page only the last is done, so a person who types faster
//! than the database answers never waits for what is not wanted any more. Deeds are done
//! in their order, none is dropped.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::ask::Ask;
use super::msg::{Cmd, Msg};
use crate::app::App;
use crate::domain::principal::{Channel, Origin, Principal};
use crate::domain::{Error, Result};

/// Performs commands until nobody sends any more.
pub fn run(app: &App, cmds: &Receiver<Cmd>, msgs: &Sender<Msg>) {
    let who = Principal::operator(Channel::Console);
    let mut waiting: VecDeque<Cmd> = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match cmds.recv() {
                Ok(cmd) => queue(&mut waiting, cmd),
                Err(_) => return,
            }
        }
        while let Ok(cmd) = cmds.try_recv() {
            queue(&mut waiting, cmd);
        }
        let Some(cmd) = waiting.pop_front() else {
            continue;
        };
        let Some(msg) = perform(app, &who, &cmd) else {
            continue;
        };
        if msgs.send(msg).is_err() {
            return;
        }
    }
}

/// Lets a command wait; a load takes the place of an older one of the same page.
pub fn queue(waiting: &mut VecDeque<Cmd>, cmd: Cmd) {
    match &cmd {
        Cmd::Load { page, .. } => {
            waiting.retain(|other| !matches!(other, Cmd::Load { page: same, .. } if same == page));
        }
        Cmd::Peek { .. } => waiting.retain(|other| !matches!(other, Cmd::Peek { .. })),
        Cmd::Find { .. } => waiting.retain(|other| !matches!(other, Cmd::Find { .. })),
        _ => {}
    }
    waiting.push_back(cmd);
}

/// Performs one command, under an id of its own; none where it is not the worker's.
pub fn perform(app: &App, who: &Principal, cmd: &Cmd) -> Option<Msg> {
    let request_id = app.new_request_id();
    let who = &Principal {
        origin: Origin {
            request_id: Some(request_id.clone()),
            ..who.origin.clone()
        },
        ..who.clone()
    };
    Some(match cmd {
        Cmd::Load { page, turn, ask } => Msg::Loaded {
            page: *page,
            turn: *turn,
            result: caught(|| ask.perform(app, who)),
            request_id,
        },
        Cmd::Peek { page, ask } => Msg::Peeked {
            page: *page,
            result: caught(|| ask.perform(app, who)),
        },
        Cmd::Find { turn, of, text } => {
            let ask = Ask::Find {
                of: of.clone(),
                text: text.clone(),
            };
            Msg::Found {
                turn: *turn,
                result: caught(|| ask.perform(app, who)),
            }
        }
        Cmd::Do(deed) => Msg::Done {
            result: caught(|| deed.perform(app, who)),
            request_id,
        },
        Cmd::Copy { .. } | Cmd::CopySecret { .. } | Cmd::Mouse(_) | Cmd::Redraw | Cmd::Suspend => {
            return None;
        }
    })
}

/// Makes an error of a panic: the console goes on, and says so.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::internal("the console's worker panicked")))
}
