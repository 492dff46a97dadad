//! Puts the one field of a subscription at its root.
//!
//! The executor looks for it there and nowhere else: a fragment at the root yields nothing, without
//! a word, and `@skip` and `@include` are not looked at.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value};
use serde_json::Value as Json;

use super::used::{used_fragments, used_variables};
use super::{Refusal, code};

/// The type at the root of subscriptions; its name is the usual one.
const ROOT: &str = "Subscription";

/// Replaces what stands at the root of the selected operation, if it is a subscription, by the one
/// field it amounts to.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` when that are none or several, or when it can't be told.
pub(super) fn flatten(
    document: &mut ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Json,
) -> Result<(), Box<Refusal>> {
    let operation = match (&document.operations, operation_name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => match operations.get(name) {
            Some(operation) => operation,
            None => return Ok(()),
        },
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(operation) => operation,
            None => return Ok(()),
        },
    };
    if operation.node.ty != OperationType::Subscription {
        return Ok(());
    }
    let mut collector =
        Collector { document, operation: &operation.node, variables, seen: HashSet::new(), field: None };
    collector.collect(&operation.node.selection_set.node)?;
    let Some(field) = collector.field else { return Err(not_one(operation.pos)) };
    if field.node.name.node.starts_with("__") {
        return Err(refuse("A subscription can't select introspection at its root.", field.pos));
    }

    let (fragments, variables) = (used_fragments(document), used_variables(document));
    let root = SelectionSet { items: vec![Positioned::new(Selection::Field(field.clone()), field.pos)] };
    if let Some(operation) = selected(document, operation_name) {
        operation.selection_set.node = root;
    }
    // What was used here only is not used any more; what nobody used is still refused for that.
    let left = used_fragments(document);
    document.fragments.retain(|name, _| left.contains(name) || !fragments.contains(name));
    let left = used_variables(document);
    if let Some(operation) = selected(document, operation_name) {
        operation.variable_definitions.retain(|definition| {
            let name = &definition.node.name.node;
            left.contains(name) || !variables.contains(name)
        });
    }
    Ok(())
}

fn selected<'document>(
    document: &'document mut ExecutableDocument,
    operation_name: Option<&str>,
) -> Option<&'document mut OperationDefinition> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => Some(&mut operation.node),
        DocumentOperations::Multiple(operations) => operations
            .iter_mut()
            .find(|(known, _)| operation_name.is_none_or(|name| known.as_str() == name))
            .map(|(_, operation)| &mut operation.node),
    }
}

struct Collector<'document> {
    document: &'document ExecutableDocument,
    operation: &'document OperationDefinition,
    variables: &'document Json,
    seen: HashSet<&'document Name>,
    field: Option<Positioned<Field>>,
}

