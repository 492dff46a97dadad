//! The regulation, played: each scenario is what people do, and what must come of it.

mod allocation;
mod by_hand;
mod cancellation;
mod chronicle;
mod completion;
mod execution;
mod review;
mod units;
