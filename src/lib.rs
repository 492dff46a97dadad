//! A GraphQL API server with live subscriptions that runs a corporate group's orders.

pub mod app;
pub mod domain;
pub mod feed;
pub mod http;
pub mod store;
