//! Rust as tokens: just enough to find paths, modules, functions and attributes.

/// A token of code; comments and the content of strings are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword.
    Word(String),
    /// `::`.
    Path,
    /// The content of a string, as written.
    Text(String),
    /// Any other character.
    Mark(char),
}

impl Token {
    /// Tells whether this is the word `word`.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }

    /// Tells whether this is the character `mark`.
    pub(super) fn is_mark(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    /// Returns the word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// A token with the line that it begins in.
pub(super) type Placed = (usize, Token);

/// Reads a Rust text as tokens.
pub(super) fn tokens(text: &str) -> Vec<Placed> {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(first) = reader.rest.chars().next() {
        let line = reader.line;
        if let Some(token) = reader.next(first) {
            tokens.push((line, token));
        }
    }
    tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes `length` bytes, and counts their lines.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    /// Takes what stands at the front; none for comments, white space and characters.
    fn next(&mut self, first: char) -> Option<Token> {
        if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            return None;
        }
        if self.rest.starts_with("/*") {
            self.block_comment();
            return None;
        }
        if let Some(text) = self.string() {
            return Some(Token::Text(text));
        }
        if first == '_' || first.is_alphanumeric() {
            let is_part = |c: char| c == '_' || c.is_alphanumeric();
            let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
            return Some(Token::Word(self.take(end).to_owned()));
        }
        if first == '\'' {
            self.character();
            return None;
        }
        if self.rest.starts_with("::") {
            self.take(2);
            return Some(Token::Path);
        }
        self.take(first.len_utf8());
        (!first.is_whitespace()).then_some(Token::Mark(first))
    }

    /// Takes a comment with the comments inside it.
    fn block_comment(&mut self) {
        let mut depth = 0;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    return;
                }
            } else {
                let length = self.rest.chars().next().map_or(1, char::len_utf8);
                self.take(length);
            }
        }
    }

    /// Takes a string of any form.
    fn string(&mut self) -> Option<String> {
        let prefix: usize = ["br", "cr", "b", "c", "r", ""]
            .iter()
            .find(|prefix| {
                self.rest.strip_prefix(**prefix).is_some_and(|rest| {
                    let after = rest.trim_start_matches('#');
                    after.starts_with('"') && (prefix.ends_with('r') || after == rest)
                })
            })?
            .len();
        let is_raw = self.rest[..prefix].ends_with('r');
        let hashes = self.rest[prefix..].find('"')?;
        let begin = prefix + hashes + 1;
        let body = &self.rest[begin..];
        let close = format!("\"{}", "#".repeat(hashes));
        let length = if is_raw {
            body.find(&close)?
        } else {
            end_of_escaped(body)?
        };
        let content = body[..length].to_owned();
        self.take(begin + length + close.len());
        Some(content)
    }

    /// Takes a character, or the tick of a lifetime.
    fn character(&mut self) {
        let mut inside = self.rest[1..].chars();
        let length = match (inside.next(), inside.next()) {
            (Some('\\'), Some(escaped)) => {
                let skip = 2 + escaped.len_utf8();
                let close = self.rest[skip..].find('\'').map_or(0, |at| at + 1);
                skip + close
            }
            (Some(only), Some('\'')) => 2 + only.len_utf8(),
            _ => 1,
        };
        self.take(length);
    }
}

/// Finds the quote that ends a string with escapes.
fn end_of_escaped(body: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// A path such as `crate::store::Read`, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    /// Whether a `use` names it, and whether that is public beyond its room.
    pub(super) is_use: bool,
    pub(super) is_public_use: bool,
}

/// Finds every path of two or more segments, and every `use`; those that begin with
/// `crate`, `self` or `super` are resolved against `module` and begin with `crate`.
pub(super) fn paths(module: &[String], tokens: &[Placed]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut inner = InnerModules::default();
    let mut use_kind = None;
    let mut at = 0;
    while at < tokens.len() {
        inner.step(tokens, at);
        let (line, token) = &tokens[at];
        if token.is("use") {
            use_kind = Some(is_public(tokens, at));
        } else if token.is_mark(';') {
            use_kind = None;
        }
        let begins = token.word().is_some_and(|word| !KEYWORDS.contains(&word));
        if !begins || continues(&tokens[..at]) {
            at += 1;
            continue;
        }
        let mut module = module.to_vec();
        module.extend(inner.names());
        let mut leaves = Vec::new();
        at = leaves_of(tokens, at, &mut Vec::new(), &mut leaves);
        for segments in leaves {
            if use_kind.is_some() || segments.len() > 1 {
                found.push(Named {
                    line: *line,
                    segments: resolve(&module, segments),
                    is_use: use_kind.is_some(),
                    is_public_use: use_kind == Some(true),
                });
            }
        }
    }
    found
}

/// Tells whether what follows these tokens goes on with a path or a value. A `::` with
/// nothing before it begins a path of another crate.
fn continues(before: &[Placed]) -> bool {
    match before {
        [.., (_, Token::Mark('>')), (_, Token::Path)] => true,
        [.., (_, Token::Word(word)), (_, Token::Path)] => !KEYWORDS.contains(&word.as_str()),
        [.., (_, last)] => last.is_mark('.'),
        [] => false,
    }
}

