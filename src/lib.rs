//! ordergraph.
pub mod app;
pub mod domain;
pub mod feed;
pub mod graphql;
pub mod store;
