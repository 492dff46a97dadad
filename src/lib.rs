//! A GraphQL API server with live subscriptions that runs a corporate group's orders.

pub mod http;
