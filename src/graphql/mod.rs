//! The API: parses input, calls the application, and maps its answers. Whatever is decided is
//! decided elsewhere.

mod access;
pub mod connection;
pub mod context;
pub mod enums;
mod gateway;
pub mod ids;
mod known;
pub mod live;
pub mod loaders;
pub mod mutation;
pub mod query;
pub mod scalars;
pub mod selection;
mod subscription;
pub mod text;
pub mod types;
mod wanted;
pub mod write;

#[cfg(test)]
mod tests;

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

pub use gateway::Gateway;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use types::config::LIMITS;
use types::node::Node;

/// The schema of this service.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// The schema. Requests bring their session along; it holds no state of its own.
pub fn schema() -> ApiSchema {
    builder().finish()
}

/// The same schema for documents that were found valid before. What depends on the variables is checked
/// again: what an answer may cost, and each value where it is used.
pub fn trusting_schema() -> ApiSchema {
    builder().validation_mode(ValidationMode::Fast).finish()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .register_output_type::<Node>()
        .disable_suggestions()
        .limit_depth(LIMITS.depth)
        .limit_complexity(LIMITS.complexity)
        .limit_recursive_depth(LIMITS.recursion)
        .limit_directives(LIMITS.directives)
}

/// The schema's definition, sorted, so that a change shows as a difference of its lines.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    schema().sdl_with_options(options)
}
