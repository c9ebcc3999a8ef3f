//! Colours by role. Nothing is said by colour alone: a selection is reversed, a state
//! has a sign, a fault a word.

use ratatui::style::{Color, Modifier, Style};

/// The name of a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// The 16 colours of the terminal, so light and dark both work.
    #[default]
    Terminal,
    /// Colours of its own, for a dark background.
    Dark,
    /// Colours of its own, for a light background.
    Light,
    /// The strongest of the 16 colours, and nothing dim.
    HighContrast,
    /// No colours at all.
    Mono,
}

/// Themes by their words.
const NAMES: &[(&str, ThemeName)] = &[
    ("terminal", ThemeName::Terminal),
    ("dark", ThemeName::Dark),
    ("light", ThemeName::Light),
    ("high-contrast", ThemeName::HighContrast),
    ("mono", ThemeName::Mono),
];

impl ThemeName {
    /// Returns the words of all themes.
    pub fn words() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(word, _)| *word)
    }

    /// Reads the word of a theme.
    pub fn parse(word: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, name)| *name)
    }

    /// Returns its styles.
    pub fn theme(self) -> &'static Theme {
        match self {
            Self::Terminal => &TERMINAL,
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
            Self::HighContrast => &HIGH_CONTRAST,
            Self::Mono => &MONO,
        }
    }
}

/// A style for each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What matters less: hints, ids, what is not there.
    pub dim: Style,
    /// The first line of the screen.
    pub header: Style,
    /// Titles of boxes and of columns.
    pub title: Style,
    /// Lines of boxes.
    pub border: Style,
    /// Lines of the box that has the keys.
    pub border_focused: Style,
    /// The row under the cursor.
    pub selected: Style,
    /// Marked rows.
    pub marked: Style,
    /// Names of keys in the last line.
    pub key: Style,
    /// What went well.
    pub ok: Style,
    /// What went wrong.
    pub bad: Style,
    /// What waits.
    pub wait: Style,
    /// What runs.
    pub run: Style,
    /// What stands still.
    pub stopped: Style,
    /// What is typed.
    pub input: Style,
    /// What a search found.
    pub found: Style,
}

/// The style without anything.
const PLAIN: Style = Style::new();

/// Bold, in the colour of the text.
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// The selection of all themes: it can be seen on any background.
const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// A foreground.
const fn fg(color: Color) -> Style {
    Style::new().fg(color)
}

/// A bold foreground.
const fn strong(color: Color) -> Style {
    fg(color).add_modifier(Modifier::BOLD)
}

/// The colours of the terminal. Yellow, cyan and the dim attribute are used where both a
/// white and a black background keep them readable.
const TERMINAL: Theme = Theme {
    text: PLAIN,
    dim: Style::new().add_modifier(Modifier::DIM),
    header: REVERSED,
    title: BOLD,
    border: Style::new().add_modifier(Modifier::DIM),
    border_focused: fg(Color::Blue),
    selected: REVERSED,
    marked: strong(Color::Magenta),
    key: strong(Color::Blue),
    ok: fg(Color::Green),
    bad: strong(Color::Red),
    wait: fg(Color::Yellow),
    run: fg(Color::Blue),
    stopped: Style::new().add_modifier(Modifier::DIM),
    input: BOLD,
    found: strong(Color::Magenta),
};

/// Soft colours on dark.
const DARK: Theme = Theme {
    text: fg(Color::Rgb(0xd4, 0xd7, 0xdd)),
    dim: fg(Color::Rgb(0x80, 0x88, 0x94)),
    header: Style::new()
        .fg(Color::Rgb(0xf2, 0xf4, 0xf8))
        .bg(Color::Rgb(0x2b, 0x3a, 0x55)),
    title: strong(Color::Rgb(0xe6, 0xe9, 0xef)),
    border: fg(Color::Rgb(0x55, 0x5e, 0x6c)),
    border_focused: fg(Color::Rgb(0x74, 0xa8, 0xf0)),
    selected: REVERSED,
    marked: strong(Color::Rgb(0xd3, 0x9b, 0xf0)),
    key: strong(Color::Rgb(0x74, 0xa8, 0xf0)),
    ok: fg(Color::Rgb(0x7f, 0xc9, 0x7f)),
    bad: strong(Color::Rgb(0xf0, 0x7a, 0x7a)),
    wait: fg(Color::Rgb(0xe6, 0xc0, 0x6c)),
    run: fg(Color::Rgb(0x74, 0xa8, 0xf0)),
    stopped: fg(Color::Rgb(0x80, 0x88, 0x94)),
    input: strong(Color::Rgb(0xf2, 0xf4, 0xf8)),
    found: strong(Color::Rgb(0xd3, 0x9b, 0xf0)),
};

/// Deep colours on light.
const LIGHT: Theme = Theme {
    text: fg(Color::Rgb(0x22, 0x26, 0x2e)),
    dim: fg(Color::Rgb(0x68, 0x70, 0x7c)),
    header: Style::new()
        .fg(Color::Rgb(0xff, 0xff, 0xff))
        .bg(Color::Rgb(0x2b, 0x4f, 0x8a)),
    title: strong(Color::Rgb(0x14, 0x18, 0x20)),
    border: fg(Color::Rgb(0xa0, 0xa8, 0xb4)),
    border_focused: fg(Color::Rgb(0x1f, 0x5f, 0xbf)),
    selected: REVERSED,
    marked: strong(Color::Rgb(0x8a, 0x2f, 0xb0)),
    key: strong(Color::Rgb(0x1f, 0x5f, 0xbf)),
    ok: fg(Color::Rgb(0x1c, 0x74, 0x2c)),
    bad: strong(Color::Rgb(0xb4, 0x1f, 0x1f)),
    wait: fg(Color::Rgb(0x8a, 0x5c, 0x00)),
    run: fg(Color::Rgb(0x1f, 0x5f, 0xbf)),
    stopped: fg(Color::Rgb(0x68, 0x70, 0x7c)),
    input: strong(Color::Rgb(0x14, 0x18, 0x20)),
    found: strong(Color::Rgb(0x8a, 0x2f, 0xb0)),
};

/// Bold and reversed, with nothing dim.
const HIGH_CONTRAST: Theme = Theme {
    text: BOLD,
    dim: PLAIN,
    header: Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
    title: Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
    border: PLAIN,
    border_focused: BOLD,
    selected: Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
    marked: Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
    key: Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
    ok: strong(Color::Green),
    bad: Style::new()
        .fg(Color::Red)
        .add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
    wait: strong(Color::Yellow),
    run: strong(Color::Cyan),
    stopped: PLAIN,
    input: Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
    found: Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
};

/// No colour is ever set: where `NO_COLOR` is, crossterm writes a reset in the place of a
/// colour, which would wipe the modifiers too.
const MONO: Theme = Theme {
    text: PLAIN,
    dim: PLAIN,
    header: REVERSED,
    title: BOLD,
    border: PLAIN,
    border_focused: BOLD,
    selected: REVERSED,
    marked: BOLD,
    key: BOLD,
    ok: PLAIN,
    bad: BOLD,
    wait: PLAIN,
    run: PLAIN,
    stopped: PLAIN,
    input: Style::new().add_modifier(Modifier::UNDERLINED),
    found: BOLD,
};
