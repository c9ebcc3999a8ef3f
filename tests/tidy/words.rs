//! Words that stand nowhere, and excuses that give no reason.
//!
//! The words are taken apart here with `concat!`, so that this file is checked too.

use super::Violation;
use super::code::{self, Placed, Token};
use super::tree::is_rust;

/// Texts that no file may hold, in any case of letters, with the reason.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        concat!("fix", "me"),
        "mend it, or say in CHANGELOG.md what is missing",
    ),
    (
        concat!("x", "xx"),
        "mend it, or say in CHANGELOG.md what is missing",
    ),
    (
        concat!("to", "do:"),
        "mend it, or say in CHANGELOG.md what is missing",
    ),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/tmp", "/h_"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (
        concat!("cla", "ude"),
        "the name of a tool that has no place here",
    ),
    (
        concat!("anthro", "pic"),
        "the name of a tool that has no place here",
    ),
    (
        concat!("chat", "gpt"),
        "the name of a tool that has no place here",
    ),
];

/// Where a forbidden text is something else: a file's ending, and the text.
const EXCUSED: &[(&str, &str)] = &[
    // Base64 of icons and keys holds any letters in a row.
    ("component.json", concat!("x", "xx")),
    ("Cargo.lock", concat!("x", "xx")),
];

/// Names that one file of `src` alone may use: they are there for tests.
const ONE_HOME: &[(&str, &str)] = &[("raw_for_tests", "src/store/access.rs")];

/// Macros that no code calls.
const MACROS: &[&str] = &["dbg", "todo", "unimplemented"];

/// Finds what a file must not hold.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let low = line.to_lowercase();
        for (word, reason) in FORBIDDEN {
            let is_excused = EXCUSED
                .iter()
                .any(|(ending, excused)| path.ends_with(ending) && excused == word);
            if !is_excused && stands_in(&low, word) {
                let text = format!("`{word}` is forbidden: {reason}");
                found.push(Violation::new(path, at + 1, text));
            }
        }
        if is_rust(path) && matches!(line.trim(), "///" | "//!") && is_empty_doc(text, at) {
            found.push(Violation::new(
                path,
                at + 1,
                "documentation that says nothing",
            ));
        }
    }
    if is_rust(path) {
        found.extend(check_code(path, text));
    }
    found
}

/// Tells whether `word` stands in a line; one of letters must stand alone.
fn stands_in(line: &str, word: &str) -> bool {
    let is_name = word.chars().all(char::is_alphanumeric);
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !is_name || (!is_part(before) && !is_part(after))
    })
}

/// Tells whether the documentation around an empty line of it is empty as a whole.
fn is_empty_doc(text: &str, at: usize) -> bool {
    let is_doc = |line: Option<&str>| {
        line.is_some_and(|line| {
            let line = line.trim_start();
            line.starts_with("///") || line.starts_with("//!")
        })
    };
    let before = at
        .checked_sub(1)
        .and_then(|before| text.lines().nth(before));
    !(is_doc(before) && is_doc(text.lines().nth(at + 1)))
}

/// Finds what no code calls.
fn check_code(path: &str, text: &str) -> Vec<Violation> {
    let tokens = code::tokens(text);
    let mut found = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        let Some(word) = token.word() else { continue };
        let after = |offset: usize| tokens.get(at + offset).map(|(_, token)| token);
        if MACROS.contains(&word) && after(1) == Some(&Token::Mark('!')) {
            found.push(Violation::new(
                path,
                *line,
                format!("`{word}!` is forbidden"),
            ));
        }
        if path.starts_with("src/")
            && let Some((_, home)) = ONE_HOME.iter().find(|(name, _)| *name == word)
            && path != *home
            && !in_tests(&tokens[..at])
        {
            found.push(Violation::new(
                path,
                *line,
                format!("`{word}` is for tests alone"),
            ));
        }
        let is_method = at > 0 && tokens[at - 1].1.is_mark('.');
        if word == "unwrap" && is_method && path.starts_with("src/") && !in_tests(&tokens[..at]) {
            found.push(Violation::new(
                path,
                *line,
                "`unwrap` is forbidden: return the error, or `expect` an invariant",
            ));
        }
        if word == "ignore"
            && at > 0
            && tokens[at - 1].1.is_mark('[')
            && after(1) != Some(&Token::Mark('='))
        {
            found.push(Violation::new(path, *line, "an ignored test says why"));
        }
    }
    found
}

