//! The order of an answer's fields. The executor puts a field where it came to its end, which is a
//! matter of luck; the specification wants the order of the selection, and so do people who compare
//! two answers.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as InputValue;

/// Puts the fields of an answer in the order of the operation's selection. Of fragments on several
/// types, which select the same fields in different orders, the first decides.
pub fn in_order(document: &ExecutableDocument, operation: Option<&str>, variables: &Variables, data: &mut Value) {
    // Without an answer the document may be one that was refused, and not be walked at all.
    if !matches!(data, Value::Object(_)) {
        return;
    }
    let found = document.operations.iter().find(|(name, _)| match operation {
        Some(wanted) => name.is_some_and(|name| name.as_str() == wanted),
        None => true,
    });
    if let Some((_, operation)) = found
        && !is_in_order(&operation.node.selection_set.node, data)
    {
        let asked = Asked { document, operation: &operation.node, variables };
        Plan::of(&asked, &[&operation.node.selection_set.node]).arrange(data);
    }
}

/// Whether the fields stand in the order of a plain selection; not found out where there are fragments.
fn is_in_order(set: &SelectionSet, data: &Value) -> bool {
    match data {
        Value::Object(fields) => {
            fields.len() == set.items.len()
                && set.items.iter().zip(fields).all(|(selection, (name, value))| match &selection.node {
                    Selection::Field(field) => {
                        let field = &field.node;
                        field.alias.as_ref().unwrap_or(&field.name).node == *name
                            && is_in_order(&field.selection_set.node, value)
                    }
                    _ => false,
                })
        }
        Value::List(entries) => entries.iter().all(|entry| is_in_order(set, entry)),
        _ => true,
    }
}

/// What was asked, with the values of its variables.
struct Asked<'d> {
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    variables: &'d Variables,
}

impl Asked<'_> {
    /// Was a selection left out by `@skip` or `@include`?
    fn leaves_out(&self, selection: &Selection) -> bool {
        selection.directives().iter().any(|directive| {
            let wanted = match directive.node.name.node.as_str() {
                "skip" => false,
                "include" => true,
                _ => return false,
            };
            directive.node.get_argument("if").is_some_and(|condition| self.truth(&condition.node) != Some(wanted))
        })
    }

    fn truth(&self, condition: &InputValue) -> Option<bool> {
        let value = match condition {
            InputValue::Boolean(value) => return Some(*value),
            InputValue::Variable(name) => self.variables.get(name).or_else(|| {
                let definitions = &self.operation.variable_definitions;
                let definition = definitions.iter().find(|definition| definition.node.name.node == *name)?;
                definition.node.default_value.as_ref().map(|value| &value.node)
            }),
            _ => None,
        };
        match value {
            Some(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }
}

/// The fields of an object by the names they are answered under, each with the plan of what is
/// below it; made once for all entries of a list.
struct Plan<'d>(Vec<(&'d Name, Plan<'d>)>);

impl<'d> Plan<'d> {
    fn of(asked: &Asked<'d>, sets: &[&'d SelectionSet]) -> Self {
        let mut wanted = IndexMap::new();
        let mut seen = HashSet::new();
        for set in sets {
            collect(asked, set, &mut wanted, &mut seen);
        }
        let fields = wanted.into_iter().map(|(name, chosen)| {
            let below: Vec<&SelectionSet> = chosen.iter().map(|field| &field.selection_set.node).collect();
            (name, Self::of(asked, &below))
        });
        Self(fields.collect())
    }

    fn arrange(&self, value: &mut Value) {
        match value {
            Value::List(entries) if !self.0.is_empty() => {
                for entry in entries {
                    self.arrange(entry);
                }
            }
            Value::Object(fields) => {
                let mut former = std::mem::take(fields);
                fields.reserve(former.len());
                for (name, plan) in &self.0 {
                    // What a fragment selects on another type is not there.
                    if let Some((name, mut field)) = former.swap_remove_entry(*name) {
                        plan.arrange(&mut field);
                        fields.insert(name, field);
                    }
                }
                // Nothing is ever lost.
                fields.extend(former);
            }
            _ => {}
        }
    }
}

/// The fields of a selection by the name they are answered under, in the order of first mention; a
/// fragment that was looked into once adds nothing the second time.
fn collect<'d>(
    asked: &Asked<'d>,
    set: &'d SelectionSet,
    wanted: &mut IndexMap<&'d Name, Vec<&'d Field>>,
    seen: &mut HashSet<&'d Name>,
) {
    for Positioned { node, .. } in &set.items {
        if asked.leaves_out(node) {
            continue;
        }
        match node {
            Selection::Field(field) => {
                let name = &field.node.response_key().node;
                wanted.entry(name).or_default().push(&field.node);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = asked.document.fragments.get(name)
                    && seen.insert(name)
                {
                    collect(asked, &fragment.node.selection_set.node, wanted, seen);
                }
            }
            Selection::InlineFragment(fragment) => {
                collect(asked, &fragment.node.selection_set.node, wanted, seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use async_graphql::value;

    fn arranged(query: &str, mut data: Value) -> String {
        let document = parse_query(query).expect("a query");
        in_order(&document, None, &Variables::default(), &mut data);
        data.to_string()
    }

    #[test]
    fn fields_come_in_the_order_they_were_asked_for() {
        let data = value!({"b": [{"y": 2, "x": 1}, null], "other": 4, "a": 3});
        assert_eq!(arranged("{ a b { x y } other: c }", data), "{a: 3, b: [{x: 1, y: 2}, null], other: 4}");
    }

    #[test]
    fn what_was_left_out_has_no_place() {
        let query = "query($no: Boolean = false) { ... @include(if: $no) { a } b a @skip(if: $no) }";
        assert_eq!(arranged(query, value!({"a": 1, "b": 2})), "{b: 2, a: 1}");
    }

    #[test]
    fn fragments_are_looked_into_and_merged() {
        let query = "{ n { ...F ... on T { z } x } } fragment F on T { y n { b } n { a } }";
        let data = value!({"n": {"x": 1, "n": {"a": 1, "b": 2}, "z": 3, "y": 2}});
        assert_eq!(arranged(query, data), "{n: {y: 2, n: {b: 2, a: 1}, z: 3, x: 1}}");
    }
}
