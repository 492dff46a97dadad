//! `/graphql`: one address for requests, event streams and sockets.

use std::any::Any;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as GraphqlResponse, ServerError};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures::stream::Stream;

use super::backend::Backend;
use super::caller::{Caller, Language, REQUEST_ID_HEADER, new_request_id, request_id};
use super::counters::Transport;
use super::edge::EdgeState;
use super::error::{self, code};
use super::guard::operation_word;
use super::live::Happening;
use super::request::{Parameters, Prepared, check_content_type, read_body};
use super::response::{HttpRefusal, MediaType, respond};
use super::{execute, live, multipart, sse, websocket};

/// Answers `/graphql` in the form the client accepts.
pub(crate) async fn negotiated<B: Backend>(State(edge): State<Arc<EdgeState<B>>>, request: Request) -> Response {
    answer(edge, request, None).await
}

/// Answers `/graphql/stream`, always as an event stream.
pub(crate) async fn streamed<B: Backend>(State(edge): State<Arc<EdgeState<B>>>, request: Request) -> Response {
    answer(edge, request, Some(MediaType::EventStream)).await
}

async fn answer<B: Backend>(edge: Arc<EdgeState<B>>, request: Request, media_type: Option<MediaType>) -> Response {
    let id = request_id(request.headers());
    let accepted = media_type.or_else(|| MediaType::negotiate(request.headers()));
    let outcome = if websocket::is_upgrade(request.headers()) && media_type.is_none() {
        websocket::upgrade(&edge, request)
    } else if let Some(media_type) = accepted {
        execute_request(&edge, request, media_type, &id).await
    } else {
        Err(HttpRefusal::new(
            StatusCode::NOT_ACCEPTABLE,
            error::coded(
                code::NOT_ACCEPTABLE,
                "The answer can be application/graphql-response+json, application/json, text/event-stream \
                 or, for subscriptions, multipart/mixed;subscriptionSpec=1.0.",
            ),
        ))
    };
    let mut response =
        outcome.unwrap_or_else(|refusal| refusal.into_response(accepted.unwrap_or(MediaType::Json), &id));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

async fn execute_request<B: Backend>(
    edge: &Arc<EdgeState<B>>,
    request: Request,
    media_type: MediaType,
    id: &str,
) -> Result<Response, HttpRefusal> {
    let (parts, body) = request.into_parts();
    if !matches!(parts.method, Method::GET | Method::POST) {
        return Err(not_allowed("Use GET or POST.".to_owned(), "GET, POST"));
    }
    let identity =
        edge.identity(&parts.headers).await.map_err(|refused| HttpRefusal::new(refused.status(), refused.into()))?;

    let parameters = if parts.method == Method::GET {
        Parameters::from_uri(&parts.uri)?
    } else {
        check_content_type(&parts.headers)?;
        Parameters::from_body(&read_body(body, &parts.headers, &edge.settings).await?)?
    };

    let whole = || MediaType::negotiate_whole(&parts.headers).unwrap_or(media_type);
    let mut prepared = match parameters.prepare(&edge.documents) {
        Ok(prepared) => prepared,
        Err(refusal) => {
            return Ok(match media_type {
                MediaType::Multipart => refuse((*refusal).into(), whole(), id),
                _ => refuse((*refusal).into(), media_type, id),
            });
        }
    };
    let media_type = match (prepared.operation_type, media_type) {
        (OperationType::Query | OperationType::Mutation, MediaType::Multipart) => whole(),
        _ => media_type,
    };
    let caller = Caller { identity, request_id: id.to_owned(), language: Language::from_headers(&parts.headers) };
    check_method(&parts.method, &prepared, media_type)?;

    let transport = match media_type {
        MediaType::EventStream => Transport::EventStream,
        MediaType::Multipart => Transport::Multipart,
        MediaType::Json | MediaType::GraphqlResponse => {
            let request = prepared.request.data(caller);
            return Ok(respond(execute::run(edge, request, id).await, media_type, id));
        }
    };
    let holding = live::admit(edge, &caller, transport)?;
    if transport == Transport::EventStream
        && let Some(last) = sse::last_event_id(&parts.headers)
    {
        prepared.request = prepared.request.data(last);
    }
    Ok(carry(live::happenings(edge, prepared, caller, transport, holding), transport, id))
}

fn carry(happenings: impl Stream<Item = Happening> + Send + 'static, transport: Transport, id: &str) -> Response {
    match transport {
        Transport::Multipart => multipart::respond(happenings),
        _ => sse::respond(happenings, id),
    }
}

/// Answers a document that was refused before it ran; those who take their results one by one
/// learn of it in the same form.
fn refuse(refusal: ServerError, media_type: MediaType, id: &str) -> Response {
    match media_type {
        MediaType::EventStream => carry(live::refused(refusal, id), Transport::EventStream, id),
        MediaType::Multipart => carry(live::refused(refusal, id), Transport::Multipart, id),
        _ => respond(GraphqlResponse::from_errors(vec![refusal]), media_type, id),
    }
}

fn check_method(method: &Method, prepared: &Prepared, media_type: MediaType) -> Result<(), HttpRefusal> {
    match prepared.operation_type {
        OperationType::Mutation if method == Method::GET => {
            Err(not_allowed(format!("A {} needs POST.", operation_word(prepared.operation_type)), "POST"))
        }
        OperationType::Subscription if matches!(media_type, MediaType::Json | MediaType::GraphqlResponse) => {
            Err(HttpRefusal::new(
                StatusCode::NOT_ACCEPTABLE,
                error::coded(
                    code::NOT_ACCEPTABLE,
                    "A subscription needs a WebSocket, Accept: text/event-stream or \
                     Accept: multipart/mixed;subscriptionSpec=1.0.",
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn not_allowed(message: String, allow: &'static str) -> HttpRefusal {
    let mut refusal = HttpRefusal::new(StatusCode::METHOD_NOT_ALLOWED, error::coded(code::METHOD_NOT_ALLOWED, message));
    refusal.allow = Some(allow);
    refusal
}

/// Headers that every response of the edge carries.
pub(crate) async fn with_common_headers(mut response: Response) -> Response {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer when a handler itself panics, so that the connection is not dropped without a word.
pub(crate) fn after_panic(_: Box<dyn Any + Send>) -> Response {
    let id = new_request_id();
    tracing::error!(request_id = id, "a handler panicked");
    let refusal = HttpRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, error::internal(&id));
    refusal.into_response(MediaType::Json, &id)
}
