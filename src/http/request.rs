//! From bytes to an operation that may run.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError, Value, Variables};
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value as Json;

use super::error::{self, code};
use super::guard::{Documents, Refusal};
use super::response::HttpRefusal;
use super::settings::EdgeSettings;

/// The parameters of a GraphQL request, well formed but not looked into.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Json,
    extensions: Json,
}

/// An operation that passed the guard.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) operation_type: OperationType,
}

impl Parameters {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// A 400 that says what is wrong.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, HttpRefusal> {
        let json =
            serde_json::from_slice(body).map_err(|failure| malformed(format!("The body is not JSON: {failure}.")))?;
        Self::from_json(json)
    }

    /// Reads a JSON value; the payload of a socket's `subscribe` message has the same form.
    ///
    /// # Errors
    /// A 400 that says what is wrong.
    pub(crate) fn from_json(json: Json) -> Result<Self, HttpRefusal> {
        let mut fields = match json {
            Json::Object(fields) => fields,
            Json::Array(_) => {
                return Err(HttpRefusal::new(
                    StatusCode::BAD_REQUEST,
                    error::coded(
                        code::BATCHING_NOT_SUPPORTED,
                        "A list of requests is not supported; send them one by one.",
                    ),
                ));
            }
            _ => return Err(malformed("The request must be a JSON object.")),
        };
        let mut take = |name: &str| fields.remove(name).unwrap_or_default();
        Ok(Self {
            query: match take("query") {
                Json::String(query) => query,
                Json::Null => return Err(malformed("The parameter query is missing.")),
                _ => return Err(malformed("The parameter query must be a string.")),
            },
            operation_name: match take("operationName") {
                Json::String(name) => Some(name),
                Json::Null => None,
                _ => return Err(malformed("The parameter operationName must be a string.")),
            },
            variables: object_or_null("variables", take("variables"))?,
            extensions: object_or_null("extensions", take("extensions"))?,
        })
    }

    /// Reads the query string of a GET.
    ///
    /// # Errors
    /// A 400 that says what is wrong.
    pub(crate) fn from_uri(uri: &Uri) -> Result<Self, HttpRefusal> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| malformed("The query string can't be read."))?;
        let mut fields = serde_json::Map::new();
        for (name, value) in pairs {
            let value = match name.as_str() {
                "query" => Json::String(value),
                "operationName" | "variables" | "extensions" if value.is_empty() => Json::Null,
                "operationName" => Json::String(value),
                "variables" | "extensions" => {
                    serde_json::from_str(&value).map_err(|_| malformed(format!("The parameter {name} is not JSON.")))?
                }
                _ => continue,
            };
            if fields.insert(name, value).is_some() {
                return Err(malformed("A parameter is given twice."));
            }
        }
        Self::from_json(Json::Object(fields))
    }

    /// Checks the document and makes the request for the executor.
    ///
    /// # Errors
    /// Why the operation must not run.
    pub(crate) fn prepare(self, documents: &Documents) -> Result<Prepared, Box<Refusal>> {
        let checked = documents.check(&self.query)?;
        let operation = checked.operation(self.operation_name.as_deref())?;
        for definition in &operation.variable_definitions {
            let name = definition.node.name.node.as_str();
            let required = !definition.node.var_type.node.nullable && definition.node.default_value.is_none();
            if required && self.variables.get(name).is_none_or(Json::is_null) {
                return Err(Box::new(Refusal {
                    code: code::BAD_USER_INPUT,
                    message: format!("The variable ${name} of type {} has no value.", definition.node.var_type.node),
                    position: Some(definition.pos),
                }));
            }
        }
        let operation_type = operation.ty;

        // What the backend has noted something about is all of it one query; it has the document itself.
        let document = match checked.notes.get() {
            Some(_) => None,
            None => Some(checked.selected(self.operation_name.as_deref(), &self.variables)?),
        };
        let mut request = Request::new(self.query).variables(Variables::from_json(self.variables));
        request.operation_name = self.operation_name;
        if let Ok(Value::Object(extensions)) = Value::from_json(self.extensions) {
            request.extensions.0 = extensions.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        }
        if let Some(document) = document {
            request.set_parsed_query(document);
        }
        let request = request.data(checked.clone());
        Ok(Prepared { request, operation_type })
    }
}

/// Refuses a body that is not JSON in UTF-8.
///
/// # Errors
/// 415. A form or plain text would let any page send requests without asking first.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), HttpRefusal> {
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let mut parts = value.split(';').map(str::trim);
        parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
            && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
                !name.trim().eq_ignore_ascii_case("charset")
                    || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
    });
    if is_json {
        return Ok(());
    }
    Err(HttpRefusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        error::coded(code::UNSUPPORTED_MEDIA_TYPE, "The body must have the content type application/json, in UTF-8."),
    ))
}

/// Reads a body up to the limit and within the time that the settings give.
///
/// # Errors
/// 413, 408, or 400 when the connection breaks.
pub(crate) async fn read_body(
    mut body: Body,
    headers: &HeaderMap,
    settings: &EdgeSettings,
) -> Result<axum::body::Bytes, HttpRefusal> {
    let too_large = || {
        HttpRefusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            error::coded(code::BODY_TOO_LARGE, format!("The body is larger than {} bytes.", settings.body_bytes)),
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > settings.body_bytes as u64) {
        discard(body, settings);
        return Err(too_large());
    }
    let reading = Limited::new(&mut body, settings.body_bytes).collect();
    match tokio::time::timeout(settings.body_time(), reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(failure)) if failure.is::<LengthLimitError>() => {
            discard(body, settings);
            Err(too_large())
        }
        Ok(Err(_)) => Err(malformed("The body ended early.")),
        Err(_) => Err(HttpRefusal::new(
            StatusCode::REQUEST_TIMEOUT,
            error::coded(code::TIMEOUT, "The body did not arrive in time."),
        )),
    }
}

/// How many times the limit is read and thrown away of a body that is too large.
const DISCARDED_BODIES: usize = 64;

/// Takes in what a client still sends of a refused body, while the answer is on its way: a client
/// that is cut off while it sends often never reads why. Bounded in bytes and in time.
fn discard(body: Body, settings: &EdgeSettings) {
    let most = settings.body_bytes.saturating_mul(DISCARDED_BODIES);
    let mut rest = Limited::new(body, most);
    tokio::spawn(tokio::time::timeout(
        settings.body_time(),
        async move { while let Some(Ok(_)) = rest.frame().await {} },
    ));
}

fn object_or_null(name: &str, value: Json) -> Result<Json, HttpRefusal> {
    match value {
        Json::Object(_) | Json::Null => Ok(value),
        _ => Err(malformed(format!("The parameter {name} must be an object."))),
    }
}

fn malformed(message: impl Into<String>) -> HttpRefusal {
    let refusal: ServerError = error::coded(code::BAD_USER_INPUT, message);
    HttpRefusal::new(StatusCode::BAD_REQUEST, refusal)
}
