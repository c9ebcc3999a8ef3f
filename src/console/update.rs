//! What happens changes the model, and says what is to be done. No I/O is here.

use ratatui::crossterm::event::{KeyEvent, MouseButton, MouseEventKind};
use ratatui::layout::Position;

use super::ask::Answer;
use super::confirm;
use super::deed::{Deed, Done};
use super::keys::Action;
use super::menu::{self, MenuItem};
use super::message::Level;
use super::model::Model;
use super::msg::{Cmd, Msg};
use super::overlay::{Filter, Overlay, Secret, Step};
use super::screen::{Effect, Reason, Screen};
use super::terminal::{COPY_MAX_BYTES, COPY_SURE_BYTES};
use super::text::{TimeStyle, bytes};
use super::view_name::ViewName;
use super::{execution, palette, peek, table};
use crate::console::input::Input;
use crate::domain::listing::{ColumnKind, ListFilter, ListSort};
use crate::domain::{Error, Result};

/// Changes the model by what happened, and returns what is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let mut cmds = heard(model, msg);
    cmds.extend(peek::wanted(model));
    cmds
}

/// Changes the model by what happened.
fn heard(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    match msg {
        Msg::Key(key) => press(model, &key),
        Msg::Paste(text) => {
            let effects = model.overlays.last_mut().map(|over| over.paste(&text));
            let mut cmds = apply(model, effects.unwrap_or_default());
            cmds.extend(find(model));
            cmds
        }
        Msg::Mouse(mouse) => mouse_used(model, mouse.kind, (mouse.column, mouse.row)),
        Msg::Resized(width, height) => {
            model.size = (width, height);
            let body = model.body();
            for page in &mut model.pages {
                page.screen.resize(body);
            }
            vec![Cmd::Redraw]
        }
        Msg::Tick => tick(model),
        Msg::Loaded {
            page,
            turn,
            request_id,
            result,
        } => loaded(model, (page, turn), request_id, result),
        Msg::Peeked { page, result } => {
            peek::take(model, page, result);
            Vec::new()
        }
        Msg::Found { turn, result } => {
            found(model, turn, result);
            Vec::new()
        }
        Msg::Done { request_id, result } => done(model, request_id, result),
        Msg::Copied { what, result } => {
            match result {
                Ok(bytes) => model.say(Level::Good, format!("copied {what}: {bytes} bytes")),
                Err(why) => model.say(Level::Bad, format!("{what} can't be copied: {why}")),
            }
            Vec::new()
        }
        Msg::Continued => vec![Cmd::Redraw],
        Msg::Stop => {
            model.is_over = true;
            Vec::new()
        }
    }
}

/// Loads what a fresh console shows.
pub fn start(model: &mut Model) -> Vec<Cmd> {
    load(model, Reason::Person)
}

/// Asks what the page on top shows.
fn load(model: &mut Model, reason: Reason) -> Vec<Cmd> {
    let asked = model.ask_top(reason);
    asked
        .map(|(page, turn, ask)| Cmd::Load { page, turn, ask })
        .into_iter()
        .collect()
}

/// Does what is due by now.
fn tick(model: &mut Model) -> Vec<Cmd> {
    model.messages.expire(model.mono_ms);
    let is_due =
        !model.is_paused && model.top().asked_ms.is_none() && model.mono_ms >= model.due_ms;
    if is_due {
        load(model, Reason::Time)
    } else {
        Vec::new()
    }
}

/// Takes a key: an overlay has it first, then the screen, then the frame.
fn press(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let is_read_only = model.settings.is_read_only;
    let place = model.top().screen.place();
    let action = place.action(key, is_read_only);
    // Where nothing else works, these must: a person is never locked in.
    if let Some(action @ (Action::QuitNow | Action::Suspend | Action::Redraw)) = action {
        return act(model, action);
    }
    if !model.overlays.is_empty() {
        return press_overlay(model, key);
    }
    model.messages.hide();
    match action {
        Some(action) => act(model, action),
        None => Vec::new(),
    }
}

/// Hands a key to the overlay on top.
fn press_overlay(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(over) = model.overlays.last_mut() else {
        return Vec::new();
    };
    let chosen = match over {
        Overlay::Palette(palette) => palette.chosen().map(str::to_owned),
        _ => None,
    };
    match over.key(key) {
        Step::Stay(effects) => {
            let mut cmds = apply(model, effects);
            cmds.extend(find(model));
            cmds
        }
        Step::Close(effects) => {
            model.overlays.pop();
            if let (Some(label), false) = (chosen, effects.is_empty()) {
                palette::remember(&mut model.recent, &label);
            }
            apply(model, effects)
        }
    }
}

