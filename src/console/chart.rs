//! Charts of text: a line of bars, a bar, a gauge. Each has its number beside it, drawn by
//! whoever draws the chart; no chart says anything alone.

use super::look::{Look, Standing};

/// The heights of a bar, the lowest for nothing.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same in ASCII.
const ASCII_HEIGHTS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// From so many waiting messages on a queue is long, as the platform's own page marks it.
pub const QUEUE_LONG: u64 = 1_000;

/// Returns values summed up so that they fit into `columns`, the last ones whole.
pub fn fitted(values: &[u64], columns: usize) -> Vec<u64> {
    let each = values.len().div_ceil(columns.max(1)).max(1);
    let mut sums: Vec<u64> = values.rchunks(each).map(|part| part.iter().sum()).collect();
    sums.reverse();
    sums
}

/// Returns values as a line of bars; `most` is the value of the highest bar. What is more
/// than nothing is seen to be.
pub fn sparkline(values: &[u64], most: u64, look: &Look) -> String {
    let heights = if look.is_ascii {
        ASCII_HEIGHTS
    } else {
        HEIGHTS
    };
    let top = heights.len() as u64 - 1;
    let most = most.max(1);
    values
        .iter()
        .map(|value| {
            let height = value.saturating_mul(top).div_ceil(most).min(top);
            heights[usize::try_from(height).unwrap_or(0)]
        })
        .collect()
}

/// Returns a bar of `columns` that is full where `value` is `most`.
pub fn bar(value: u64, most: u64, columns: usize, look: &Look) -> String {
    let (full, empty) = if look.is_ascii {
        ("#", ".")
    } else {
        ("█", "░")
    };
    let filled = value.saturating_mul(columns as u64).div_ceil(most.max(1));
    let filled = usize::try_from(filled).unwrap_or(columns).min(columns);
    format!("{}{}", full.repeat(filled), empty.repeat(columns - filled))
}

/// Returns a bar of `columns` of two times: full up to what half stayed within, half full up
/// to what nineteen of twenty stayed within; `most` fills it.
pub fn spread(half: u64, most_of_them: u64, most: u64, columns: usize, look: &Look) -> String {
    let (full, part, empty) = if look.is_ascii {
        ('#', '=', '.')
    } else {
        ('█', '▒', '░')
    };
    let until = |value: u64| {
        let filled = value.saturating_mul(columns as u64).div_ceil(most.max(1));
        usize::try_from(filled).unwrap_or(columns).min(columns)
    };
    let (half, most_of_them) = (until(half), until(most_of_them));
    let sign = |at: usize| match at {
        at if at < half => full,
        at if at < most_of_them => part,
        _ => empty,
    };
    (0..columns).map(sign).collect()
}

/// Returns a gauge of what waits: each step further is ten times as much, so that three
/// messages and a million are both seen.
pub fn queue_gauge(messages: u64, columns: usize, look: &Look) -> String {
    let digits = if messages == 0 {
        0
    } else {
        messages.ilog10() + 1
    };
    // Six digits fill it: a million waiting messages are as many as anybody has seen.
    bar(u64::from(digits), 6, columns, look)
}

/// Returns how a queue stands that holds so many messages, with a word for it.
pub fn queue_standing(messages: u64) -> (Standing, &'static str) {
    match messages {
        0 => (Standing::Ok, "empty"),
        1..QUEUE_LONG => (Standing::Wait, "waiting"),
        _ => (Standing::Fail, "long"),
    }
}
