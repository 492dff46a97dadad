//! What the operations of a document use of it.

use std::collections::HashSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

/// The fragments that the operations use.
pub(super) fn used_fragments(document: &ExecutableDocument) -> HashSet<Name> {
    used(document).0
}

/// The variables that the operations use.
pub(super) fn used_variables(document: &ExecutableDocument) -> HashSet<Name> {
    used(document).1
}

fn used(document: &ExecutableDocument) -> (HashSet<Name>, HashSet<Name>) {
    let (mut fragments, mut variables) = (HashSet::new(), HashSet::new());
    let mut waiting: Vec<&SelectionSet> = Vec::new();
    for (_, operation) in document.operations.iter() {
        in_directives(&operation.node.directives, &mut variables);
        waiting.push(&operation.node.selection_set.node);
    }
    while let Some(set) = waiting.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    for (_, value) in &field.node.arguments {
                        let _ = value.node.clone().into_const_with(noting(&mut variables));
                    }
                    in_directives(&field.node.directives, &mut variables);
                    waiting.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    in_directives(&fragment.node.directives, &mut variables);
                    waiting.push(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    in_directives(&spread.node.directives, &mut variables);
                    let name = &spread.node.fragment_name.node;
                    if fragments.insert(name.clone())
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        in_directives(&fragment.node.directives, &mut variables);
                        waiting.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    (fragments, variables)
}

fn in_directives(directives: &[Positioned<Directive>], variables: &mut HashSet<Name>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        let _ = value.node.clone().into_const_with(noting(variables));
    }
}

/// Stands in for the value of each variable, to learn its name.
fn noting(variables: &mut HashSet<Name>) -> impl FnMut(Name) -> Result<Value, ()> {
    |name| {
        variables.insert(name);
        Ok(Value::Null)
    }
}