/// Asks for what the palette wants to find.
fn find(model: &mut Model) -> Option<Cmd> {
    let Some(Overlay::Palette(palette)) = model.overlays.last() else {
        return None;
    };
    let (of, text) = palette.wanted()?;
    model.find_turn += 1;
    Some(Cmd::Find {
        turn: model.find_turn,
        of,
        text,
    })
}

/// Does what a key or the palette asks for: the screen first, else the frame.
pub fn act(model: &mut Model, action: Action) -> Vec<Cmd> {
    let scene = model.scene();
    if let Some(effects) = model.top_mut().screen.act(action, &scene) {
        return apply(model, effects);
    }
    match action {
        Action::Back => back(model),
        Action::Quit if model.pages.len() > 1 => back(model),
        Action::Quit if model.pending > 0 => {
            model.overlays.push(Overlay::Quit);
            Vec::new()
        }
        Action::Quit | Action::QuitNow => {
            model.is_over = true;
            Vec::new()
        }
        Action::Suspend => vec![Cmd::Suspend],
        Action::Redraw => vec![Cmd::Redraw],
        Action::Help => over(model, Overlay::Help { offset: 0 }),
        Action::Messages => over(model, Overlay::Messages { offset: 0 }),
        Action::Palette => {
            let place = model.top().screen.place();
            let palette = palette::Model::new(place, scene.is_read_only, &model.recent);
            over(model, Overlay::Palette(palette))
        }
        Action::Filter => filter(model),
        Action::Refresh => load(model, Reason::Person),
        Action::Pause => pause(model),
        Action::Times => {
            let times: TimeStyle = model.settings.look.times.next();
            model.settings.look.times = times;
            model.say(Level::Note, format!("times are {}", times.as_str()));
            Vec::new()
        }
        Action::Mouse => mouse_switched(model),
        Action::PreviousView => {
            if model.open_earlier() {
                return load(model, Reason::Person);
            }
            model.say(Level::Note, "there was no view before".to_owned());
            Vec::new()
        }
        Action::View(view) => {
            model.open_view(view, view.lists().first().copied());
            load(model, Reason::Person)
        }
        Action::Undo => undo(model),
        Action::Follow => follow(model),
        Action::Maintenance => maintenance(model, true),
        Action::EndMaintenance => maintenance(model, false),
        _ => Vec::new(),
    }
}

/// Puts something over the screen.
fn over(model: &mut Model, overlay: Overlay) -> Vec<Cmd> {
    model.overlays.push(overlay);
    Vec::new()
}

/// Goes one page back.
fn back(model: &mut Model) -> Vec<Cmd> {
    if model.pages.len() < 2 {
        return Vec::new();
    }
    model.pages.pop();
    let body = model.body();
    model.top_mut().screen.resize(body);
    load(model, Reason::Time)
}

/// Opens the filter of a list, or the search of a value.
fn filter(model: &mut Model) -> Vec<Cmd> {
    let before = match &mut model.top_mut().screen {
        Screen::Task(task) => task.search().to_owned(),
        Screen::Execution(execution) => execution.search().to_owned(),
        other => match other.table_mut() {
            Some(table) => table.filter().to_owned(),
            None => return Vec::new(),
        },
    };
    let input = Input::of(&before);
    over(model, Overlay::Filter(Filter { input, before }))
}

/// Stops loading by itself, or goes on.
fn pause(model: &mut Model) -> Vec<Cmd> {
    model.is_paused = !model.is_paused;
    let told = if model.is_paused {
        "paused: p goes on, r loads once"
    } else {
        "live again"
    };
    model.say(Level::Note, told.to_owned());
    Vec::new()
}

/// Uses the mouse, or not, and says so.
fn mouse_switched(model: &mut Model) -> Vec<Cmd> {
    let has_mouse = !model.settings.has_mouse;
    model.settings.has_mouse = has_mouse;
    let told = if has_mouse {
        "the mouse clicks; M gives it back to the terminal, to select text"
    } else {
        "the mouse belongs to the terminal"
    };
    model.say(Level::Note, told.to_owned());
    vec![Cmd::Mouse(has_mouse)]
}

/// Takes back the last act.
fn undo(model: &mut Model) -> Vec<Cmd> {
    let Some(deed) = model.undo.take() else {
        model.say(Level::Note, "there is nothing to take back".to_owned());
        return Vec::new();
    };
    apply(model, vec![Effect::Do(deed)])
}

/// Opens the execution that the last act began.
fn follow(model: &mut Model) -> Vec<Cmd> {
    let Some(id) = model.lead else {
        model.say(Level::Note, "no act began an execution yet".to_owned());
        return Vec::new();
    };
    let screen = Screen::Execution(Box::new(execution::Model::new(id)));
    apply(model, vec![Effect::Open(Box::new(screen))])
}

