//! The regulation, played: each scenario is what people do, and what must come of it.

mod allocation;
mod amendment;
mod approval;
mod by_hand;
mod cancellation;
mod change;
mod channels;
mod chronicle;
mod clarification;
mod completion;
mod execution;
mod import;
mod import_kinds;
mod inventory;
mod materials;
mod review;
mod review_queue;
mod review_rules;
mod units;
