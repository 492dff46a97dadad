//! The network edge: GraphQL over HTTP, event streams and WebSockets around any backend.
//!
//! [`Edge`] takes a [`Backend`] and an [`auth::Authenticator`], and
//! becomes a [`Server`]. Every operation passes the [`guard`] first, runs in a task of its own and
//! finds a [`Caller`] in its data. What goes out passes [`error::finish_errors`].

mod assets;
pub mod auth;
pub mod backend;
mod caller;
mod counters;
mod edge;
pub mod error;
mod execute;
mod graphql;
pub mod guard;
pub mod intake;
pub mod json;
mod live;
mod multipart;
mod origin;
mod patience;
mod places;
pub mod protocol;
mod request;
mod response;
mod server;
mod settings;
mod sse;
mod stream;
mod websocket;

pub use backend::{Backend, Bytes, Farewell, Message};
pub(crate) use caller::request_id;
pub use caller::{Caller, Language, LastEventId, REQUEST_ID_HEADER};
pub use counters::{Counters, Transport};
pub use edge::Edge;
pub(crate) use edge::token_of;
pub use server::Server;
pub use settings::{EdgeSettings, SocketSettings};

#[cfg(test)]
mod tests;
