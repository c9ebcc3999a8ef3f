//! The keys: one table a place, which also makes the last line, the help and the palette.
//!
//! A screen that needs a key of its own adds an [`Action`] and a row to a table of its
//! own, and names that table in [`Place::bindings`]. What is not in the screen's table
//! is looked up in [`EVERYWHERE`].

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::view_name::ViewName;
use super::{execution, on_row, teams};
use crate::domain::listing::ListOf;

/// What a key asks for. Screens give meaning to it; what no screen knows, the frame does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One up.
    Up,
    /// One down.
    Down,
    /// The first.
    Top,
    /// The last.
    Bottom,
    /// Half a screen up.
    PageUp,
    /// Half a screen down.
    PageDown,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// The next pane or tab.
    NextPane,
    /// The pane or tab before.
    PreviousPane,
    /// Open what is selected.
    Open,
    /// One step back.
    Back,
    /// End the console, at the root alone.
    Quit,
    /// End the console at once.
    QuitNow,
    /// Stop the process until the shell continues it.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Show the help.
    Help,
    /// Open the palette.
    Palette,
    /// Type a filter.
    Filter,
    /// The next that was found.
    NextFound,
    /// The one before that was found.
    PreviousFound,
    /// Show the messages.
    Messages,
    /// Load anew.
    Refresh,
    /// Stop refreshing by itself, or go on.
    Pause,
    /// Show times another way.
    Times,
    /// Let the mouse be used, or not.
    Mouse,
    /// Choose the column to sort by.
    Sort,
    /// Turn the order round.
    Reverse,
    /// Mark the row, or not.
    Mark,
    /// Copy the value.
    Copy,
    /// Copy the row as JSON.
    CopyJson,
    /// Copy a call of the API.
    CopyCurl,
    /// Open what belongs to it.
    Related,
    /// The view that was open before.
    PreviousView,
    /// Open a view.
    View(ViewName),
    /// Add one.
    Add,
    /// Change it.
    Edit,
    /// Delete it.
    Delete,
    /// Take back the last act.
    Undo,
    /// Open what the last act began.
    Follow,
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Suspend it.
    Hold,
    /// Run it now.
    RunNow,
    /// Run it again.
    Retry,
    /// Give it a new key.
    Rotate,
    /// Disable it, or enable it again.
    Disable,
    /// Fold or unfold.
    Fold,
    /// Fold everything, or unfold it.
    FoldAll,
    /// Run the step again as it was.
    RetryStep,
    /// Run everything again from the step on.
    RetryFrom,
    /// End it before its end.
    Cancel,
    /// Write it to a file.
    Save,
    /// Set a password.
    Password,
    /// Make an API key.
    NewKey,
    /// Add an SSH key.
    NewSshKey,
    /// Put a user in.
    AddMember,
    /// Take a user out.
    RemoveMember,
    /// Invite somebody.
    Invite,
    /// Answer every API call with 503.
    Maintenance,
    /// Answer calls of the API again.
    EndMaintenance,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// A letter or sign; capitals are letters of their own.
pub const fn letter(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        modifiers: KeyModifiers::NONE,
    }
}

/// A letter with the control key.
pub const fn ctrl(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        modifiers: KeyModifiers::CONTROL,
    }
}

/// A key that is no letter.
pub const fn named(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::NONE,
    }
}

impl Chord {
    /// Tells whether this key was pressed. Shift is part of a letter already.
    pub fn is(self, pressed: &KeyEvent) -> bool {
        let ignored = KeyModifiers::SHIFT;
        self.code == pressed.code
            && self.modifiers.difference(ignored) == pressed.modifiers.difference(ignored)
    }

    /// Returns how the key is called: `j`, `ctrl-d`, `Enter`.
    pub fn name(self) -> String {
        let key = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => format!("{other:?}"),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            format!("ctrl-{key}")
        } else {
            key
        }
    }
}

