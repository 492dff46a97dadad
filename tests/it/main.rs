//! The integration tests: a real server in this process, spoken to as clients do, on SQLite and on
//! PostgreSQL. One test binary, since linking is what takes the time.

pub mod support;

mod architecture;
mod authorization;
mod bad_input;
mod concurrency;
mod feed;
mod generated;
mod model;
mod scenarios;
mod verify;