impl<'document> Collector<'document> {
    fn collect(&mut self, set: &'document SelectionSet) -> Result<(), Box<Refusal>> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    if self.is_included(&field.node.directives)? {
                        self.add(field)?;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    only_conditions(&fragment.node.directives)?;
                    if self.is_included(&fragment.node.directives)? {
                        if let Some(condition) = condition {
                            on_root(&condition.node.on.node, item.pos)?;
                        }
                        self.collect(&fragment.node.selection_set.node)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    only_conditions(&spread.node.directives)?;
                    let name = &spread.node.fragment_name.node;
                    if self.is_included(&spread.node.directives)? && self.seen.insert(name) {
                        let fragment = self
                            .fragment(name)
                            .ok_or_else(|| refuse(format!("The fragment {name} is not in the document."), item.pos))?;
                        only_conditions(&fragment.directives)?;
                        on_root(&fragment.type_condition.node.on.node, item.pos)?;
                        self.collect(&fragment.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn fragment(&self, name: &Name) -> Option<&'document FragmentDefinition> {
        self.document.fragments.get(name).map(|fragment| &fragment.node)
    }

    /// Adds a field; the same one once more adds what it selects.
    fn add(&mut self, field: &Positioned<Field>) -> Result<(), Box<Refusal>> {
        let mut field = field.clone();
        field.node.directives.retain(|directive| !is_condition(&directive.node));
        let Some(first) = &mut self.field else {
            self.field = Some(field);
            return Ok(());
        };
        let has_all = |one: &Field, other: &Field| {
            one.arguments.iter().all(|(name, value)| {
                other.arguments.iter().any(|(known, same)| name.node == known.node && value.node == same.node)
            })
        };
        let same = first.node.response_key().node == field.node.response_key().node
            && first.node.name.node == field.node.name.node
            && has_all(&first.node, &field.node)
            && has_all(&field.node, &first.node);
        if !same {
            return Err(not_one(field.pos));
        }
        first.node.selection_set.node.items.append(&mut field.node.selection_set.node.items);
        Ok(())
    }

    /// Whether `@skip` and `@include` leave a selection in.
    fn is_included(&self, directives: &[Positioned<Directive>]) -> Result<bool, Box<Refusal>> {
        for directive in directives.iter().filter(|directive| is_condition(&directive.node)) {
            let [(name, value)] = &directive.node.arguments[..] else { return Err(unclear(directive.pos)) };
            if name.node != "if" {
                return Err(unclear(directive.pos));
            }
            let value = value.node.clone().into_const_with(|variable| self.variable(&variable).ok_or(()));
            let Ok(Value::Boolean(condition)) = value else { return Err(unclear(directive.pos)) };
            let includes = directive.node.name.node == "include";
            if condition != includes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let mut definitions = self.operation.variable_definitions.iter();
        let definition = definitions.find(|definition| definition.node.name.node == *name)?;
        match self.variables.get(name.as_str()) {
            Some(value) => value.as_bool().map(Value::Boolean),
            None => definition.node.default_value.as_ref().map(|default| default.node.clone()),
        }
    }
}

fn is_condition(directive: &Directive) -> bool {
    matches!(directive.name.node.as_str(), "skip" | "include")
}

/// Other directives would be lost with the fragment they stand at.
fn only_conditions(directives: &[Positioned<Directive>]) -> Result<(), Box<Refusal>> {
    match directives.iter().find(|directive| !is_condition(&directive.node)) {
        Some(other) => Err(refuse(
            format!("The directive @{} can't stand at the root of a subscription.", other.node.name.node),
            other.pos,
        )),
        None => Ok(()),
    }
}

fn on_root(type_name: &Name, position: Pos) -> Result<(), Box<Refusal>> {
    if type_name == ROOT {
        return Ok(());
    }
    Err(refuse(format!("A fragment on {type_name} can't be spread at the root of a subscription."), position))
}

fn not_one(position: Pos) -> Box<Refusal> {
    refuse("A subscription must select exactly one root field.", position)
}

fn unclear(position: Pos) -> Box<Refusal> {
    refuse("The condition needs the argument if with a boolean.", position)
}

fn refuse(message: impl Into<String>, position: Pos) -> Box<Refusal> {
    Box::new(Refusal { position: Some(position), ..Refusal::new(code::GRAPHQL_VALIDATION_FAILED, message) })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    /// The name of the root field and of what is below it, and the fragments that are left; or why
    /// not.
    fn flat(text: &str, variables: &Json) -> Result<(String, Vec<String>), String> {
        let mut document = parse_query(text).unwrap();
        flatten(&mut document, None, variables).map_err(|refusal| {
            assert_eq!(refusal.code, code::GRAPHQL_VALIDATION_FAILED);
            refusal.message
        })?;
        let (_, operation) = document.operations.iter().next().unwrap();
        let fields = |set: &SelectionSet| -> Vec<String> {
            set.items
                .iter()
                .map(|item| match &item.node {
                    Selection::Field(field) => field.node.response_key().node.to_string(),
                    Selection::FragmentSpread(spread) => format!("...{}", spread.node.fragment_name.node),
                    Selection::InlineFragment(_) => "...".to_owned(),
                })
                .collect()
        };
        let [Selection::Field(root)] =
            &operation.node.selection_set.node.items.iter().map(|item| item.node.clone()).collect::<Vec<_>>()[..]
        else {
            panic!("one field");
        };
        assert!(root.node.directives.is_empty());
        let below = fields(&root.node.selection_set.node).join(" ");
        let mut left: Vec<_> = document.fragments.keys().map(Name::to_string).collect();
        left.sort();
        Ok((format!("{} {below}", root.node.response_key().node), left))
    }

    #[test]
    fn one_field_is_found_wherever_it_stands() {
        for (text, expected, left) in [
            ("subscription { a { x } }", "a x", &[][..]),
            ("subscription { ... { a { x } } }", "a x", &[]),
            ("subscription { ... on Subscription { n: a { x } } }", "n x", &[]),
            (
                "subscription { ...F } fragment F on Subscription { a { x ...G } } fragment G on A { y }",
                "a x ...G",
                &["G"],
            ),
            (
                "subscription { ...F ...F } fragment F on Subscription { ...G } fragment G on Subscription { a { x } }",
                "a x",
                &[],
            ),
            ("subscription { a(i: 1, j: 2) { x } ... { a(j: 2, i: 1) { y } } }", "a x y", &[]),
            ("subscription { a @include(if: true) { x } b @skip(if: true) { y } }", "a x", &[]),
            ("subscription($v: Boolean!) { a @skip(if: $v) { x } b @include(if: $v) { y } }", "b y", &[]),
            (
                "subscription($w: Boolean = false) { a @skip(if: $w) { x } ...F @include(if: $w) } fragment F on Subscription { b { y } }",
                "a x",
                &[],
            ),
            ("subscription { a { x } } fragment Unused on A { y }", "a x", &["Unused"]),
        ] {
            let found = flat(text, &json!({"v": true})).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(
                (found.0.as_str(), &found.1[..]),
                (expected, &left.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn variables_that_nothing_uses_any_more_are_gone() {
        let text = "subscription($a: Boolean!, $b: Int, $c: Int, $d: Int) { \
            a(n: $b) @include(if: $a) { x(m: [{ k: $c }]) } ...F @skip(if: $a) } \
            fragment F on Subscription { b(n: $d) { y } }";
        let mut document = parse_query(text).unwrap();
        flatten(&mut document, None, &json!({"a": true})).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let left: Vec<&str> =
            operation.node.variable_definitions.iter().map(|definition| definition.node.name.node.as_str()).collect();
        assert_eq!(left, ["b", "c"]);
    }

    #[test]
    fn none_several_and_riddles_are_refused() {
        let one = "exactly one root field";
        for (text, why) in [
            ("subscription { a { x } b { y } }", one),
            ("subscription { a { x } n: a { x } }", one),
            ("subscription { a(i: 1) { x } a(i: 2) { x } }", one),
            ("subscription { a { x } ...F } fragment F on Subscription { b { y } }", one),
            ("subscription { a @skip(if: true) { x } }", one),
            ("subscription { a { x } __typename }", one),
            ("subscription { __typename }", "introspection"),
            ("subscription { ... on Query { a { x } } }", "on Query"),
            ("subscription { ...F } fragment F on A { x }", "on A"),
            ("subscription { ...F }", "not in the document"),
            ("subscription { ...F } fragment F on Subscription { ...F }", one),
            ("subscription { ... @defer { a { x } } }", "@defer"),
            ("subscription { a @skip { x } }", "condition"),
            ("subscription { a @skip(if: 1) { x } }", "condition"),
            ("subscription { a @skip(if: $unknown) { x } }", "condition"),
            ("subscription($n: Boolean) { a @include(if: $n) { x } }", "condition"),
        ] {
            let refused = flat(text, &json!({"n": null})).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn other_operations_are_left_alone() {
        let mut document = parse_query("query { a { x } b { y } ...F } fragment F on Query { c }").unwrap();
        let before = format!("{document:?}");
        flatten(&mut document, None, &Json::Null).unwrap();
        assert_eq!(format!("{document:?}"), before);
    }
}
