//! Files of orders in and out: `POST /imports`, what was wrong in one, and templates. Everything else about imports is
//! in the schema.
//!
//! A file comes as the plain body of a request with a bearer token: nothing of it is ambient in a browser, so no page of
//! somebody else's can send one, and it is kept piece by piece as it arrives.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::ID;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::import::file::FileLimits;
use crate::app::import::template::{Language, template};
use crate::app::import::{StartImport, Upload, UploadLimits};
use crate::app::{Failure, Guarded, Session, perform, read};
use crate::domain::codes::UnknownCode;
use crate::domain::ids::ImportBatchId;
use crate::domain::import::cells::harmless;
use crate::domain::import::{ErrorPolicy, Fault, FileFormat, ImportBatch, ImportSettings, Row};
use crate::graphql::context::code;
use crate::graphql::{Gateway, ids, text};
use crate::http::auth::Authenticator;
use crate::http::{Backend, REQUEST_ID_HEADER, request_id, token_of};

/// Files that arrive at the same time; each keeps the database busy.
const UPLOADS: usize = 4;
/// A client may take so long for the next bytes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the routes share.
struct Desk {
    gateway: Gateway,
    authenticator: Authenticator,
    limits: FileLimits,
    uploads: Arc<Semaphore>,
}

/// The routes of imports.
pub fn routes(gateway: Gateway, authenticator: Authenticator, limits: FileLimits) -> Router {
    let desk = Desk { gateway, authenticator, limits, uploads: Arc::new(Semaphore::new(UPLOADS)) };
    Router::new()
        .route("/imports", post(receive))
        .route("/imports/{id}/faults", get(faults))
        .route("/imports/{id}", get(empty))
        .with_state(Arc::new(desk))
}

/// Why a request is refused.
enum Refused {
    Failure(Failure),
    Token(crate::http::auth::TokenError),
    TooLarge(u64),
    Busy,
    Slow,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn bad(message: impl Into<String>) -> Refused {
    Refused::Failure(Failure::BadInput(message.into()))
}

impl Refused {
    fn answer(self, request_id: &str) -> Response {
        let (status, code, message) = match self {
            Self::Failure(Failure::Refused(refusals)) => {
                let told = |refusal: crate::domain::refusal::Refusal| {
                    json!({
                        "code": refusal.code.code(),
                        "message": refusal.message,
                        "clause": refusal.clause.map(|clause| clause.0),
                        "path": refusal.path,
                    })
                };
                let errors: Vec<Value> = refusals.0.into_iter().map(told).collect();
                return answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "userErrors": errors }), request_id);
            }
            Self::Failure(failure) => {
                if let Failure::Internal(cause) = &failure {
                    tracing::error!(request_id, cause, "a request about an import failed");
                }
                let status = match &failure {
                    Failure::Unauthenticated => StatusCode::UNAUTHORIZED,
                    Failure::Forbidden(_) => StatusCode::FORBIDDEN,
                    Failure::NotFound => StatusCode::NOT_FOUND,
                    Failure::BadInput(_) | Failure::Refused(_) => StatusCode::BAD_REQUEST,
                    Failure::VersionMismatch { .. } => StatusCode::CONFLICT,
                    Failure::Contention | Failure::Unavailable(_) | Failure::Timeout => StatusCode::SERVICE_UNAVAILABLE,
                    Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                };
                let message = match &failure {
                    Failure::Internal(_) => "Internal server error.".to_owned(),
                    other => other.to_string(),
                };
                (status, code(&failure), message)
            }
            Self::Token(error) => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", error.to_string()),
            Self::TooLarge(most) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", format!("A file may have {most} bytes."))
            }
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "UNAVAILABLE",
                "Other files arrive; try again in a moment.".to_owned(),
            ),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "TIMEOUT", "The file did not arrive in time.".to_owned()),
        };
        let error = json!({ "message": message, "extensions": { "code": code, "requestId": request_id } });
        let mut response = answer(status, &json!({ "errors": [error] }), request_id);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

fn answer(status: StatusCode, body: &Value, request_id: &str) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let mut response = (status, kind, body.to_string()).into_response();
    common(response.headers_mut(), request_id);
    response
}

/// What every answer says: nobody keeps a copy, and nobody takes it for something else.
fn common(headers: &mut HeaderMap, request_id: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
}