/// Words that begin no path; `crate`, `self` and `super` do.
const KEYWORDS: &[&str] = &["use", "pub", "as", "in", "for", "impl", "mut", "ref", "dyn"];

/// Tells whether the `use` at `at` is public beyond its room.
fn is_public(tokens: &[Placed], at: usize) -> bool {
    at > 0 && tokens[at - 1].1.is("pub")
}

/// Collects the paths that begin at `at`, through groups; returns where they end.
fn leaves_of(
    tokens: &[Placed],
    mut at: usize,
    stem: &mut Vec<String>,
    leaves: &mut Vec<Vec<String>>,
) -> usize {
    let depth = stem.len();
    loop {
        match tokens.get(at).map(|(_, token)| token) {
            Some(Token::Word(word)) => stem.push(word.clone()),
            Some(Token::Mark('*')) if !stem.is_empty() => stem.push("*".to_owned()),
            _ => {}
        }
        at += 1;
        if tokens.get(at).map(|(_, token)| token) != Some(&Token::Path) {
            break;
        }
        at += 1;
        match tokens.get(at).map(|(_, token)| token) {
            Some(Token::Mark('{')) => {
                at = group(tokens, at + 1, stem, leaves);
                stem.truncate(depth);
                return at;
            }
            Some(Token::Word(_) | Token::Mark('*')) => {}
            // A turbofish or a generic: the path so far is what counts.
            _ => break,
        }
    }
    leaves.push(stem.clone());
    stem.truncate(depth);
    at
}

/// Collects the paths of a group that begins at `at`; returns where it ends.
fn group(
    tokens: &[Placed],
    mut at: usize,
    stem: &mut Vec<String>,
    leaves: &mut Vec<Vec<String>>,
) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        match token {
            Token::Mark('}') => return at + 1,
            Token::Word(word) if word == "as" => at += 2,
            Token::Word(_) | Token::Mark('*') => at = leaves_of(tokens, at, stem, leaves),
            _ => at += 1,
        }
    }
    at
}

/// Turns `self` and `super` at the front into a path from `crate`.
fn resolve(module: &[String], segments: Vec<String>) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = segments.as_slice();
    let mut is_relative = false;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        is_relative = true;
        rest = others;
    }
    if !is_relative {
        return segments;
    }
    let mut resolved = vec!["crate".to_owned()];
    resolved.extend(base);
    resolved.extend(rest.iter().cloned());
    resolved
}

/// The modules with a body in the file that stand open.
#[derive(Default)]
struct InnerModules {
    depth: usize,
    open: Vec<(usize, String)>,
}

impl InnerModules {
    /// Takes notice of the token at `at`.
    fn step(&mut self, tokens: &[Placed], at: usize) {
        match &tokens[at].1 {
            Token::Mark('{') => {
                self.depth += 1;
                if at >= 2
                    && tokens[at - 2].1.is("mod")
                    && let Some(name) = tokens[at - 1].1.word()
                {
                    self.open.push((self.depth, name.to_owned()));
                }
            }
            Token::Mark('}') => {
                if self
                    .open
                    .last()
                    .is_some_and(|(depth, _)| *depth == self.depth)
                {
                    self.open.pop();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// Returns their names, from the outside in.
    fn names(&self) -> impl Iterator<Item = String> {
        self.open.iter().map(|(_, name)| name.clone())
    }
}

/// Returns the module that a file of `src` is: `src/api/v1.rs` is `api`, `v1`.
pub(super) fn module_of(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let is_root = matches!(inside, "lib" | "main");
    inside
        .split('/')
        .filter(|_| !is_root)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = tokens(text)
            .into_iter()
            .filter_map(|(_, token)| match token {
                Token::Word(word) => Some(word),
                _ => None,
            });
        words.collect()
    }

    fn named(path: &str, text: &str) -> Vec<String> {
        let found = paths(&module_of(path), &tokens(text));
        found
            .iter()
            .map(|named| named.segments.join("::"))
            .collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text =
            "a // b\n/* c /* d */ e */ f \"g \\\" h\" r#\"i \" j\"# 'k' '\\'' '\"' b\"l\" m<'n>";
        assert_eq!(words(text), ["a", "f", "m", "n"]);
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let found = tokens("/* 1\n2 */ a \"3\n4\" b\nc");
        let lines: Vec<_> = found
            .iter()
            .filter(|(_, token)| token.word().is_some())
            .map(|(line, _)| *line)
            .collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn groups_are_taken_apart() {
        let text = "use crate::{clock, domain::{Error, id::{self, UserId as U}}, store::*};";
        assert_eq!(
            named("src/app/user.rs", text),
            [
                "crate::clock",
                "crate::domain::Error",
                "crate::domain::id::self",
                "crate::domain::id::UserId",
                "crate::store::*"
            ]
        );
    }

    #[test]
    fn relative_paths_are_resolved() {
        let text = "fn f() { super::super::store::g(); self::h::<T>(); }";
        assert_eq!(
            named("src/api/v1/user.rs", text)[..2],
            ["crate::api::store::g", "crate::api::v1::user::h"]
        );
        let inner = "mod tests { use super::x; } use super::y;";
        assert_eq!(
            named("src/http/head.rs", inner),
            ["crate::http::head::x", "crate::http::y"]
        );
    }
}
