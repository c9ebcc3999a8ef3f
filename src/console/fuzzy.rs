//! Fuzzy matching for the palette: words, each by its letters in their order.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What was typed, ready to be compared with many texts.
pub(super) struct Fuzzy {
    pattern: Pattern,
    matcher: Matcher,
    /// The letters of a text that is not ASCII, kept between texts.
    letters: Vec<char>,
}

impl Fuzzy {
    /// Reads what was typed. Case does not count; `^word`, `word$`, `'word` and `!word`
    /// mean what they do in other finders.
    pub(super) fn of(typed: &str) -> Self {
        Self {
            pattern: Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT),
            letters: Vec::new(),
        }
    }

    /// Returns how well a text fits, larger being better; none where it does not.
    pub(super) fn score(&mut self, text: &str) -> Option<u32> {
        let letters = Utf32Str::new(text, &mut self.letters);
        self.pattern.score(letters, &mut self.matcher)
    }
}
