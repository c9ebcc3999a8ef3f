//! Nothing lies about unused: each Rust file is a module, each asset is named.

use std::collections::BTreeSet;

use super::Violation;
use super::code::{self, Token};
use super::tree::Tree;

/// Finds Rust files that no `mod` reaches from a target of a package.
pub(super) fn check_modules(tree: &Tree) -> Vec<Violation> {
    let mut reached = BTreeSet::new();
    let mut waiting = roots(tree);
    let roots: BTreeSet<String> = waiting.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        let Some(text) = tree.text(&path) else {
            continue;
        };
        if reached.insert(path.clone()) {
            waiting.extend(children(&path, roots.contains(&path), text));
        }
    }
    tree.rust()
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| Violation::new(path, 0, "no `mod` and no target reaches this file"))
        .collect()
}

/// Returns the root file of every target of every package.
fn roots(tree: &Tree) -> Vec<String> {
    let mut roots = Vec::new();
    for (path, text) in tree.texts() {
        let Some(folder) = path.strip_suffix("Cargo.toml") else {
            continue;
        };
        let manifest: toml::Table = text.parse().expect("Cargo.toml is TOML");
        let targets = ["lib", "bin", "test", "bench", "example"]
            .iter()
            .filter_map(|kind| manifest.get(*kind))
            .flat_map(|value| match value {
                toml::Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            });
        for target in targets {
            if let Some(named) = target.get("path").and_then(toml::Value::as_str) {
                roots.push(format!("{folder}{named}"));
            } else if let Some(name) = target.get("name").and_then(toml::Value::as_str) {
                roots.push(format!("{folder}benches/{name}.rs"));
            }
        }
        // What cargo finds by itself.
        roots.push(format!("{folder}src/main.rs"));
        roots.push(format!("{folder}src/lib.rs"));
    }
    roots
}

/// Returns where the modules that a file declares may lie.
fn children(path: &str, is_root: bool, text: &str) -> Vec<String> {
    let folder = if is_root {
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    } else {
        path.trim_end_matches(".rs")
    };
    let tokens = code::tokens(text);
    let mut found = Vec::new();
    let mut depth = 0;
    let mut inner: Vec<(usize, &str)> = Vec::new();
    for (at, (_, token)) in tokens.iter().enumerate() {
        if token.is_mark('{') {
            depth += 1;
        } else if token.is_mark('}') {
            if inner.last().is_some_and(|(of, _)| *of == depth) {
                inner.pop();
            }
            depth -= 1;
        }
        if !token.is("mod") {
            continue;
        }
        let name = tokens.get(at + 1).and_then(|(_, token)| token.word());
        let (Some(name), Some((_, after))) = (name, tokens.get(at + 2)) else {
            continue;
        };
        if after.is_mark('{') {
            inner.push((depth + 1, name));
        } else if after.is_mark(';') {
            let outer: Vec<&str> = inner.iter().map(|(_, name)| *name).chain([name]).collect();
            found.push(format!("{folder}/{}.rs", outer.join("/")));
        }
    }
    found
}

/// Finds assets that the code doesn't name. A file is named where the strings of one
/// Rust file or build description hold each part of its path, as whole words.
pub(super) fn check_assets(tree: &Tree) -> Vec<Violation> {
    let strings: Vec<String> = tree
        .rust()
        .filter(|(path, _)| path.starts_with("src/") || path.starts_with("tests/"))
        .map(|(_, text)| {
            let texts = code::tokens(text)
                .into_iter()
                .filter_map(|(_, token)| match token {
                    Token::Text(text) => Some(text),
                    _ => None,
                });
            texts.collect::<Vec<_>>().join("\n")
        })
        .collect();
    tree.paths()
        .filter(|path| path.starts_with("assets/") && !path.ends_with("README.md"))
        .filter(|path| {
            let mut parts = path.split('/').skip(1);
            !strings
                .iter()
                .any(|text| parts.clone().all(|part| holds(text, part)) && parts.next().is_some())
        })
        .map(|path| Violation::new(path, 0, "nothing in the code names this file"))
        .collect()
}

/// Tells whether a text holds a name, not as a part of a longer one.
fn holds(text: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "-_.".contains(c));
    text.match_indices(name).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[lib]\npath = \"src/lib.rs\"\n[[test]]\npath = \"tests/main.rs\"\n\
                            [[bench]]\nname = \"store\"\n";

    #[test]
    fn a_file_that_nothing_reaches_is_found() {
        let tree = Tree::of(&[
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", "mod a; // mod c;"),
            ("src/a.rs", "mod b; mod inner { mod d; }"),
            ("src/a/b.rs", ""),
            ("src/a/inner/d.rs", ""),
            ("src/c.rs", ""),
            ("tests/main.rs", "mod one;"),
            ("tests/one.rs", ""),
            ("tests/two.rs", ""),
            ("benches/store.rs", ""),
        ]);
        let found: Vec<_> = check_modules(&tree)
            .into_iter()
            .map(|found| found.path)
            .collect();
        assert_eq!(found, ["src/c.rs", "tests/two.rs"]);
    }

    #[test]
    fn an_asset_that_nothing_names_is_found() {
        let tree = Tree::of(&[
            (
                "src/app.rs",
                "include_str!(\"../assets/recipes/one/recipe.json\"); // two",
            ),
            ("assets/README.md", ""),
            ("assets/recipes/one/recipe.json", ""),
            ("assets/recipes/two/recipe.json", ""),
        ]);
        let found: Vec<_> = check_assets(&tree)
            .into_iter()
            .map(|found| found.path)
            .collect();
        assert_eq!(found, ["assets/recipes/two/recipe.json"]);
    }
}
