//! The schema as a whole.

use std::collections::BTreeMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, ServiceDocument, TypeKind, TypeSystemDefinition,
};

use crate::domain::permission::{Action, READS, permitted};

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

/// The root fields of the schema with what their directive says: roles, and the limit.
fn accesses() -> BTreeMap<String, String> {
    let mut accesses = BTreeMap::new();
    for definition in parsed().definitions {
        let TypeSystemDefinition::Type(one) = definition else {
            continue;
        };
        let TypeKind::Object(object) = one.node.kind else {
            continue;
        };
        if !["Query", "Mutation", "Subscription"].contains(&one.node.name.node.as_str()) {
            continue;
        }
        for field in object.fields {
            let arguments = field.node.directives.iter().map(|one| &one.node);
            let said = arguments
                .filter(|one| one.name.node == "access")
                .flat_map(|one| &one.arguments)
                .map(|(name, value)| format!("{}: {}", name.node, value.node));
            accesses.insert(field.node.name.node.to_string(), said.collect::<Vec<_>>().join(", "));
        }
    }
    accesses
}

#[test]
fn every_root_field_says_who_may_call_it_as_the_permission_table_does() {
    let reads = READS.iter().map(|row| (row.field.to_owned(), (row.roles, row.limit)));
    let actions = Action::ALL.iter().map(|one| (one.field_name(), permitted(*one)));
    let table: BTreeMap<String, String> = reads
        .chain(actions)
        .map(|(field, (roles, limit))| {
            let codes: Vec<&str> = roles.iter().map(|role| role.code()).collect();
            let mut said = format!("roles: [{}]", codes.join(", "));
            if !limit.is_empty() {
                said.push_str(&format!(", limit: {limit:?}"));
            }
            (field, said)
        })
        .collect();
    assert_eq!(table.len(), READS.len() + Action::ALL.len());
    assert_eq!(accesses(), table);
}

#[test]
fn nobody_who_reads_the_schema_meets_rust() {
    let schema = exported();
    for word in ["Rust", "impl ", "Arc<", "Option<", "trait "] {
        assert!(!schema.contains(word), "{word}");
    }
}
