//! The schema as a whole.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, ServiceDocument, TypeKind, TypeSystemDefinition,
};

use crate::domain::permission::READS;

fn exported() -> String {
    super::sdl()
}

fn parsed() -> ServiceDocument {
    parse_schema(exported()).expect("the export is a schema")
}

fn says(description: Option<&Positioned<String>>) -> bool {
    description.is_some_and(|text| !text.node.trim().is_empty())
}

fn mute_inputs(path: &str, inputs: &[Positioned<InputValueDefinition>], mute: &mut Vec<String>) {
    for input in inputs {
        if !says(input.node.description.as_ref()) {
            mute.push(format!("{path}.{}", input.node.name.node));
        }
    }
}

fn mute_fields(path: &str, fields: &[Positioned<FieldDefinition>], mute: &mut Vec<String>) {
    for field in fields {
        let path = format!("{path}.{}", field.node.name.node);
        if !says(field.node.description.as_ref()) {
            mute.push(path.clone());
        }
        mute_inputs(&path, &field.node.arguments, mute);
    }
}

#[test]
fn everything_is_described() {
    let mut mute = Vec::new();
    let mut types = 0;
    for definition in parsed().definitions {
        let TypeSystemDefinition::Type(one) = definition else {
            continue;
        };
        types += 1;
        let name = one.node.name.node.to_string();
        if !says(one.node.description.as_ref()) {
            mute.push(name.clone());
        }
        match &one.node.kind {
            TypeKind::Object(object) => mute_fields(&name, &object.fields, &mut mute),
            TypeKind::Interface(interface) => mute_fields(&name, &interface.fields, &mut mute),
            TypeKind::InputObject(input) => mute_inputs(&name, &input.fields, &mut mute),
            TypeKind::Enum(values) => {
                for value in &values.values {
                    if !says(value.node.description.as_ref()) {
                        mute.push(format!("{name}.{}", value.node.value.node));
                    }
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert!(types > 100, "{types} types");
    assert!(mute.is_empty(), "without a description: {mute:#?}");
}

#[test]
fn the_root_fields_are_those_of_the_permission_table() {
    let subscriptions = [
        "orderEvents",
        "orderProgress",
        "stockAlerts",
        "ticketUpdates",
    ];
    let permitted: Vec<&str> = READS
        .iter()
        .map(|row| row.field)
        .filter(|field| !subscriptions.contains(field))
        .collect();
    let mut fields = Vec::new();
    for definition in parsed().definitions {
        if let TypeSystemDefinition::Type(one) = definition
            && one.node.name.node == "Query"
            && let TypeKind::Object(query) = one.node.kind
        {
            let names = query.fields.iter();
            fields.extend(names.map(|field| field.node.name.node.to_string()));
        }
    }
    assert_eq!(fields, permitted);
}

#[test]
fn nobody_who_reads_the_schema_meets_rust() {
    let schema = exported();
    for word in ["Rust", "impl ", "Arc<", "Option<", "trait "] {
        assert!(!schema.contains(word), "{word}");
    }
}
