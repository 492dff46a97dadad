//! Where the executor meets what is written.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

use super::{Selected, Write};

/// What a field of the root returns: written if that is possible, else resolved by the executor. In the
/// schema it is what is in it.
pub struct Tree<T>(pub T);

/// In the data of a request: everything is resolved by the executor. For tests, which compare.
#[derive(Clone, Copy, Debug)]
pub struct ByExecutor;

impl<T: OutputType + Write> OutputType for Tree<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match written(&self.0, ctx, field) {
            Some(text) => Ok(Value::Binary(text.into())),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

fn written(value: &impl Write, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> Option<String> {
    if ctx.data_opt::<ByExecutor>().is_some() || !stands_alone(ctx, field) {
        return None;
    }
    let mut text = String::new();
    value.write(&Selected::new(field, ctx), &mut text).ok()?;
    Some(text)
}

/// The executor merges the objects of fields that are answered under the same name. It can't merge
/// texts, and it looks for no fields in them.
fn stands_alone(ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> bool {
    let is_at_the_root = ctx.path_node.is_some_and(|path| path.parent.is_none());
    let root = &ctx.query_env.operation.node.selection_set.node;
    is_at_the_root && namesakes(root, &field.node.response_key().node, ctx) == 1
}

fn namesakes(set: &SelectionSet, key: &Name, ctx: &ContextSelectionSet<'_>) -> usize {
    let of = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => usize::from(field.node.response_key().node == *key),
        Selection::InlineFragment(fragment) => namesakes(&fragment.node.selection_set.node, key, ctx),
        Selection::FragmentSpread(spread) => {
            let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |fragment| namesakes(&fragment.node.selection_set.node, key, ctx))
        }
    };
    set.items.iter().map(of).sum()
}
