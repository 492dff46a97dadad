//! The types of the schema, one file per capability. A type wraps the domain's value; what belongs
//! to other aggregates comes from the request's loaders.

pub mod access;
pub mod access_key;
pub mod actions;
pub mod allocation;
pub mod change;
pub mod channel;
pub mod channel_order;
pub mod common;
pub mod config;
pub mod delivery;
pub mod event;
pub mod import;
pub mod inspection;
pub mod inventory;
pub mod materials;
pub mod node;
pub mod order;
pub mod order_line;
pub mod progress;
pub mod reference;
pub mod review;
pub mod ticket;

/// Declares a GraphQL type around a shared domain value.
macro_rules! wrapper {
    ($(#[$doc:meta])+ $name:ident($domain:ty)) => {
        $(#[$doc])+
        #[derive(Clone, Debug)]
        pub struct $name(pub std::sync::Arc<$domain>);

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                Self(std::sync::Arc::new(value))
            }
        }

        impl From<std::sync::Arc<$domain>> for $name {
            fn from(value: std::sync::Arc<$domain>) -> Self {
                Self(value)
            }
        }
    };
}
pub(crate) use wrapper;
