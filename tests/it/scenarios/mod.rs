//! The regulation, played: each scenario is what people do, and what must come of it.

mod cancellation;
mod completion;
mod review;
mod units;