/// A row of a table of keys.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys, the first of which is shown.
    pub chords: &'static [Chord],
    /// What they ask for.
    pub action: Action,
    /// The word of the last line; empty where that is not to show it.
    pub short: &'static str,
    /// The line of the help; the palette shows it too.
    pub help: &'static str,
    /// Whether it changes something, so that it is not there in a file that is only looked at.
    pub writes: bool,
}

/// Makes a row that the last line leaves out.
pub const fn bind(chords: &'static [Chord], action: Action, help: &'static str) -> Binding {
    Binding {
        chords,
        action,
        short: "",
        help,
        writes: false,
    }
}

impl Binding {
    /// Shows the row in the last line under this word.
    #[must_use]
    pub const fn short(self, short: &'static str) -> Self {
        Self { short, ..self }
    }

    /// Says that the row changes something.
    #[must_use]
    pub const fn writing(self) -> Self {
        Self {
            writes: true,
            ..self
        }
    }
}

/// Where keys are pressed: what is on top of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The dashboard.
    Dashboard,
    /// A list.
    List(ListOf),
    /// One object of a list.
    Detail(ListOf),
    /// The members of an open team.
    Members,
    /// One task.
    Task,
    /// One run.
    Execution,
    /// One recipe.
    Recipe,
}

impl Place {
    /// Returns the keys of the place, before those of [`EVERYWHERE`].
    pub fn bindings(self) -> &'static [Binding] {
        match self {
            Self::Dashboard => DASHBOARD,
            Self::List(_) | Self::Members => LIST,
            Self::Detail(_) => DETAIL,
            Self::Task => TASK,
            Self::Execution => EXECUTION,
            Self::Recipe => RECIPE,
        }
    }

    /// Returns the keys of what can be done with the objects here.
    pub fn deeds(self) -> &'static [Binding] {
        match self {
            Self::Dashboard => &[],
            Self::List(of) | Self::Detail(of) => on_row::deeds_of(of),
            Self::Members => teams::MEMBER_DEEDS,
            Self::Task => on_row::deeds_of(ListOf::Flows),
            Self::Execution => execution::DEEDS,
            Self::Recipe => on_row::deeds_of(ListOf::Recipes),
        }
    }

    /// Returns every row that holds here, the place's own first.
    pub fn all(self, is_read_only: bool) -> impl Iterator<Item = &'static Binding> {
        let deeds = self.deeds().iter();
        deeds
            .chain(self.bindings())
            .chain(EVERYWHERE)
            .filter(move |binding| !(is_read_only && binding.writes))
    }

    /// Returns what a key asks for here.
    pub fn action(self, pressed: &KeyEvent, is_read_only: bool) -> Option<Action> {
        self.all(is_read_only)
            .find(|binding| binding.chords.iter().any(|chord| chord.is(pressed)))
            .map(|binding| binding.action)
    }
}

/// How one moves; shared by all places that have rows.
const MOVE: [Binding; 6] = [
    bind(
        &[letter('j'), named(KeyCode::Down)],
        Action::Down,
        "one down",
    ),
    bind(&[letter('k'), named(KeyCode::Up)], Action::Up, "one up"),
    bind(
        &[letter('g'), named(KeyCode::Home)],
        Action::Top,
        "to the first",
    ),
    bind(
        &[letter('G'), named(KeyCode::End)],
        Action::Bottom,
        "to the last",
    ),
    bind(
        &[ctrl('d'), named(KeyCode::PageDown)],
        Action::PageDown,
        "half a screen down",
    ),
    bind(
        &[ctrl('u'), named(KeyCode::PageUp)],
        Action::PageUp,
        "half a screen up",
    ),
];

