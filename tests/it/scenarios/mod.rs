//! The regulation, played: each scenario is what people do, and what must come of it.

mod cancellation;
mod change;
mod chronicle;
mod completion;
mod execution;
mod materials;
mod review;
mod units;
