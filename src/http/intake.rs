//! `POST /intake/{channel}`: where platforms deliver their webhooks. What is in them is not the edge's business:
//! it reads them within its limits, hands them on byte for byte, and answers in time. Platforms send again what
//! was not answered with success, and give a channel up that is slow to answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::Semaphore;

use super::backend::Bytes;
use super::caller::{REQUEST_ID_HEADER, request_id};
use super::request::read_body;
use super::response::MediaType;
use super::settings::EdgeSettings;

/// Until then it is answered, whatever the database does: Shopify waits five seconds.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Webhooks that are looked into at the same time; others wait for their turn, as long as they may wait at all.
const AT_ONCE: usize = 64;

/// A webhook as it came.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The channel's code.
    pub channel: String,
    /// The headers, names in small letters; of several with one name, the first.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte.
    pub body: Bytes,
    /// The request's id.
    pub request_id: String,
}

/// What is said to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is kept, durably: never send it again.
    Kept,
    /// There is no such channel.
    NoChannel,
    /// The signature is missing or wrong.
    NotSigned,
    /// It is not known to be kept: send it again.
    Again,
}

/// Takes webhooks in.
pub trait Intake: Clone + Send + Sync + 'static {
    /// Keeps one. Runs to its end in a task of its own, also when its caller is answered earlier.
    fn keep(&self, webhook: Webhook) -> impl Future<Output = Acknowledgement> + Send;
}

/// The route of webhooks, within the limits that the settings give.
pub fn routes<I: Intake>(intake: I, settings: &EdgeSettings) -> Router {
    let settings = EdgeSettings { body_bytes: settings.intake_body_bytes, ..settings.clone() };
    let doorway = Doorway { intake, settings: Arc::new(settings), turns: Arc::new(Semaphore::new(AT_ONCE)) };
    Router::new().route("/intake/{channel}", post(receive::<I>)).with_state(doorway)
}

/// What all webhooks share.
#[derive(Clone)]
struct Doorway<I> {
    intake: I,
    settings: Arc<EdgeSettings>,
    turns: Arc<Semaphore>,
}

async fn receive<I: Intake>(
    State(doorway): State<Doorway<I>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts.headers);
    let body = match read_body(body, &parts.headers, &doorway.settings).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(MediaType::Json, &request_id),
    };
    let webhook = Webhook { channel, headers: texts(&parts.headers), body, request_id: request_id.clone() };
    // In a task of its own: a platform that hangs up must not stop it halfway.
    let keeping = async {
        let turn = doorway.turns.acquire_owned().await;
        let intake = doorway.intake;
        tokio::spawn(async move {
            let _turn = turn;
            intake.keep(webhook).await
        })
        .await
    };
    let acknowledgement = match tokio::time::timeout(PATIENCE, keeping).await {
        Ok(Ok(acknowledgement)) => acknowledgement,
        Ok(Err(panic)) => {
            tracing::error!(request_id, %panic, "a webhook could not be kept");
            Acknowledgement::Again
        }
        Err(_) => {
            tracing::warn!(request_id, "a webhook was not kept in time");
            Acknowledgement::Again
        }
    };
    let mut response = answer(acknowledgement);
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            texts.entry(name.as_str().to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    texts
}

fn answer(acknowledgement: Acknowledgement) -> Response {
    match acknowledgement {
        Acknowledgement::Kept => (StatusCode::OK, "kept").into_response(),
        Acknowledgement::NoChannel => (StatusCode::NOT_FOUND, "no such channel").into_response(),
        Acknowledgement::NotSigned => (StatusCode::UNAUTHORIZED, "not signed").into_response(),
        Acknowledgement::Again => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], "send it again").into_response()
        }
    }
}
