//! The API: parses input, calls the application, and maps its answers. Whatever is decided is
//! decided elsewhere.

pub mod connection;
pub mod context;
pub mod enums;
pub mod ids;
pub mod loaders;
pub mod query;
pub mod scalars;
pub mod selection;
pub mod text;
pub mod types;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

pub use query::Query;

use crate::app::App;
use types::config::LIMITS;
use types::node::Node;

/// The schema with these roots for writing and following.
pub fn build<M, S>(mutation: M, subscription: S, app: Arc<App>) -> Schema<Query, M, S>
where
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    limited(mutation, subscription).data(app).finish()
}

/// The schema's definition, sorted, so that a change shows as a difference of its lines. It needs
/// no application.
pub fn sdl<M, S>(mutation: M, subscription: S) -> String
where
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    let schema = limited(mutation, subscription).finish();
    schema.sdl_with_options(options)
}

fn limited<M, S>(mutation: M, subscription: S) -> async_graphql::SchemaBuilder<Query, M, S>
where
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    Schema::build(Query::default(), mutation, subscription)
        .register_output_type::<Node>()
        .disable_suggestions()
        .limit_depth(LIMITS.depth)
        .limit_complexity(LIMITS.complexity)
        .limit_recursive_depth(LIMITS.recursion)
        .limit_directives(LIMITS.directives)
}
