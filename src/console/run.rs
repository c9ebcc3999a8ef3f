//! The loop: it waits for keys, for the worker, for signals and for the time, changes the
//! model, and draws once for all that came together.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, select, unbounded};
use ratatui::Terminal;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::crossterm::event::{self, Event};
use ratatui::layout::{Position, Rect};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::model::{Model, Settings};
use super::msg::{Cmd, Msg};
use super::terminal::{self, Guard, Screen};
use super::update::{self, update};
use super::view::view;
use super::worker;
use crate::app::App;
use crate::clock::{Clock, monotonic_ms};
use crate::domain::principal::{Channel, Principal};
use crate::domain::{Error, Kind, Result};
use crate::thread;

/// Keys that may wait: more than a person or a paste sends while a frame is drawn.
const EVENTS_MAX: usize = 1_024;

/// The most that is taken before a frame is drawn, so that a held key is seen to move.
const BATCH_MAX: usize = 64;

/// A frame is drawn at least so often: where the terminal is gone without a signal, drawing
/// fails and ends the console, which would otherwise read from nothing for ever.
const ALIVE_MS: u64 = 10_000;

/// The rounds of asking that one frame without a terminal takes; screens ask once or twice.
const ONCE_ROUNDS_MAX: usize = 8;

/// What the console is to show first.
#[derive(Clone, Debug, Default)]
pub struct First {
    /// The view.
    pub view: Option<String>,
    /// The filter of its list.
    pub filter: Option<String>,
}

/// Runs the console on the terminal of the process until it is ended.
///
/// Without a terminal nothing is done, and the error says what does the same without one.
pub fn run(app: &App, settings: Settings, first: &First) -> Result<()> {
    if !Guard::is_there() {
        return Err(Error::new(Kind::Invalid, "the console needs a terminal"));
    }
    let clock = Clock::system();
    let mut model = Model::new(settings, (0, 0), clock.now_ms(), monotonic_ms());
    update::go_to(&mut model, first.view.as_deref(), first.filter.as_deref())?;
    let (events_in, events) = bounded(EVENTS_MAX);
    let (cmds, cmds_out) = unbounded();
    let (answers_in, answers) = unbounded();
    let (signals_in, signals) = unbounded();
    let caught =
        Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT]).map_err(Error::internal)?;
    let handle = caught.handle();
    spawn("console-signals", move || hear_signals(caught, &signals_in))?;
    let working = app.clone();
    let worker = spawn("console-worker", move || {
        worker::run(&working, &cmds_out, &answers_in);
    })?;
    let guard = Guard::take(model.settings.has_mouse).map_err(told)?;
    spawn("console-keys", move || read_events(&events_in))?;
    let screen = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(told)?;
    let mut console = Console {
        model,
        clock,
        screen,
        guard,
        cmds,
    };
    let ended = console.run(&events, &answers, &signals);
    drop(console);
    handle.close();
    // The worker ends what it does: a deed is not left half told.
    drop(worker.join());
    ended.map_err(told)
}

/// Starts a thread of the console.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>> {
    thread::spawn(name, None, body).map_err(Error::internal)
}

/// Makes an error of what the terminal did not do.
fn told(error: io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("the terminal failed: {error}")).caused_by(error)
}