/// The keys of lists.
const LIST: &[Binding] = &[
    bind(&[named(KeyCode::Enter)], Action::Open, "open the row").short("open"),
    bind(&[letter('/')], Action::Filter, "filter the list").short("filter"),
    bind(&[letter('s')], Action::Sort, "choose the column to sort by").short("sort"),
    bind(&[letter('S')], Action::Reverse, "turn the order round"),
    bind(&[letter('o')], Action::Related, "open what belongs to it").short("related"),
    bind(&[letter('y')], Action::Copy, "copy the id").short("copy"),
    bind(&[letter('Y')], Action::CopyJson, "copy the row as JSON"),
    bind(&[letter('c')], Action::CopyCurl, "copy a call of the API"),
    bind(&[letter(' ')], Action::Mark, "mark the row"),
    bind(&[letter('n')], Action::NextFound, "to the next marked row"),
    bind(
        &[letter('N')],
        Action::PreviousFound,
        "to the marked row before",
    ),
    bind(
        &[named(KeyCode::Tab), letter(']')],
        Action::NextPane,
        "to the next tab",
    ),
    bind(
        &[named(KeyCode::BackTab), letter('[')],
        Action::PreviousPane,
        "to the tab before",
    ),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
    MOVE[4],
    MOVE[5],
];

/// The keys of the facts of one object.
const DETAIL: &[Binding] = &[
    bind(
        &[
            named(KeyCode::Tab),
            letter('l'),
            named(KeyCode::Right),
            letter(']'),
        ],
        Action::NextPane,
        "to the next tab",
    )
    .short("tab"),
    bind(
        &[
            named(KeyCode::BackTab),
            letter('h'),
            named(KeyCode::Left),
            letter('['),
        ],
        Action::PreviousPane,
        "to the tab before",
    ),
    bind(&[letter('z')], Action::Fold, "fold or unfold the JSON"),
    bind(
        &[letter('Z')],
        Action::FoldAll,
        "fold everything, or unfold it",
    ),
    bind(&[letter('y')], Action::Copy, "copy the value").short("copy"),
    bind(&[letter('Y')], Action::CopyJson, "copy it all as JSON").short("copy JSON"),
    bind(&[letter('c')], Action::CopyCurl, "copy a call of the API").short("curl"),
    bind(&[letter('o')], Action::Related, "open what belongs to it").short("related"),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
    MOVE[4],
    MOVE[5],
];

/// The keys of one task.
const TASK: &[Binding] = &[
    bind(&[named(KeyCode::Enter)], Action::Open, "open the execution").short("open"),
    bind(
        &[named(KeyCode::Tab), letter('l'), named(KeyCode::Right)],
        Action::NextPane,
        "to the next tab",
    )
    .short("tab"),
    bind(
        &[named(KeyCode::BackTab), letter('h'), named(KeyCode::Left)],
        Action::PreviousPane,
        "to the tab before",
    ),
    bind(
        &[letter('/')],
        Action::Filter,
        "look for a text in the JSON",
    ),
    bind(&[letter('n')], Action::NextFound, "to its next place"),
    bind(&[letter('N')], Action::PreviousFound, "to its place before"),
    bind(&[letter('z')], Action::Fold, "fold or unfold"),
    bind(
        &[letter('Z')],
        Action::FoldAll,
        "fold everything, or unfold it",
    ),
    bind(&[letter('y')], Action::Copy, "copy the id or the value"),
    bind(&[letter('Y')], Action::CopyJson, "copy the task as JSON"),
    bind(&[letter('c')], Action::CopyCurl, "copy a call of the API").short("curl"),
    bind(&[letter('o')], Action::Related, "open what belongs to it").short("related"),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
    MOVE[4],
    MOVE[5],
];

