//! What the benchmarks share: processes and their figures, tokens, a small HTTP client, the report.

#![allow(clippy::float_arithmetic, reason = "measurements are no money")]

pub mod histogram;
pub mod http;
pub mod machine;
pub mod process;
pub mod report;
pub mod token;
