//! What a document asks for, in terms of what can be read at once.
//!
//! It is found out for the whole document, not field by field: whatever is asked for of a type
//! anywhere is read wherever that type is met. What this overlooks is not wrong, only slower: the
//! loaders read what is not known when it is asked for.

mod properties;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Context, Positioned};
use async_graphql_value::Value as InputValue;

use super::connection::Paging;
use super::write::ByExecutor;
use crate::app::read::Keyset;
use crate::app::read::tree::{AllocationParts, Properties, Wanted};

/// Fields for which the whole order is needed, on whatever type.
const OF_THE_ORDER: [&str; 6] = ["availableActions", "checklistItems", "cost", "options", "order", "orderLine"];

/// What was found out about a document of one query that is valid.
#[derive(Default)]
pub struct KnownDocument {
    /// What is wanted, if no variable changes that.
    wanted: OnceLock<Arc<Wanted>>,
}

/// What is wanted of orders and of what belongs to them.
pub fn wanted(ctx: &Context<'_>) -> Arc<Wanted> {
    if ctx.data_opt::<ByExecutor>().is_some() {
        return Arc::new(Wanted::whole_orders());
    }
    let known = ctx.data_opt::<Arc<KnownDocument>>();
    if let Some(wanted) = known.and_then(|known| known.wanted.get()) {
        return Arc::clone(wanted);
    }
    let mut asked = Asked { ctx, of: HashMap::new(), timelines: Vec::new(), varies: false };
    let root = ctx.schema_env.registry.query_type.as_str();
    asked.walk(root, &ctx.query_env.operation.node.selection_set.node);
    let varies = asked.varies;
    let wanted = Arc::new(asked.into_wanted(root));
    if let Some(known) = known
        && !varies
    {
        known.wanted.get_or_init(|| Arc::clone(&wanted));
    }
    wanted
}

/// What is asked for of each type.
struct Asked<'c> {
    ctx: &'c Context<'c>,
    of: HashMap<&'c str, HashSet<&'c str>>,
    timelines: Vec<Keyset>,
    /// Does where the pages of a history lie follow from variables?
    varies: bool,
}

impl<'c> Asked<'c> {
    fn registry(&self) -> &'c Registry {
        &self.ctx.schema_env.registry
    }

    fn walk(&mut self, type_name: &'c str, set: &'c SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(type_name, field),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|one| one.node.on.node.as_str());
                    self.walk(condition.unwrap_or(type_name), &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        self.walk(condition, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, type_name: &'c str, field: &'c Positioned<Field>) {
        let name = field.node.name.node.as_str();
        if (type_name, name) == ("Order", "timeline") {
            let mut arguments = field.node.arguments.iter();
            self.varies |= arguments.any(|(_, value)| matches!(value.node, InputValue::Variable(_)));
            let keyset = keyset(self.ctx, field).filter(|keyset| !self.timelines.contains(keyset));
            self.timelines.extend(keyset);
        }
        self.of.entry(type_name).or_default().insert(name);
        let known = self.registry().types.get(type_name).and_then(|of| MetaType::field_by_name(of, name));
        if let Some(known) = known {
            self.walk(MetaTypeName::concrete_typename(&known.ty), &field.node.selection_set.node);
        }
    }

    fn has(&self, type_name: &str, field: &str) -> bool {
        self.of.get(type_name).is_some_and(|fields| fields.contains(field))
    }

    fn anywhere(&self, field: &str, but_of: &str) -> bool {
        self.of.iter().any(|(name, fields)| *name != but_of && fields.contains(field))
    }

    fn into_wanted(self, root: &str) -> Wanted {
        let is_asked = |field: &str| self.has("Order", field);
        let whole_order = OF_THE_ORDER.iter().any(|field| self.anywhere(field, root));
        let (allocations, allocation) = self.allocations();
        let deliveries = properties::of(properties::DELIVERY, self.fields("Delivery"));
        Wanted {
            total: self.has("OrderConnection", "totalCount"),
            orders: match whole_order {
                true => Properties::All,
                false => properties::of(properties::ORDER, self.fields("Order")),
            },
            lines: if whole_order { Some(Properties::All) } else { self.lines() },
            customers: self.anywhere("customer", root),
            products: self
                .anywhere("product", root)
                .then(|| properties::of(properties::PRODUCT, self.fields("Product"))),
            components: self.has("Product", "components"),
            reviews: ["availableActions", "clarifications", "review"].into_iter().any(is_asked),
            allocations,
            allocation,
            decisions: self.has("Allocation", "decision"),
            delivery_lines: self.has("Delivery", "lines") || deliveries == Properties::All,
            deliveries: is_asked("deliveries").then_some(deliveries),
            reports: self.has("Delivery", "trackingEvents"),
            tickets: is_asked("tickets"),
            settlement: is_asked("settlement"),
            people: self.of.contains_key("Person"),
            units: self.of.contains_key("Unit"),
            changes: self.has("Event", "changes"),
            timelines: self.timelines,
        }
    }

    /// The fields of a type that are asked for.
    fn fields(&self, type_name: &str) -> impl Iterator<Item = &'c str> {
        self.of.get(type_name).into_iter().flatten().copied()
    }

    /// What of the lines of orders, if any of it.
    fn lines(&self) -> Option<Properties> {
        let of_lines = |field: &&str| properties::ORDER_OF_LINES.iter().any(|(name, _)| name == field);
        let is_known = |field: &str| field == "__typename" || properties::ORDER.iter().any(|(name, _)| *name == field);
        if !self.fields("Order").all(is_known) {
            return Some(Properties::All);
        }
        self.fields("Order").find(of_lines)?;
        let own = properties::of(properties::ORDER_LINE, self.fields("OrderLine"));
        let counts = properties::of(properties::LINE_QUANTITIES, self.fields("LineQuantities"));
        let of_order = properties::of(properties::ORDER_OF_LINES, self.fields("Order").filter(of_lines));
        Some(properties::both(properties::both(own, counts), of_order))
    }

    /// Which parts of allocations, if any, and what of them apart from that.
    fn allocations(&self) -> (Option<AllocationParts>, Properties) {
        if !self.has("Order", "allocations") {
            return (None, Properties::All);
        }
        let own = properties::of(properties::ALLOCATION, self.fields("Allocation"));
        // Whoever gets at an allocation from elsewhere gets all of it.
        let is_whole = self.anywhere("allocation", "") || self.has("Milestone", "availableActions");
        if is_whole || own == Properties::All {
            return (Some(AllocationParts::ALL), Properties::All);
        }
        let has = |field| self.has("Allocation", field);
        let parts = AllocationParts {
            lines: has("lines"),
            milestones: has("milestones"),
            reservations: has("reservations"),
            backorders: has("backorders"),
            inspections: has("inspections"),
        };
        (Some(parts), own)
    }
}

/// Where the page of a connection lies, if its arguments are good.
fn keyset(ctx: &Context<'_>, field: &Positioned<Field>) -> Option<Keyset> {
    let field = ctx.with_field(field);
    let paging = Paging {
        first: field.param_value("first", None).ok()?.1,
        after: field.param_value("after", None).ok()?.1,
        last: field.param_value("last", None).ok()?.1,
        before: field.param_value("before", None).ok()?.1,
    };
    paging.keyset().ok()
}
