//! A GraphQL API server with live subscriptions that runs a corporate group's orders.

pub mod app;
pub mod cli;
pub mod config;
pub mod documents;
pub mod domain;
pub mod feed;
pub mod graphql;
pub mod http;
pub mod imports;
mod metrics;
pub mod seed;
pub mod store;
mod telemetry;
pub mod webhooks;
