//! The files of the repository.

use std::collections::BTreeMap;
use std::path::Path;

/// Folders at the root, or under it, that hold nothing of ours.
const NOT_OURS: &[&str] = &[
    ".git",
    "target",
    "node_modules",
    "corpus",
    "artifacts",
    "coverage",
];

/// Endings of files that are text.
const TEXT: &[&str] = &[
    "rs", "md", "toml", "json", "sql", "txt", "js", "mjs", "yml", "service", "sh",
];

/// Text files without an ending.
const TEXT_NAMES: &[&str] = &["run", ".editorconfig", ".gitignore", ".npmrc"];

/// Paths relative to the root with `/`, and the text of those that are text.
pub(super) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the repository that this test was built from.
    pub(super) fn of_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = BTreeMap::new();
        walk(root, "", &mut files);
        Self { files }
    }

    /// Makes a tree of texts, for the tests of the checks.
    pub(super) fn of(texts: &[(&str, &str)]) -> Self {
        let files = texts
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect();
        Self { files }
    }

    /// Returns every path.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns every text file.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Returns every Rust file.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| is_rust(path))
    }

    /// Returns the text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }
}

/// Collects the files under `folder`, whose path from the root is `under`.
fn walk(folder: &Path, under: &str, files: &mut BTreeMap<String, Option<String>>) {
    let entries = std::fs::read_dir(folder).expect("the repository can be read");
    for entry in entries {
        let entry = entry.expect("the repository can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if under.is_empty() {
            name.clone()
        } else {
            format!("{under}/{name}")
        };
        let kind = entry.file_type().expect("the repository can be read");
        if kind.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&entry.path(), &path, files);
            }
        } else if kind.is_file() && !name.ends_with(".snap.new") {
            let text = is_text(&name).then(|| {
                std::fs::read_to_string(entry.path())
                    .unwrap_or_else(|error| panic!("{path} is no text: {error}"))
            });
            files.insert(path, text);
        }
    }
}

/// Tells whether a file is Rust by its name.
pub(super) fn is_rust(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "rs")
}

/// Tells whether a file is text by its name.
fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| TEXT.contains(&ending)) || TEXT_NAMES.contains(&name)
}