/// Hands a text on to be copied; of a large one a person is asked first, since many
/// terminals drop it.
fn copy(model: &mut Model, what: String, text: String) -> Option<Cmd> {
    if text.len() <= COPY_SURE_BYTES {
        return Some(Cmd::Copy { what, text });
    }
    let size = bytes(i64::try_from(text.len()).unwrap_or(i64::MAX));
    let title = format!("{what}: {size}");
    let mut items = vec![MenuItem {
        label: "save it to a file".to_owned(),
        effect: Effect::Do(Deed::SaveText {
            what: what.clone(),
            text: text.clone(),
        }),
    }];
    if text.len() <= COPY_MAX_BYTES {
        items.push(MenuItem {
            label: "copy it all the same: many terminals drop more than 75 kB".to_owned(),
            effect: Effect::CopyLarge { what, text },
        });
    }
    let menu = menu::Model::new(title, items);
    model.overlays.push(Overlay::Menu(menu));
    None
}

/// Asks whether maintenance is to begin, or to end.
fn maintenance(model: &mut Model, is_on: bool) -> Vec<Cmd> {
    let deed = Deed::Maintenance(is_on);
    let question = if is_on {
        confirm::Model::new("Answer every API call with 503?", deed)
            .line("Tasks go on running; callers of the API are told to come back later.")
    } else {
        confirm::Model::new("Answer calls of the API again?", deed)
            .line("Maintenance ends for every server over this file.")
    };
    over(model, Overlay::Confirm(question))
}

/// Does what a screen or an overlay wants.
fn apply(model: &mut Model, effects: Vec<Effect>) -> Vec<Cmd> {
    let mut cmds = Vec::new();
    for effect in effects {
        match effect {
            Effect::Load => cmds.extend(load(model, Reason::Person)),
            Effect::Open(screen) => {
                model.open(*screen);
                cmds.extend(load(model, Reason::Person));
            }
            Effect::OpenList { of, filter } => {
                let table = table::Model::narrowed(of, &filter, model.now_ms);
                model.open(Screen::Table(Box::new(table)));
                cmds.extend(load(model, Reason::Person));
            }
            Effect::Tab(list) => {
                model.open_view(ViewName::of(list).0, Some(list));
                cmds.extend(load(model, Reason::Person));
            }
            Effect::TabOf(view, list) => {
                model.open_view(view, Some(list));
                cmds.extend(load(model, Reason::Person));
            }
            Effect::View(view) => cmds.extend(act(model, Action::View(view))),
            Effect::Show(overlay) => model.overlays.push(*overlay),
            Effect::Do(deed) => {
                if model.settings.is_read_only && deed.writes() {
                    model.say(
                        Level::Bad,
                        "the file is only looked at: nothing was changed".to_owned(),
                    );
                    continue;
                }
                model.pending += 1;
                cmds.push(Cmd::Do(deed));
            }
            Effect::Copy { what, text } => cmds.extend(copy(model, what, text)),
            Effect::CopyLarge { what, text } => cmds.push(Cmd::Copy { what, text }),
            Effect::CopySecret { what, text } => cmds.push(Cmd::CopySecret { what, text }),
            Effect::Say(level, text) => model.say(level, text),
            Effect::Act(action) => cmds.extend(act(model, action)),
            Effect::SortBy(column) => cmds.extend(sort_by(model, column)),
            Effect::FilterBy(typed) => cmds.extend(filter_by(model, &typed)),
            Effect::Back => cmds.extend(back(model)),
        }
    }
    cmds
}

/// Sorts the list on top by a column; times and numbers from the largest on.
fn sort_by(model: &mut Model, column: usize) -> Vec<Cmd> {
    let Some(table) = model.top_mut().screen.table_mut() else {
        return Vec::new();
    };
    let kind = table.of().columns().get(column).map(|column| column.kind);
    let descending = matches!(
        kind,
        Some(ColumnKind::Bytes | ColumnKind::Duration | ColumnKind::Number | ColumnKind::Time)
    );
    table.set_sort(ListSort { column, descending });
    load(model, Reason::Person)
}

/// Narrows the list on top by what is typed, or looks for it in a value.
fn filter_by(model: &mut Model, typed: &str) -> Vec<Cmd> {
    let now_ms = model.now_ms;
    let is_changed = match &mut model.top_mut().screen {
        Screen::Task(task) => {
            task.find(typed);
            false
        }
        Screen::Execution(execution) => {
            execution.find(typed);
            false
        }
        other => other
            .table_mut()
            .is_some_and(|table| table.set_filter(typed, now_ms)),
    };
    if is_changed {
        load(model, Reason::Person)
    } else {
        Vec::new()
    }
}

