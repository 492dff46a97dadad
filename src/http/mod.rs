pub mod error;
pub mod guard;
