//! Files that are written by the program itself: stale ones fail. `UPDATE=1` writes them anew.

use std::path::PathBuf;

use ordergraph::{documents, graphql};

fn is_current(name: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, wanted).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{name} is stale from line {} on: run `UPDATE=1 cargo test --test it generated` and review the difference",
        first.unwrap_or_else(|| found.lines().count().min(wanted.lines().count())) + 1
    );
}

#[test]
fn schema_graphql_is_the_schema() {
    is_current("schema.graphql", &graphql::sdl());
}

#[test]
fn docs_workflow_is_the_transition_tables() {
    let text = documents::workflow();
    for noun in ["order", "allocation", "milestone", "delivery", "ticket", "access restriction"] {
        assert!(text.to_lowercase().contains(&format!("## the {noun}")), "{noun}");
    }
    is_current("docs/workflow.md", &text);
}

#[test]
fn docs_permissions_is_the_permission_table() {
    is_current("docs/permissions.md", &documents::permissions());
}