impl Desk {
    async fn session(&self, headers: &HeaderMap, request_id: &str) -> Result<Session, Refused> {
        let token = token_of(headers).map_err(Refused::Token)?.ok_or(Refused::Failure(Failure::Unauthenticated))?;
        let identity = match self.gateway.bearer_of_key(token) {
            Some(bearer) => bearer.await,
            None => self.authenticator.authenticate(token).await,
        };
        let identity = identity.map_err(Refused::Token)?;
        Ok(self.gateway.session_of(&identity, request_id).await?)
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        self.uploads.clone().try_acquire_owned().map_err(|_| Refused::Busy)
    }
}

/// What is said of a file in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    format: Option<String>,
    file_name: Option<String>,
    layout: Option<String>,
    channel: Option<String>,
    account: Option<String>,
    customer_number: Option<String>,
    region: Option<String>,
    currency_code: Option<String>,
    required_within_days: Option<i32>,
    #[serde(default)]
    historical: bool,
    dry_run: Option<bool>,
    error_policy: Option<String>,
}

fn parsed<T: std::str::FromStr<Err = UnknownCode>>(name: &str, value: Option<&String>) -> Result<Option<T>, Refused> {
    let read = |text: &String| text.to_uppercase().parse().map_err(|_| bad(format!("{name} has no value {text:?}.")));
    value.map(read).transpose()
}

impl Said {
    fn format(&self, headers: &HeaderMap) -> Result<FileFormat, Refused> {
        if let Some(format) = parsed("format", self.format.as_ref())? {
            return Ok(format);
        }
        let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "text/csv" => Ok(FileFormat::Csv),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Ok(FileFormat::Xlsx),
            "application/x-ndjson" | "application/jsonl" | "application/ndjson" => Ok(FileFormat::Jsonl),
            _ => Err(bad("Say what the file is: format=csv, format=xlsx or format=jsonl.")),
        }
    }

    fn settings(&self) -> Result<ImportSettings, Refused> {
        let clean = |name: &str, value: &Option<String>| text::clean_optional(name, value.clone());
        Ok(ImportSettings {
            layout: parsed("layout", self.layout.as_ref())?,
            channel: parsed("channel", self.channel.as_ref())?,
            account: clean("account", &self.account)?,
            customer_number: clean("customerNumber", &self.customer_number)?,
            region: clean("region", &self.region)?,
            currency_code: clean("currencyCode", &self.currency_code)?,
            required_within_days: self.required_within_days,
            historical: self.historical,
        })
    }
}

async fn receive(
    State(desk): State<Arc<Desk>>,
    said: Result<Query<Said>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request_id = request_id(&headers);
    let id = request_id.clone();
    // In a task of its own: of a client that goes away nothing stays behind.
    let task = tokio::spawn(async move {
        let Query(said) = said.map_err(|rejection| bad(rejection.body_text()))?;
        receive_within(&desk, &said, &headers, body, &id).await
    });
    let outcome = task.await.unwrap_or_else(|error| Err(Failure::Internal(error.to_string()).into()));
    match outcome {
        Ok(batch) => {
            let body = json!({
                "id": ids::encode(batch.id).as_str(),
                "status": batch.status.code(),
                "version": batch.version,
                "size": batch.size,
                "digest": batch.digest,
            });
            answer(StatusCode::CREATED, &body, &request_id)
        }
        Err(refused) => refused.answer(&request_id),
    }
}

async fn receive_within(
    desk: &Desk,
    said: &Said,
    headers: &HeaderMap,
    body: Body,
    request_id: &str,
) -> Result<ImportBatch, Refused> {
    let session = desk.session(headers, request_id).await?;
    let (format, settings) = (said.format(headers)?, said.settings()?);
    let policy: Option<ErrorPolicy> = parsed("errorPolicy", said.error_policy.as_ref())?;
    let file_name = text::clean_optional("fileName", said.file_name.clone())?;
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(bad("Send the file as it is, without a content encoding."));
    }
    let limits = UploadLimits { file_bytes: desk.limits.file_bytes };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.file_bytes) {
        return Err(Refused::TooLarge(limits.file_bytes));
    }
    let mut upload = Upload::begin(&session, limits)?;
    let _place = desk.place()?;
    if let Err(refused) = arrive(&mut upload, body, limits).await {
        upload.abandon().await;
        return Err(refused);
    }
    // A file takes its time: whoever handed it in may have lost access since.
    let session = match desk.session(headers, request_id).await {
        Ok(session) => session,
        Err(refused) => {
            upload.abandon().await;
            return Err(refused);
        }
    };
    let batch_id = upload.end(&session, format, file_name, settings).await?;
    if said.dry_run.is_some() || policy.is_some() {
        let command = StartImport {
            batch_id,
            dry_run: said.dry_run.unwrap_or(false),
            error_policy: policy.unwrap_or(ErrorPolicy::RejectFailedRows),
            expected_version: None,
        };
        perform(&session, Guarded { command, idempotency_key: None }).await?;
    }
    let found = read::import::by_ids(&session, &[batch_id]).await?;
    found.into_iter().next().ok_or(Refused::Failure(Failure::NotFound))
}

