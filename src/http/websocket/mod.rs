//! Sockets: requests that become one, and what lives on it.

mod conduct;
mod frame;
mod handshake;
mod operations;
mod outbox;
mod session;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::auth::TokenError;
use super::backend::Backend;
use super::caller::Language;
use super::counters::Transport;
use super::edge::{EdgeState, token_of};
use super::error::{self, code};
use super::live::stopping;
use super::origin;
use super::response::HttpRefusal;
use super::server::ConnectionPermit;
use session::{Entrance, Session};

/// Whether a request asks for a socket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// What is kept of the request; its headers are larger than the rest of an idle socket.
struct Introduction {
    language: Language,
    token: Result<Option<String>, TokenError>,
}

/// Turns a request into a socket.
///
/// # Errors
/// 403 for a page that may not open sockets, 400 or 426 for a request that can't become one, 503
/// when there is no room or the server is stopping.
pub(crate) fn upgrade<B: Backend>(edge: &Arc<EdgeState<B>>, mut request: Request) -> Result<Response, HttpRefusal> {
    if !origin::is_allowed(request.headers(), &edge.settings.allowed_origins) {
        return Err(HttpRefusal::new(
            StatusCode::FORBIDDEN,
            error::coded(code::ORIGIN_NOT_ALLOWED, "Pages of this origin may not open sockets here."),
        ));
    }
    let handshake = handshake::accept(&request)?;
    if edge.stopping.is_cancelled() {
        return Err(stopping());
    }
    let most = edge.settings.socket.per_node;
    let open = edge.counters.enter(Transport::Socket, most).ok_or_else(|| {
        HttpRefusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error::coded(code::UNAVAILABLE, "The server has as many sockets as it can take; try again later."),
        )
    })?;
    let entrance = Entrance {
        introduction: Introduction {
            language: Language::from_headers(request.headers()),
            token: token_of(request.headers()).map(|token| token.map(str::to_owned)),
        },
        speaks_protocol: handshake.speaks_protocol,
        open,
        permit: request.extensions().get::<ConnectionPermit>().cloned(),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let (edge, token) = (Arc::clone(edge), edge.streams.token());
    // The task that lives as long as the socket is another one, made to measure.
    edge.tasks.clone().spawn(async move {
        match upgraded.await {
            Ok(upgraded) => {
                edge.streams.clone().spawn(Session::new(edge, upgraded, entrance));
            }
            Err(failure) => tracing::debug!(%failure, "a connection broke before it became a socket"),
        }
        drop(token);
    });
    Ok(handshake.response)
}
