//! Cargo.toml: each dependency says why it is there.

use super::Violation;

/// Returns the names in a table of dependencies.
pub(super) fn dependencies(manifest: &str, table: &str) -> Vec<String> {
    let parsed: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let found = parsed.get(table).and_then(toml::Value::as_table);
    found.map_or_else(Vec::new, |found| found.keys().cloned().collect())
}

/// Returns the line where a dependency stands.
pub(super) fn line_of(manifest: &str, name: &str) -> usize {
    let at = manifest
        .lines()
        .position(|line| key_of(line).is_some_and(|key| key == name));
    at.map_or(0, |at| at + 1)
}

/// Returns what the code calls a package.
pub(super) fn called(name: &str) -> String {
    match name {
        // The only package whose library has a name of its own.
        "md-5" => "md5".to_owned(),
        _ => name.replace('-', "_"),
    }
}

/// Returns the key of a line `key = …`.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim_end();
    let is_key = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!key.is_empty() && key.chars().all(is_key)).then_some(key)
}

/// Finds dependencies with no comment above them, or above the group that they stand in.
pub(super) fn check_comments(path: &str, manifest: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    let mut is_explained = false;
    for (at, line) in manifest.lines().enumerate() {
        let line = line.trim_end();
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
            is_explained = false;
        } else if line.starts_with('#') {
            is_explained = true;
        } else if line.is_empty() {
            is_explained = false;
        } else if in_dependencies
            && let Some(key) = key_of(line)
            && !is_explained
        {
            let text = format!("no comment says why `{key}` is there");
            found.push(Violation::new(path, at + 1, text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let manifest = "[package]\nname = \"a\"\n\n[dependencies]\n# Why.\none = \"1\"\ntwo = \"2\"\n\n\
                        three = \"3\"\n[dev-dependencies]\nfour = \"4\"\n";
        let lines: Vec<_> = check_comments("Cargo.toml", manifest)
            .iter()
            .map(|found| found.line)
            .collect();
        assert_eq!(lines, [9, 11]);
    }
}