/// Tells whether code stands behind the `#[cfg(test)]` at the end of its file.
fn in_tests(before: &[Placed]) -> bool {
    before
        .windows(3)
        .any(|three| three[0].1.is("cfg") && three[1].1.is_mark('(') && three[2].1.is("test"))
}

/// Finds `allow` and `expect` of lints that give no reason.
pub(super) fn check_reasons(path: &str, text: &str) -> Vec<Violation> {
    let tokens = code::tokens(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let Some(attribute) = attribute_at(&tokens, at) else {
            continue;
        };
        let excuses = attribute.windows(2).any(|pair| {
            (pair[0].1.is("allow") || pair[0].1.is("expect")) && pair[1].1.is_mark('(')
        });
        let has_reason = attribute.windows(3).any(|three| {
            three[0].1.is("reason")
                && three[1].1.is_mark('=')
                && matches!(&three[2].1, Token::Text(reason) if !reason.trim().is_empty())
        });
        if excuses && !has_reason {
            found.push(Violation::new(
                path,
                tokens[at].0,
                "an excused lint without a reason",
            ));
        }
    }
    found
}

/// Returns the tokens between the brackets of an attribute whose `#` stands at `at`.
fn attribute_at(tokens: &[Placed], at: usize) -> Option<&[Placed]> {
    if !tokens[at].1.is_mark('#') {
        return None;
    }
    let open = at + 1 + usize::from(tokens.get(at + 1)?.1.is_mark('!'));
    if !tokens.get(open)?.1.is_mark('[') {
        return None;
    }
    let mut depth = 0;
    for (offset, (_, token)) in tokens[open..].iter().enumerate() {
        if token.is_mark('[') {
            depth += 1;
        } else if token.is_mark(']') {
            depth -= 1;
            if depth == 0 {
                return Some(&tokens[open..open + offset]);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found() {
        for text in [
            concat!("// FIX", "ME later"),
            concat!("see /wo", "rk/main"),
            concat!("as Cla", "ude said"),
            "fn f() { dbg!(1); }",
            "fn f() { x.unwrap(); }",
            "///\nfn f() {}",
            "#[ignore]\nfn f() {}",
            "fn f() { read.raw_for_tests(); }",
        ] {
            assert_eq!(check("src/a.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        for text in [
            concat!("max", "xxl"),
            "const A: &str = \"dbg!(1)\";",
            "fn f() { x.unwrap_or_default(); }",
            "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }",
            "/// One.\n///\n/// Two.\nfn f() {}",
            "#[ignore = \"takes an hour\"]\nfn f() {}",
        ] {
            assert_eq!(check("src/a.rs", text), [], "{text}");
        }
        assert_eq!(check("tests/a.rs", "fn f() { x.unwrap(); }"), []);
    }

    #[test]
    fn an_excuse_without_a_reason_is_found() {
        for (text, count) in [
            ("#[allow(dead_code)] fn f() {}", 1),
            ("#![expect(a::b, c)]", 1),
            ("#[cfg_attr(x, allow(y))] fn f() {}", 1),
            ("#[expect(a, reason = \" \")] fn f() {}", 1),
            (
                "#[expect(a, reason = \"why\")] fn f() { x.expect(\"y\") }",
                0,
            ),
            ("#[derive(Debug)] struct A; // #[allow(b)]", 0),
        ] {
            assert_eq!(check_reasons("src/a.rs", text).len(), count, "{text}");
        }
    }
}