async fn arrive(upload: &mut Upload, body: Body, limits: UploadLimits) -> Result<(), Refused> {
    let mut frames = body.into_data_stream();
    loop {
        let frame = tokio::time::timeout(PATIENCE, frames.next()).await.map_err(|_| Refused::Slow)?;
        match frame {
            None => return Ok(()),
            Some(Err(_)) => return Err(bad("The file ended early.")),
            Some(Ok(bytes)) => {
                if !upload.take(&bytes).await? {
                    return Err(Refused::TooLarge(limits.file_bytes));
                }
            }
        }
    }
}

/// What is asked of a download.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    historical: bool,
}

async fn empty(Path(name): Path<String>, Query(wanted): Query<Wanted>) -> Response {
    let format = match name.as_str() {
        "template.csv" => FileFormat::Csv,
        "template.xlsx" => FileFormat::Xlsx,
        "template.jsonl" => FileFormat::Jsonl,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match template(format, Language::of(&wanted.lang), wanted.historical) {
        Ok(bytes) => download(Body::from(bytes), format, &name, ""),
        Err(failure) => Refused::Failure(failure).answer(""),
    }
}

fn download(body: Body, format: FileFormat, name: &str, request_id: &str) -> Response {
    let kind = match format {
        FileFormat::Csv => "text/csv; charset=utf-8",
        FileFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        FileFormat::Jsonl => "application/x-ndjson; charset=utf-8",
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    common(response.headers_mut(), request_id);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

async fn faults(State(desk): State<Arc<Desk>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let request_id = request_id(&headers);
    match faults_within(&desk, id, &headers, &request_id).await {
        Ok(response) => response,
        Err(refused) => refused.answer(&request_id),
    }
}

async fn faults_within(desk: &Desk, id: String, headers: &HeaderMap, request_id: &str) -> Result<Response, Refused> {
    let session = desk.session(headers, request_id).await?;
    session.may_read("importBatch")?;
    let id: ImportBatchId = ids::parse(&ID(id))?;
    let found = read::import::by_ids(&session, &[id]).await?.into_iter().next();
    let batch = found.ok_or(Refused::Failure(Failure::NotFound))?;
    // A spreadsheet comes back as text that spreadsheets open; JSON Lines get their faults in a table of lines, too.
    let mut headings = if batch.format == FileFormat::Jsonl { vec!["line".to_owned()] } else { batch.headers.clone() };
    let columns = headings.len();
    headings.push("faults".to_owned());
    let head = record(headings.iter().map(|heading| harmless(heading)))?;
    let first = futures::stream::once(async move { Ok::<_, Failure>([b"\xEF\xBB\xBF".as_slice(), &head].concat()) });
    let rest = futures::stream::try_unfold(0, move |after| {
        let session = session.clone();
        async move {
            let rows = read::import::bad_rows(&session, id, after).await?;
            let Some(last) = rows.last().map(|(row, _)| row.number) else { return Ok(None) };
            let mut text = Vec::new();
            for (row, faults) in rows {
                text.extend(bad_row(row, &faults, columns)?);
            }
            Ok(Some((text, last)))
        }
    });
    let stream = first.chain(rest).map(|piece| piece.map_err(|failure| std::io::Error::other(failure.to_string())));
    Ok(download(Body::from_stream(stream), FileFormat::Csv, "faults.csv", request_id))
}

fn bad_row(row: Row, faults: &[Fault], columns: usize) -> Result<Vec<u8>, Failure> {
    let told = faults.iter().map(|fault| {
        let place = fault.column.as_deref().unwrap_or("-");
        format!("{} {place}: {}", fault.code, fault.message)
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let Row { mut cells, number } = row;
    cells.resize(columns, String::new());
    let told = if told.is_empty() {
        format!("row {number}: another row of the same order is bad")
    } else {
        format!("row {number}: {told}")
    };
    cells.push(told);
    record(cells.iter().map(|cell| harmless(cell)))
}

fn record(cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Failure> {
    let internal = |error: &dyn std::fmt::Display| Failure::Internal(error.to_string());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.collect::<Vec<_>>()).map_err(|error| internal(&error))?;
    writer.into_inner().map_err(|error| internal(&error))
}