/// The keys of one run.
const EXECUTION: &[Binding] = &[
    bind(
        &[named(KeyCode::Tab), named(KeyCode::BackTab)],
        Action::NextPane,
        "between the steps and the value",
    )
    .short("pane"),
    bind(&[named(KeyCode::Enter)], Action::Open, "into the value"),
    bind(
        &[letter('l'), named(KeyCode::Right)],
        Action::Right,
        "to the next tab",
    ),
    bind(
        &[letter('h'), named(KeyCode::Left)],
        Action::Left,
        "to the tab before",
    ),
    bind(&[letter('z')], Action::Fold, "fold or unfold").short("fold"),
    bind(
        &[letter('Z')],
        Action::FoldAll,
        "fold everything, or unfold it",
    ),
    bind(
        &[letter('/')],
        Action::Filter,
        "look for a text in the value",
    )
    .short("find"),
    bind(&[letter('n')], Action::NextFound, "to its next place"),
    bind(&[letter('N')], Action::PreviousFound, "to its place before"),
    bind(&[letter('y')], Action::Copy, "copy the value").short("copy"),
    bind(&[letter('Y')], Action::CopyJson, "copy the step as JSON"),
    bind(&[letter('c')], Action::CopyCurl, "copy a call of the API"),
    bind(&[letter('o')], Action::Related, "open what belongs to it"),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
    MOVE[4],
    MOVE[5],
];

/// The keys of one recipe.
const RECIPE: &[Binding] = &[
    bind(&[letter('y')], Action::Copy, "copy the id").short("copy"),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
    MOVE[4],
    MOVE[5],
];

/// The keys of the dashboard.
const DASHBOARD: &[Binding] = &[
    bind(
        &[named(KeyCode::Enter)],
        Action::Open,
        "open the list or the execution",
    )
    .short("open"),
    bind(
        &[named(KeyCode::Tab), named(KeyCode::BackTab)],
        Action::NextPane,
        "to the other box",
    )
    .short("pane"),
    MOVE[0],
    MOVE[1],
    MOVE[2],
    MOVE[3],
];

/// The keys of every place.
pub const EVERYWHERE: &[Binding] = &[
    bind(
        &[letter(':')],
        Action::Palette,
        "find a view, an act or an object",
    )
    .short("cmd"),
    bind(&[letter('?')], Action::Help, "show the keys").short("help"),
    bind(&[named(KeyCode::Esc)], Action::Back, "one step back").short("back"),
    bind(&[letter('q')], Action::Quit, "quit, at the root"),
    bind(&[letter('-')], Action::PreviousView, "the view before"),
    bind(&[letter('r')], Action::Refresh, "load anew"),
    bind(&[letter('p')], Action::Pause, "stop refreshing, or go on"),
    bind(&[letter('t')], Action::Times, "times: relative, local, UTC"),
    bind(&[letter('!')], Action::Messages, "show the messages"),
    bind(&[letter('u')], Action::Undo, "take back the last act").writing(),
    bind(
        &[letter('.')],
        Action::Follow,
        "open the execution that the last act began",
    ),
    bind(&[letter('M')], Action::Mouse, "use the mouse, or not"),
    bind(&[ctrl('l')], Action::Redraw, "draw everything anew"),
    bind(&[ctrl('z')], Action::Suspend, "suspend"),
    bind(&[ctrl('c')], Action::QuitNow, "quit at once"),
    view('1', ViewName::Dashboard),
    view('2', ViewName::Users),
    view('3', ViewName::Teams),
    view('4', ViewName::Tasks),
    view('5', ViewName::Executions),
    view('6', ViewName::Recipes),
    view('7', ViewName::Components),
    view('8', ViewName::Keys),
    view('9', ViewName::Credentials),
    view('0', ViewName::Audit),
];

/// Makes the row of a view; its digit is its only key.
const fn view(digit: char, name: ViewName) -> Binding {
    bind(digit_key(digit), Action::View(name), name.title())
}

/// Returns the key of a digit.
const fn digit_key(digit: char) -> &'static [Chord] {
    /// The keys of the ten digits.
    const DIGITS: [[Chord; 1]; 10] = [
        [letter('0')],
        [letter('1')],
        [letter('2')],
        [letter('3')],
        [letter('4')],
        [letter('5')],
        [letter('6')],
        [letter('7')],
        [letter('8')],
        [letter('9')],
    ];
    &DIGITS[(digit as u8 - b'0') as usize]
}
