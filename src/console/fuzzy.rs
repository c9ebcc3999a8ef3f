//! Fuzzy matching for the palette: the letters of what is typed, in their order.

/// What a letter at the start of a word is worth.
const WORD_START: i32 = 8;

/// What a letter right behind the one before is worth.
const IN_A_ROW: i32 = 5;

/// Returns how well a text fits what was typed, larger being better; none where a letter
/// is missing. Blanks in what was typed are passed over, case does not count.
pub(super) fn score(typed: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut score = 0;
    let mut from = 0;
    let mut last: Option<usize> = None;
    for wanted in typed.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let is_start = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
        let found = |at: &usize| text[*at] == wanted;
        let next = (from..text.len()).find(found)?;
        // A letter that begins a word is meant rather than one in the middle of another.
        let at = match last {
            Some(last) if next == last + 1 => next,
            _ => (next..text.len())
                .find(|at| found(at) && is_start(*at))
                .filter(|at| at - next < 12)
                .unwrap_or(next),
        };
        score += 1;
        if is_start(at) {
            score += WORD_START;
        }
        if last.is_some_and(|last| at == last + 1) {
            score += IN_A_ROW;
        }
        last = Some(at);
        from = at + 1;
    }
    // Of two that fit alike the shorter one is meant.
    Some(score * 100 - i32::try_from(text.len()).unwrap_or(100).min(100))
}
