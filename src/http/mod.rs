pub mod error;
pub mod guard;
pub mod auth;
