//! Subscriptions for thousands: whoever asks the same of the same part of the world is in one
//! `group`, which executes once per event and shares the bytes.
//!
//! A subscription is opened by executing its document once to learn what it follows ([`update`]), and
//! from then on costs a place in its group: a position. Nothing of it runs until an event concerns it.

mod document;
mod execution;
mod group;
mod hub;
mod in_flight;
mod member;
mod sharing;
mod shelf;
mod stats;
pub mod update;
mod work;

pub use hub::Hub;
pub use member::Messages;
pub use stats::Stats;
