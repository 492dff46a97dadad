//! The regulation, played: each scenario is what people do, and what must come of it.

mod cancellation;
mod channels;
mod chronicle;
mod completion;
mod execution;
mod review;
mod units;
