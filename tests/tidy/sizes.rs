//! Files and functions stay short enough to be read at once.

use super::Violation;
use super::code::{self, Placed};

/// A file is shorter: nine in ten files of the codebases that read well have under 400
/// lines, and what spoils the others is the tail.
const FILE_LINES: usize = 600;

/// A function has at most as many lines of code, as clippy.toml has it too; clippy
/// doesn't see the functions that a macro or a `cfg` hides from it.
const FUNCTION_LINES: usize = 70;

/// Finds files and functions that are too long.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines >= FILE_LINES {
        let text = format!("the file has {lines} lines, and {FILE_LINES} are too many");
        found.push(Violation::new(path, 0, text));
    }
    let tokens = code::tokens(text);
    for at in 0..tokens.len() {
        let Some((name, lines)) = function_at(&tokens, at) else {
            continue;
        };
        if lines > FUNCTION_LINES {
            let text =
                format!("`{name}` has {lines} lines of code, and {FUNCTION_LINES} are the most");
            found.push(Violation::new(path, tokens[at].0, text));
        }
    }
    found
}

/// Returns the name of the function whose `fn` stands at `at`, and the lines of code of
/// its body: those that hold more than comments.
fn function_at(tokens: &[Placed], at: usize) -> Option<(&str, usize)> {
    if !tokens[at].1.is("fn") {
        return None;
    }
    let name = tokens.get(at + 1)?.1.word()?;
    let open = body_of(tokens, at)?;
    let mut depth = 0;
    let mut lines = 0;
    let mut last_line = tokens[open].0;
    for (line, token) in &tokens[open..] {
        if token.is_mark('{') {
            depth += 1;
        } else if token.is_mark('}') {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
        if *line != last_line {
            lines += 1;
            last_line = *line;
        }
    }
    Some((name, lines))
}

/// Returns where the body of the function at `at` opens; none if it has no body.
fn body_of(tokens: &[Placed], at: usize) -> Option<usize> {
    let mut nested = 0;
    for (offset, (_, token)) in tokens[at..].iter().enumerate() {
        if token.is_mark('(') || token.is_mark('[') {
            nested += 1;
        } else if token.is_mark(')') || token.is_mark(']') {
            nested -= 1;
        } else if nested == 0 && token.is_mark(';') {
            return None;
        } else if nested == 0 && token.is_mark('{') {
            return Some(at + offset);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found() {
        let body = "    call();\n".repeat(FUNCTION_LINES);
        let fits = format!("fn f(a: [u8; 4]) {{\n    // Why.\n{body}}}\nfn declared();\n");
        assert_eq!(check("a.rs", &fits), []);
        let long = format!("fn f() {{\n    if a {{ b }}\n{body}}}\n");
        assert_eq!(check("a.rs", &long).len(), 1);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(check("a.rs", &"\n".repeat(FILE_LINES - 1)), []);
        assert_eq!(check("a.rs", &"\n".repeat(FILE_LINES)).len(), 1);
    }
}
