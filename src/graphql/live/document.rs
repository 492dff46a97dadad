//! Documents as groups compare them: what differs in spelling only is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

/// Arguments of a subscription that say where it begins, not what it follows.
const BEGINNINGS: [&str; 2] = ["after", "snapshot"];

/// A subscription's document without where it begins.
#[derive(Debug)]
pub struct Document {
    /// The same text for all documents that ask for the same.
    pub text: Arc<str>,
    /// What is executed.
    pub parsed: ExecutableDocument,
    /// Which of its operations.
    pub name: Option<String>,
}

/// A document with the values of its variables.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The document; operations that differ in values only share it.
    pub document: Arc<Document>,
    /// The values.
    pub variables: Variables,
    /// The same text for values that are the same.
    pub values: Arc<str>,
}

impl Operation {
    /// The operation of a request; nothing if its document has no such operation.
    pub fn of(mut parsed: ExecutableDocument, name: Option<String>, mut variables: Variables) -> Option<Self> {
        let operation = selected(&mut parsed, name.as_deref())?;
        for selection in &mut operation.selection_set.node.items {
            if let Selection::Field(field) = &mut selection.node {
                field.node.arguments.retain(|(argument, _)| !BEGINNINGS.contains(&argument.node.as_str()));
            }
        }
        let mut used = BTreeSet::new();
        note_set(&operation.selection_set.node, &mut used);
        note_directives(&operation.directives, &mut used);
        for fragment in parsed.fragments.values() {
            note_set(&fragment.node.selection_set.node, &mut used);
            note_directives(&fragment.node.directives, &mut used);
        }
        variables.retain(|variable, _| used.contains(variable));
        let operation = selected(&mut parsed, name.as_deref())?;
        operation.variable_definitions.retain(|definition| used.contains(&definition.node.name.node));
        let operation = operation.clone();
        let values = Printer::default().values(&operation, &variables).into();
        let text = Printer::default().operation(&parsed, &operation).into();
        Some(Self { document: Arc::new(Document { text, parsed, name }), variables, values })
    }
}

/// The operation that is executed.
pub fn selected<'d>(document: &'d mut ExecutableDocument, name: Option<&str>) -> Option<&'d mut OperationDefinition> {
    use async_graphql::parser::types::DocumentOperations::{Multiple, Single};
    match (&mut document.operations, name) {
        (Single(operation), _) => Some(&mut operation.node),
        (Multiple(operations), Some(name)) => operations.get_mut(name).map(|operation| &mut operation.node),
        (Multiple(operations), None) => operations.values_mut().next().map(|operation| &mut operation.node),
    }
}

fn note_set(set: &SelectionSet, used: &mut BTreeSet<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                for (_, value) in &field.node.arguments {
                    note(&value.node, used);
                }
                note_directives(&field.node.directives, used);
                note_set(&field.node.selection_set.node, used);
            }
            Selection::FragmentSpread(spread) => note_directives(&spread.node.directives, used),
            Selection::InlineFragment(fragment) => {
                note_directives(&fragment.node.directives, used);
                note_set(&fragment.node.selection_set.node, used);
            }
        }
    }
}

fn note_directives(directives: &[Positioned<Directive>], used: &mut BTreeSet<Name>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        note(&value.node, used);
    }
}

fn note(value: &Value, used: &mut BTreeSet<Name>) {
    match value {
        Value::Variable(name) => {
            used.insert(name.clone());
        }
        Value::List(items) => items.iter().for_each(|item| note(item, used)),
        Value::Object(fields) => fields.values().for_each(|field| note(field, used)),
        _ => {}
    }
}

/// Writes a document so that what means the same is written the same.
#[derive(Default)]
struct Printer(String);

impl Printer {
    fn operation(mut self, document: &ExecutableDocument, operation: &OperationDefinition) -> String {
        let definitions: BTreeMap<&str, &VariableDefinition> = operation
            .variable_definitions
            .iter()
            .map(|definition| (definition.node.name.node.as_str(), &definition.node))
            .collect();
        for (name, definition) in definitions {
            self.word(&format!("${name}:{}", definition.var_type.node));
            if let Some(default) = &definition.default_value {
                self.0.push('=');
                self.value(&default.node.clone().into_value());
            }
        }
        self.directives(&operation.directives);
        self.set(&operation.selection_set.node);
        let fragments: BTreeMap<_, _> = document.fragments.iter().collect();
        for (name, fragment) in fragments {
            self.word(&format!("fragment {name} on {}", fragment.node.type_condition.node.on.node));
            self.directives(&fragment.node.directives);
            self.set(&fragment.node.selection_set.node);
        }
        self.0
    }

