//! What was selected, in the order of the answer.

use std::cell::RefCell;
use std::rc::Rc;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Context, ContextSelectionSet, Positioned};

use crate::http::json;

/// A field that was selected, with what was selected of it; the same field of several fragments is
/// one.
pub struct Selected<'q> {
    /// Its name in the schema.
    pub name: &'q str,
    /// What it is answered under, as JSON text with a colon.
    pub(super) key: String,
    field: &'q Positioned<Field>,
    context: &'q ContextSelectionSet<'q>,
    sets: Vec<&'q SelectionSet>,
    /// What that amounts to for each type that was met here; found out once for all entries of a list.
    below: RefCell<Vec<(String, Fields<'q>)>>,
}

type Fields<'q> = Rc<[Selected<'q>]>;

impl<'q> Selected<'q> {
    /// A field as it stands in the document.
    pub(super) fn new(field: &'q Positioned<Field>, context: &'q ContextSelectionSet<'q>) -> Self {
        let mut key = String::new();
        json::string(&field.node.response_key().node, &mut key);
        key.push(':');
        let sets = vec![&field.node.selection_set.node];
        Self { name: &field.node.name.node, key, field, context, sets, below: RefCell::default() }
    }

    fn add(&mut self, set: &'q SelectionSet) {
        // A fragment that is spread twice adds nothing.
        if !self.sets.iter().any(|known| std::ptr::eq(*known, set)) {
            self.sets.push(set);
        }
    }

    /// What its resolver is told. The path is not the field's: paths are for errors, and those are told
    /// by the executor.
    pub fn context(&self) -> Context<'_> {
        self.context.with_field(self.field)
    }

    /// The fields that were selected of an object of this type.
    pub(super) fn fields(&self, type_name: &str) -> Fields<'q> {
        let known = self.below.borrow().iter().find(|(name, _)| name == type_name).map(|(_, fields)| fields.clone());
        known.unwrap_or_else(|| {
            let mut fields = Vec::new();
            for set in &self.sets {
                collect(type_name, set, self.context, &mut fields);
            }
            let fields: Fields<'q> = fields.into();
            self.below.borrow_mut().push((type_name.to_owned(), fields.clone()));
            fields
        })
    }
}

/// Fragments do not spread themselves, and what is skipped is gone: the document was checked.
fn collect<'q>(
    type_name: &str,
    set: &'q SelectionSet,
    context: &'q ContextSelectionSet<'q>,
    fields: &mut Vec<Selected<'q>>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                match fields.iter_mut().find(|known| known.field.node.response_key().node == *key) {
                    Some(known) => known.add(&field.node.selection_set.node),
                    None => fields.push(Selected::new(field, context)),
                }
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                if condition.is_none_or(|condition| applies(type_name, condition, context)) {
                    collect(type_name, &fragment.node.selection_set.node, context, fields);
                }
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node)
                    && applies(type_name, &fragment.node.type_condition.node.on.node, context)
                {
                    collect(type_name, &fragment.node.selection_set.node, context, fields);
                }
            }
        }
    }
}

/// Does a fragment with this condition select of an object of this type?
fn applies(type_name: &str, condition: &str, context: &ContextSelectionSet<'_>) -> bool {
    let registry = &context.schema_env.registry;
    type_name == condition || registry.types.get(condition).is_some_and(|of| of.is_possible_type(type_name))
}