/// Takes what a page asked for.
fn loaded(
    model: &mut Model,
    (id, turn): (u64, u64),
    request_id: String,
    result: Result<Answer>,
) -> Vec<Cmd> {
    let pages = model.pages.iter_mut().chain(&mut model.earlier);
    let Some(page) = pages
        .into_iter()
        .find(|page| page.id == id && page.turn == turn)
    else {
        return Vec::new();
    };
    let asked_ms = page.asked_ms.take();
    let effects = match result {
        Ok(answer) => {
            page.screen.take(answer);
            let effects = page.screen.arrived();
            model.failures = 0;
            model.loaded_at_ms = Some(model.now_ms);
            effects
        }
        Err(error) => {
            model.failures = model.failures.saturating_add(1);
            // The same fault every two seconds would hide all other messages.
            if model.failures == 1 {
                model.say_error(told(&error), &error, request_id);
            }
            Vec::new()
        }
    };
    let took_ms = asked_ms.map_or(0, |asked_ms| model.mono_ms.saturating_sub(asked_ms));
    model.took_ms = took_ms;
    model.due_ms = model.mono_ms + model.rest_ms(took_ms);
    apply(model, effects)
}

/// Takes what the palette asked for.
fn found(model: &mut Model, turn: u64, result: Result<Answer>) {
    if turn != model.find_turn {
        return;
    }
    if let (Some(Overlay::Palette(palette)), Ok(Answer::Found(rows))) =
        (model.overlays.last_mut(), result)
    {
        palette.take(rows);
    }
}

/// Hears how a deed ended.
fn done(model: &mut Model, request_id: String, result: Result<Done>) -> Vec<Cmd> {
    model.pending = model.pending.saturating_sub(1);
    let form = model.overlays.iter().position(Overlay::is_sent);
    match result {
        Ok(done) => {
            if let Some(at) = form {
                model.overlays.remove(at);
            }
            let hint = match (&done.undo, done.leads_to) {
                (_, Some(_)) => " (. opens it)",
                (Some(_), None) => " (u takes it back)",
                (None, None) => "",
            };
            model.say_done(format!("{}{hint}", done.told), request_id);
            model.undo = done.undo;
            model.lead = done.leads_to.or(model.lead);
            if let Some(secret) = done.secret {
                model.overlays.push(Overlay::Secret(Secret {
                    title: secret.title,
                    text: secret.text,
                }));
            }
            load(model, Reason::Person)
        }
        Err(error) => {
            if let Some(form) = form.and_then(|at| model.overlays.get_mut(at)) {
                form.refuse(&error);
            }
            model.say_error(told(&error), &error, request_id);
            Vec::new()
        }
    }
}

/// Returns an error in one line, with every field at fault.
fn told(error: &Error) -> String {
    let fields: Vec<String> = error
        .fields()
        .iter()
        .map(|fault| format!("{}: {}", fault.field, fault.message))
        .collect();
    if fields.is_empty() {
        error.message().to_owned()
    } else {
        fields.join("; ")
    }
}

/// Takes the mouse: the wheel moves, a click goes to a row, one on it opens it.
fn mouse_used(model: &mut Model, kind: MouseEventKind, at: (u16, u16)) -> Vec<Cmd> {
    if !model.settings.has_mouse || !model.overlays.is_empty() {
        return Vec::new();
    }
    match kind {
        MouseEventKind::ScrollDown => act(model, Action::Down),
        MouseEventKind::ScrollUp => act(model, Action::Up),
        MouseEventKind::Down(MouseButton::Left) => {
            let body = model.body();
            if !body.contains(Position::from(at)) {
                return Vec::new();
            }
            let scene = model.scene();
            let effects = model.top_mut().screen.click(&scene, body, at);
            apply(model, effects)
        }
        _ => Vec::new(),
    }
}

/// Opens what the command line asked for; an error names the argument at fault.
pub fn go_to(model: &mut Model, view: Option<&str>, filter: Option<&str>) -> Result<()> {
    let list = match view {
        None => None,
        Some(word) => {
            let (name, tab) = ViewName::parse(word)
                .ok_or_else(|| Error::invalid("--view", unknown_view(word)))?;
            name.lists().get(tab).map(|list| (name, *list))
        }
    };
    if let Some((name, list)) = list {
        model.open_view(name, Some(list));
        model.earlier.clear();
    }
    let Some(filter) = filter else {
        return Ok(());
    };
    let now_ms = model.now_ms;
    let Screen::Table(table) = &mut model.top_mut().screen else {
        return Err(Error::invalid("--filter", "needs a --view that is a list"));
    };
    ListFilter::parse(filter, table.of(), now_ms)?;
    table.set_filter(filter, now_ms);
    Ok(())
}

/// Says what views there are.
fn unknown_view(word: &str) -> String {
    let lists = crate::domain::listing::ListOf::ALL;
    let words: Vec<&str> = lists.iter().map(|list| list.as_str()).collect();
    format!("`{word}` is not there: dashboard, {}", words.join(", "))
}
