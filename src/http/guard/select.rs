//! Leaves of a document what the selected operation needs.
//!
//! People keep several operations in one document, and `operationName` selects one. The executor
//! estimates what all of them would cost, with the variables of the one: a required variable of
//! another operation would be missing, and its cost would count.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};

use super::used::used_fragments;

/// Drops operations that are not selected, and fragments that the selected one does not use. A
/// document with one operation stays whole, so that validation sees all of it.
pub(super) fn select(document: &mut ExecutableDocument, operation_name: Option<&str>) {
    let (DocumentOperations::Multiple(operations), Some(selected)) = (&mut document.operations, operation_name) else {
        return;
    };
    if operations.len() < 2 {
        return;
    }
    operations.retain(|name, _| name.as_str() == selected);
    let used = used_fragments(document);
    document.fragments.retain(|name, _| used.contains(name));
}

#[cfg(test)]
mod tests {
    use async_graphql::Name;
    use async_graphql::parser::parse_query;

    use super::*;

    const SEVERAL: &str = "query A($ids: [ID!]!) { nodes(ids: $ids) { ...F } } \
        query B { viewer { ... on Viewer { ...G } } } \
        fragment F on Node { id } fragment G on Viewer { ...H ...G } fragment H on Viewer { subject }";

    fn left(text: &str, operation_name: Option<&str>) -> (usize, Vec<String>) {
        let mut document = parse_query(text).expect("a document");
        select(&mut document, operation_name);
        let mut fragments: Vec<String> = document.fragments.keys().map(Name::to_string).collect();
        fragments.sort();
        (document.operations.iter().count(), fragments)
    }

    #[test]
    fn only_what_is_selected_is_left() {
        assert_eq!(left(SEVERAL, Some("A")), (1, vec!["F".to_owned()]));
        assert_eq!(left(SEVERAL, Some("B")), (1, vec!["G".to_owned(), "H".to_owned()]));
    }

    #[test]
    fn a_single_operation_keeps_its_unused_fragments() {
        let text = "query A { viewer { subject } } fragment F on Viewer { subject }";
        assert_eq!(left(text, Some("A")), (1, vec!["F".to_owned()]));
        assert_eq!(left(SEVERAL, None).0, 2);
    }
}
