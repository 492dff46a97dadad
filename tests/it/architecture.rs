//! The house rules of the sources, each with its reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source file: its path from the root and what it says, comments and tests aside.
struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The sources below a folder.
fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    assert!(!paths.is_empty(), "nothing in {folder}");
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("text");
            let path = path.strip_prefix(root()).expect("within the root");
            Source { path: path.display().to_string(), text }
        })
        .collect()
}

impl Source {
    /// The lines that are code, with their numbers; unit tests at the end of a file left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let before_tests = |line: &&str| *line != "#[cfg(test)]";
        self.text
            .lines()
            .take_while(before_tests)
            .enumerate()
            .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Is the word named as a path or crate, not as a part of another word?
fn names(line: &str, word: &str) -> bool {
    let whole = |at: usize| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let part = |one: Option<char>| one.is_some_and(|one| one.is_alphanumeric() || one == '_');
        !part(before) && !part(after)
    };
    line.match_indices(word).any(|(at, _)| whole(at))
}

/// No file of the layer names any of these; each exception has its reason.
fn forbids(layer: &str, words: &[&str], exceptions: &[&str], because: &str) {
    let mut broken = Vec::new();
    for source in sources(layer) {
        if source.is_test() || exceptions.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in source.code() {
            for word in words {
                if names(line, word) {
                    broken.push(format!("{}:{number} names {word}: {}", source.path, line.trim()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{layer} must not name {words:?}, because {because}\n{}", broken.join("\n"));
}

/// The crates a line imports from or names by path.
fn imported(line: &str) -> Option<&str> {
    let line = line.trim().strip_prefix("pub ").unwrap_or(line.trim());
    let path = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub(crate) use "))?;
    path.split([':', ';', ' ']).next()
}

#[test]
fn the_domain_is_pure() {
    const ALLOWED: &[&str] =
        &["std", "rust_decimal", "chrono", "uuid", "serde", "serde_json", "thiserror", "iso_currency", "sha2", "super"];
    let because = "rules that need neither a database nor a network can be read, tested and reused by themselves";
    let mut broken = Vec::new();
    for source in sources("src/domain") {
        let own: BTreeSet<&str> = source
            .text
            .lines()
            .filter_map(|line| {
                let line = line.trim();
                line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))
            })
            .collect();
        for (number, line) in source.code() {
            let Some(name) = imported(line) else { continue };
            let inner = line.contains("crate::domain") || own.iter().any(|module| module.trim_end_matches(';') == name);
            // A name in capitals is an enumeration of the same file.
            let capital = name.starts_with(char::is_uppercase) || name == "codes";
            if !(ALLOWED.contains(&name) || inner || capital) {
                broken.push(format!("{}:{number} imports {name}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "the domain imports only {ALLOWED:?}, because {because}\n{}", broken.join("\n"));
    forbids(
        "src/domain",
        &[
            "crate::store",
            "crate::app",
            "crate::graphql",
            "crate::http",
            "crate::feed",
            "crate::seed",
            "crate::config",
            "sea_orm",
            "entity",
            "async_graphql",
            "axum",
            "tokio",
            "async fn",
            "Utc::now",
            "now_v7",
        ],
        &[],
        "it has neither a database, a clock nor randomness: whoever calls it brings the facts",
    );
}

#[test]
fn layers_look_inward_only() {
    let database = "only the store knows that there is a database, so that scope and versions are checked in one place";
    forbids("src/graphql", &["crate::store", "sea_orm", "entity", "axum"], &[], database);
    for layer in ["src/app", "src/http", "src/cli", "src/seed"] {
        forbids(layer, &["sea_orm", "entity"], &[], database);
    }
    forbids(
        "src/feed",
        &["sea_orm", "entity"],
        // The relay holds a connection of its own, since its election is a lock of that very connection;
        // so does the listener, since what it hears is told to that very connection.
        &["src/feed/relay.rs", "src/feed/bus/notify.rs"],
        database,
    );
    forbids(
        "src/store",
        &["crate::app", "crate::graphql", "crate::http", "crate::feed", "async_graphql", "axum"],
        &[],
        "rows do not know who asks for them or over which wire",
    );
    forbids(
        "src/app",
        &["crate::graphql", "crate::http", "async_graphql", "axum"],
        &[],
        "what can be done must not depend on how it is asked for: the clock and imports ask, too",
    );
    forbids(
        "src/http",
        &["crate::graphql", "crate::app", "crate::store", "crate::domain", "crate::feed"],
        &[],
        "the edge serves any executor and can be tested with a toy",
    );
    forbids(
        "src/feed",
        &["crate::app", "crate::graphql", "crate::http", "async_graphql", "axum"],
        &[],
        "the feed follows the log and knows nobody who reads it",
    );
    forbids(
        "migration/src",
        &["entity", "ordergraph"],
        &[],
        "a migration says what the schema was on its day; entities say what it is now",
    );
}

#[test]
fn a_capability_has_the_same_name_in_every_layer() {
    let capabilities = [
        "order",
        "intake",
        "review",
        "allocation",
        "inventory",
        "progress",
        "inspection",
        "delivery",
        "ticket",
        "access",
        "access_key",
        "channel",
        "import",
        "amendment",
        "change",
        "materials",
    ];
    let mut missing = Vec::new();
    for layer in ["src/domain", "src/app", "src/graphql/mutation"] {
        for capability in capabilities {
            let file = root().join(layer).join(format!("{capability}.rs"));
            let folder = root().join(layer).join(capability).join("mod.rs");
            if !file.is_file() && !folder.is_file() {
                missing.push(format!("{layer}/{capability}"));
            }
        }
    }
    let because = "whoever looks for a clause of the regulation should find it under one name everywhere";
    assert!(missing.is_empty(), "missing {missing:?}, because {because}");
}

#[test]
fn files_stay_short_enough_to_be_read() {
    const LONGEST: usize = 500;
    let mut long = Vec::new();
    for folder in ["src", "entity/src", "migration/src", "tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if lines > LONGEST {
                long.push(format!("{} has {lines} lines", source.path));
            }
        }
    }
    let because = "a file that is longer holds more than one subject: split it by a name of the domain";
    assert!(long.is_empty(), "at most {LONGEST} lines, because {because}\n{}", long.join("\n"));
}

#[test]
fn what_is_not_finished_does_not_land() {
    forbids(
        "src",
        &["todo!", "unimplemented!", "dbg!", "unsafe {", "unsafe fn", "unsafe impl", "panic!"],
        &[],
        "a server answers, also when something is wrong; it does not fall over",
    );
}
