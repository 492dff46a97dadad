//! The integration tests: a real server in this process, spoken to as clients do, on SQLite and on
//! PostgreSQL. One test binary, since linking is what takes the time.

#![allow(
    clippy::float_arithmetic,
    clippy::new_without_default,
    clippy::should_implement_trait,
    reason = "tests measure times and shares, and their helpers are nobody's interface"
)]

pub mod support;

mod architecture;
mod authorization;
mod bad_input;
mod choice;
mod concurrency;
mod feed;
mod generated;
mod model;
mod plans;
mod reading;
mod scenarios;
mod statements;
mod stock_model;
mod verify;