/// Reads what comes from the terminal until it or the console ends.
fn read_events(events: &Sender<Event>) {
    while let Ok(event) = event::read() {
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Hands signals on.
fn hear_signals(mut caught: Signals, signals: &Sender<i32>) {
    for signal in caught.forever() {
        if signals.send(signal).is_err() {
            return;
        }
    }
}

/// The console at a terminal.
struct Console {
    model: Model,
    clock: Clock,
    screen: Screen,
    guard: Guard,
    cmds: Sender<Cmd>,
}

impl Console {
    /// Waits, changes the model and draws, until the console is over.
    fn run(
        &mut self,
        events: &Receiver<Event>,
        answers: &Receiver<Msg>,
        signals: &Receiver<i32>,
    ) -> io::Result<()> {
        let size = self.screen.size()?;
        self.model.at(self.clock.now_ms(), monotonic_ms());
        self.take(Msg::Resized(size.width, size.height))?;
        let first = update::start(&mut self.model);
        self.perform(first)?;
        self.draw()?;
        while !self.model.is_over {
            let now_ms = monotonic_ms();
            let wake_ms = self.model.wake_ms().unwrap_or(u64::MAX);
            let wait_ms = wake_ms.saturating_sub(now_ms).min(ALIVE_MS);
            let due = after(Duration::from_millis(wait_ms));
            let msg = select! {
                recv(events) -> event => event.map_or(Some(Msg::Stop), msg_of),
                recv(answers) -> msg => Some(msg.unwrap_or(Msg::Stop)),
                recv(signals) -> signal => signal.map_or(Some(Msg::Stop), |signal| self.signalled(signal)),
                recv(due) -> _ => Some(Msg::Tick),
            };
            if let Some(msg) = msg {
                self.take(msg)?;
            }
            for _ in 0..BATCH_MAX {
                let waiting = answers.try_recv().ok().map(Some);
                let waiting = waiting.or_else(|| events.try_recv().ok().map(msg_of));
                match waiting {
                    Some(Some(msg)) => self.take(msg)?,
                    Some(None) => {}
                    None => break,
                }
            }
            self.draw()?;
        }
        Ok(())
    }

    /// Changes the model by what happened, and does what is then to be done.
    fn take(&mut self, msg: Msg) -> io::Result<()> {
        self.model.at(self.clock.now_ms(), monotonic_ms());
        let cmds = update(&mut self.model, msg);
        self.perform(cmds)
    }

    /// Does what belongs to the terminal, and hands the rest to the worker.
    fn perform(&mut self, cmds: Vec<Cmd>) -> io::Result<()> {
        for cmd in cmds {
            match cmd {
                Cmd::Copy { what, text } => {
                    let result = terminal::copy(&text);
                    // A message alone comes of it.
                    update(&mut self.model, Msg::Copied { what, result });
                }
                Cmd::CopySecret { what, text } => {
                    let result = terminal::copy(text.expose());
                    update(&mut self.model, Msg::Copied { what, result });
                }
                Cmd::Mouse(has_mouse) => self.guard.use_mouse(has_mouse)?,
                Cmd::Redraw => self.forget()?,
                Cmd::Suspend => self.suspend()?,
                cmd => {
                    if self.cmds.send(cmd).is_err() {
                        self.model.is_over = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives the terminal to the shell until it continues the process.
    fn suspend(&mut self) -> io::Result<()> {
        terminal::give_back();
        emulate_default_handler(SIGTSTP)?;
        // The shell has continued us.
        self.guard.enter()?;
        self.forget()
    }

    /// Forgets what was drawn, so that the next frame is drawn whole.
    ///
    /// `Terminal::clear` would ask the terminal where its cursor is, and the answer would
    /// go to the thread that reads keys.
    fn forget(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.screen.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Returns what a signal means.
    fn signalled(&mut self, signal: i32) -> Option<Msg> {
        match signal {
            SIGTSTP => match self.suspend() {
                Ok(()) => Some(Msg::Continued),
                Err(_) => Some(Msg::Stop),
            },
            // The process was stopped without being asked: the screen is the shell's.
            SIGCONT => {
                let entered = self.guard.enter();
                entered.is_ok().then_some(Msg::Continued)
            }
            _ => Some(Msg::Stop),
        }
    }

    /// Draws a frame.
    fn draw(&mut self) -> io::Result<()> {
        let model = &self.model;
        self.screen.draw(|frame| view(model, frame))?;
        Ok(())
    }
}

/// Returns what an event of the terminal means; none where it means nothing.
fn msg_of(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.is_press() => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(mouse) => Some(Msg::Mouse(mouse)),
        Event::Resize(width, height) => Some(Msg::Resized(width, height)),
        _ => None,
    }
}

/// Returns one frame as text, lines of `size.0` columns: for documents and for tests.
pub fn once(app: &App, settings: Settings, first: &First, size: (u16, u16)) -> Result<String> {
    let mut model = Model::new(settings, size, app.now_ms(), monotonic_ms());
    update::go_to(&mut model, first.view.as_deref(), first.filter.as_deref())?;
    let cmds = update::start(&mut model);
    settle(app, &mut model, cmds);
    if let Some(fault) = model.messages.shown() {
        return Err(Error::new(Kind::Unavailable, fault.text.clone()));
    }
    Ok(frame(&model))
}

/// Performs commands at once, and those that come of them, until there are none.
pub fn settle(app: &App, model: &mut Model, cmds: Vec<Cmd>) {
    let who = Principal::operator(Channel::Console);
    let mut cmds = cmds;
    for _ in 0..ONCE_ROUNDS_MAX {
        let msgs: Vec<Msg> = cmds
            .iter()
            .filter_map(|cmd| worker::perform(app, &who, cmd))
            .collect();
        if msgs.is_empty() {
            return;
        }
        cmds = msgs
            .into_iter()
            .flat_map(|msg| update(model, msg))
            .collect();
    }
}

/// Returns the frame of a model as text, blanks at the ends of lines left out.
pub fn frame(model: &Model) -> String {
    let (width, height) = model.size;
    let backend = TestBackend::new(width.max(1), height.max(1));
    let mut screen = match Terminal::new(backend) {
        Ok(screen) => screen,
        Err(never) => match never {},
    };
    match screen.draw(|frame| view(model, frame)) {
        Ok(_) => {}
        Err(never) => match never {},
    }
    lines_of(screen.backend().buffer())
}

/// Returns a buffer as lines.
fn lines_of(buffer: &ratatui::buffer::Buffer) -> String {
    let mut text = String::new();
    let area = buffer.area;
    for y in area.y..area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in area.x..area.right() {
            // A wide character covers the cell behind it, which holds nothing.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            covered = super::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
