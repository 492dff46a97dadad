//! Documents by chance, made from the schema itself: aliases, fragments, conditions, the same field
//! several times, lists within lists with arguments.

use std::collections::HashMap;
use std::fmt::Write as _;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition};

use crate::support::seed::Seed;

/// The object types of the schema.
pub struct Types {
    objects: HashMap<String, Vec<FieldDefinition>>,
    /// The types that have an interface.
    nodes: Vec<String>,
}

/// What documents may name.
pub struct Things {
    pub orders: Vec<String>,
    /// Global ids of anything.
    pub ids: Vec<String>,
}

impl Types {
    /// Those of the server.
    pub fn of_the_schema() -> Self {
        let mut types = Self { objects: HashMap::new(), nodes: Vec::new() };
        for definition in parse_schema(ordergraph::graphql::sdl()).expect("a schema").definitions {
            let TypeSystemDefinition::Type(one) = definition else { continue };
            let name = one.node.name.node.to_string();
            if let TypeKind::Object(object) = one.node.kind {
                if !object.implements.is_empty() {
                    types.nodes.push(name.clone());
                }
                let fields = object.fields.into_iter().map(|field| field.node).collect();
                types.objects.insert(name, fields);
            }
        }
        types.nodes.sort();
        types
    }

    fn is_object(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }
}

/// A document that is being made.
pub struct Maker<'m> {
    types: &'m Types,
    things: &'m Things,
    seed: Seed,
    fragments: String,
    count: usize,
    /// Objects that may still be selected, so that no document grows without end.
    left: usize,
}

impl<'m> Maker<'m> {
    /// A document with the variables `$yes` and `$no`, which are what they are called.
    pub fn document(types: &'m Types, things: &'m Things, seed: Seed) -> String {
        let mut maker = Self { types, things, seed, fragments: String::new(), count: 0, left: 0 };
        maker.left = 4 + maker.seed.below(14);
        let mut roots = String::new();
        for _ in 0..=maker.seed.below(2) {
            let root = maker.root();
            if maker.seed.percent(10) {
                let _ = write!(roots, "... on Query {{ {root} }} ");
            } else {
                roots.push_str(&root);
            }
        }
        format!(
            "query($yes: Boolean!, $no: Boolean!) {{ {roots}last: viewer {{ subject @include(if: $yes) roles @skip(if: $no) }} }}{}",
            maker.fragments
        )
    }

    fn root(&mut self) -> String {
        let order = self.things.orders[self.seed.below(self.things.orders.len())].clone();
        let id = self.things.ids[self.seed.below(self.things.ids.len())].clone();
        let number = 1 + self.seed.below(4);
        let (field, of) = match self.seed.below(12) {
            0..=2 => (format!("order(by: {{ id: \"{order}\" }})"), "Order"),
            3 => (format!("orders(first: {number})"), "OrderConnection"),
            4 => {
                (format!("orders(last: {number}, sort: {{ field: NUMBER, direction: ASCENDING }})"), "OrderConnection")
            }
            5 => (
                format!("orders(first: {number}, sort: {{ field: REQUIRED_BY }}, filter: {{ overdue: false }})"),
                "OrderConnection",
            ),
            6 => (format!("allocations(first: {number})"), "AllocationConnection"),
            7 => (format!("deliveries(first: {number})"), "DeliveryConnection"),
            8 => (format!("tickets(first: {number})"), "TicketConnection"),
            9 => (format!("node(id: \"{id}\")"), "Node"),
            10 => (format!("nodes(ids: [\"{id}\", \"{order}\"])"), "Node"),
            _ => ("viewer".to_owned(), "Viewer"),
        };
        let alias = self.name();
        format!("{alias}: {field} {} ", self.set(of, 0))
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("x{}", self.count)
    }

    /// A selection set of a type.
    fn set(&mut self, of: &str, depth: usize) -> String {
        self.left = self.left.saturating_sub(1);
        if of == "Node" {
            let nodes = self.types.nodes.clone();
            let mut set = "{ __typename id ".to_owned();
            for _ in 0..3 {
                let node = &nodes[self.seed.below(nodes.len())];
                let _ = write!(set, "... on {node} {} ", self.set(node, depth + 1));
            }
            set.push('}');
            return set;
        }
        let mut set = String::from("{ ");
        for _ in 0..2 + self.seed.below(6) {
            let selection = self.selection(of, depth);
            set.push_str(&selection);
            set.push(' ');
        }
        if self.seed.percent(15) {
            set.push_str("__typename ");
        }
        set.push_str("id_or_not: __typename }");
        set
    }

    fn selection(&mut self, of: &str, depth: usize) -> String {
        let inner = self.field(of, depth);
        match self.seed.below(20) {
            0 => format!("... on {of} {{ {inner} }}"),
            1 => format!("... {{ {inner} }}"),
            2 => {
                let name = self.name();
                let _ = write!(self.fragments, " fragment F{name} on {of} {{ {inner} }}");
                format!("...F{name} ...F{name}")
            }
            3 if self.types.nodes.iter().any(|node| node == of) => format!("... on Node {{ id }} {inner}"),
            4 => format!("... @include(if: $yes) {{ {inner} }}"),
            5 => format!("... @skip(if: $yes) {{ {inner} }}"),
            _ => inner,
        }
    }

    fn field(&mut self, of: &str, depth: usize) -> String {
        let fields = &self.types.objects[of];
        let field = fields[self.seed.below(fields.len())].clone();
        let name = field.name.node.to_string();
        let base = base(&field.ty.node.to_string());
        let is_object = self.types.is_object(&base);
        // An answer must not depend on when it was given.
        if name == "requestId" || (is_object && (depth >= 7 || self.left == 0)) {
            return "__typename".to_owned();
        }
        let has_arguments = !field.arguments.is_empty();
        let arguments = match (has_arguments, self.seed.below(3)) {
            (false, _) => String::new(),
            (true, 0) => "(first: 2)".to_owned(),
            (true, 1) => "(last: 3)".to_owned(),
            (true, _) => "(first: 1, after: null)".to_owned(),
        };
        let condition = match self.seed.below(24) {
            0 => " @include(if: $yes)",
            1 => " @include(if: $no)",
            2 => " @skip(if: $no)",
            3 => " @skip(if: $yes)",
            _ => "",
        };
        let below = if is_object { self.set(&base, depth + 1) } else { String::new() };
        // With arguments or conditions the same name could mean two things.
        if has_arguments || !condition.is_empty() || self.seed.percent(12) {
            let alias = self.name();
            format!("{alias}: {name}{arguments}{condition} {below}")
        } else {
            format!("{name} {below}")
        }
    }
}

/// The name of a type without what says that there are several, or that there is one.
fn base(ty: &str) -> String {
    ty.trim_matches(|letter| matches!(letter, '[' | ']' | '!')).to_owned()
}
