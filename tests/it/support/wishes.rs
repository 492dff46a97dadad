//! Random documents: subscriptions that select whatever the schema has.

use std::collections::HashMap;

use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use ordergraph::graphql::sdl;

use super::seed::Seed;

/// The fields of the schema's types.
pub struct Wishes {
    fields: HashMap<String, Vec<FieldDefinition>>,
}

impl Wishes {
    pub fn new() -> Self {
        let mut fields = HashMap::new();
        for definition in async_graphql::parser::parse_schema(sdl()).expect("a schema").definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            if let TypeKind::Object(object) = definition.node.kind {
                let of_type = object.fields.into_iter().map(|field| field.node).collect();
                fields.insert(definition.node.name.node.to_string(), of_type);
            }
        }
        Self { fields }
    }

    /// A subscription to `orderEvents` that selects so many fields of each type, so deep.
    pub fn order_events(&self, seed: &mut Seed, width: usize, depth: usize) -> String {
        let event = self.selection("Event", seed, width, depth);
        let order = self.selection("Order", seed, width, depth);
        format!(
            "subscription($after: String) {{ orderEvents(after: $after) {{ cursor event {{ id {event} }} order {{ id {order} }} }} }}"
        )
    }

    fn selection(&self, of_type: &str, seed: &mut Seed, width: usize, depth: usize) -> String {
        let fields: Vec<&FieldDefinition> = self.fields[of_type].iter().filter(|field| is_free(field)).collect();
        let mut selected = Vec::new();
        for _ in 0..width {
            let field = fields[seed.below(fields.len())];
            let (name, below) = (field.name.node.as_str(), base(&field.ty.node));
            if selected.iter().any(|known: &String| known.split(' ').next() == Some(name)) {
                continue;
            }
            match self.fields.contains_key(below) {
                false if self.is_leaf(below) => selected.push(name.to_owned()),
                true if depth > 0 => {
                    selected.push(format!("{name} {{ __typename {} }}", self.selection(below, seed, width, depth - 1)));
                }
                _ => {}
            }
        }
        selected.join(" ")
    }

    /// Interfaces and unions are left out: they show what other types show as well.
    fn is_leaf(&self, name: &str) -> bool {
        !["Node"].contains(&name)
    }
}

/// Needs no argument, and shows a page at most.
fn is_free(field: &FieldDefinition) -> bool {
    let required = |argument: &async_graphql::Positioned<async_graphql::parser::types::InputValueDefinition>| {
        !argument.node.ty.node.nullable && argument.node.default_value.is_none()
    };
    !field.arguments.iter().any(required)
}

fn base(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}