    fn values(mut self, operation: &OperationDefinition, variables: &Variables) -> String {
        // A variable that has no value has the one the document gives it.
        let mut values: BTreeMap<&str, Value> =
            variables.iter().map(|(name, value)| (name.as_str(), value.clone().into_value())).collect();
        for definition in &operation.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                values.entry(definition.node.name.node.as_str()).or_insert_with(|| default.node.clone().into_value());
            }
        }
        for (name, value) in &values {
            self.word(&format!("${name}="));
            self.value(value);
        }
        self.0
    }

    fn word(&mut self, word: &str) {
        self.0.push(' ');
        self.0.push_str(word);
    }

    fn set(&mut self, set: &SelectionSet) {
        if set.items.is_empty() {
            return;
        }
        self.0.push('{');
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::FragmentSpread(spread) => {
                    self.word(&format!("...{}", spread.node.fragment_name.node));
                    self.directives(&spread.node.directives);
                }
                Selection::InlineFragment(fragment) => {
                    self.word("...");
                    if let Some(condition) = &fragment.node.type_condition {
                        self.word(&format!("on {}", condition.node.on.node));
                    }
                    self.directives(&fragment.node.directives);
                    self.set(&fragment.node.selection_set.node);
                }
            }
        }
        self.0.push('}');
    }

    fn field(&mut self, field: &Field) {
        if let Some(alias) = &field.alias {
            self.word(&format!("{}:", alias.node));
        }
        self.word(field.name.node.as_str());
        self.arguments(&field.arguments);
        self.directives(&field.directives);
        self.set(&field.selection_set.node);
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)]) {
        let sorted: BTreeMap<&str, &Value> =
            arguments.iter().map(|(name, value)| (name.node.as_str(), &value.node)).collect();
        if sorted.is_empty() {
            return;
        }
        self.0.push('(');
        for (name, value) in sorted {
            self.word(&format!("{name}:"));
            self.value(value);
        }
        self.0.push(')');
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for directive in directives {
            self.word(&format!("@{}", directive.node.name.node));
            self.arguments(&directive.node.arguments);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let sorted: BTreeMap<&str, &Value> =
                    fields.iter().map(|(name, field)| (name.as_str(), field)).collect();
                self.0.push('{');
                for (name, field) in sorted {
                    self.word(&format!("{name}:"));
                    self.value(field);
                }
                self.0.push('}');
            }
            Value::List(items) => {
                self.0.push('[');
                for item in items {
                    self.0.push(' ');
                    self.value(item);
                }
                self.0.push(']');
            }
            other => {
                // Writing to a string does not fail.
                let _ = write!(self.0, "{other}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;

    fn text(document: &str, variables: Json) -> String {
        let document = parse_query(document).unwrap();
        let operation = Operation::of(document, None, Variables::from_json(variables)).unwrap();
        format!("{} {}", operation.document.text, operation.values)
    }

    #[test]
    fn spelling_does_not_count() {
        let plain = text(
            "subscription { orderEvents(filter: {kinds: [A], orderId: \"1\"}) { cursor ...F } } fragment F on E { x ...G } fragment G on E { y }",
            json!({}),
        );
        for same in [
            "subscription Name {\n  orderEvents(filter: {orderId: \"1\", kinds: [A]},) {\n cursor,\n ...F # c\n } }\n fragment G on E { y } fragment F on E { x ...G }",
            "subscription { orderEvents(after: \"c\", filter: {orderId: \"1\", kinds: [A]}) { cursor ...F } } fragment F on E { x ...G } fragment G on E { y }",
        ] {
            assert_eq!(text(same, json!({})), plain);
        }
        let expected = text(
            "subscription($a: ID!, $k: [K!] = [X], $after: String) { orderEvents(after: $after, id: $a, k: $k) { cursor } }",
            json!({"a": "1", "after": "one"}),
        );
        for (document, variables) in [
            ("subscription($k: [K!] = [X], $a: ID!) { orderEvents(k: $k, id: $a) { cursor } }", json!({"a": "1"})),
            (
                "subscription($after: String, $k: [K!] = [X], $a: ID!) { orderEvents(k: $k, id: $a, after: $after) { cursor } }",
                json!({"a": "1", "after": "other", "unknown": 1}),
            ),
        ] {
            assert_eq!(text(document, variables), expected, "{document}");
        }
    }

    #[test]
    fn meaning_does() {
        let document = "subscription($a: ID!) { orderEvents(id: $a) { cursor event { kind } } }";
        let expected = text(document, json!({"a": "1"}));
        for (other, variables) in [
            (document, json!({"a": "2"})),
            ("subscription($a: ID!) { orderEvents(id: $a) { event { kind } cursor } }", json!({"a": "1"})),
            ("subscription($a: ID!) { orderEvents(id: $a) { c: cursor event { kind } } }", json!({"a": "1"})),
            (
                "subscription($a: ID!) { orderEvents(id: $a) { cursor event @include(if: true) { kind } } }",
                json!({"a": "1"}),
            ),
            ("subscription { orderEvents(id: \"1\") { cursor event { kind } } }", json!({})),
        ] {
            assert_ne!(text(other, variables), expected, "{other}");
        }
    }

    #[test]
    fn where_it_begins_is_not_executed() {
        let document = parse_query(
            "subscription($after: String, $s: Boolean!) { orderProgress(after: $after, orderId: \"1\", snapshot: $s) { cursor } }",
        )
        .unwrap();
        let variables = Variables::from_json(json!({"after": "c", "s": true}));
        let operation = Operation::of(document, None, variables).unwrap();
        assert!(operation.variables.is_empty());
        let mut parsed = operation.document.parsed.clone();
        assert!(selected(&mut parsed, None).unwrap().variable_definitions.is_empty());
    }
}
