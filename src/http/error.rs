//! The codes an answer may carry, and the one place where errors are made fit for the wire.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

/// The values of `extensions.code` that this edge itself produces. They never change.
pub mod code {
    /// The text is not a GraphQL document.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// `operationName` does not select exactly one operation.
    pub const OPERATION_RESOLUTION_FAILURE: &str = "OPERATION_RESOLUTION_FAILURE";
    /// The request or a value in it has the wrong form.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// The body is a list of requests.
    pub const BATCHING_NOT_SUPPORTED: &str = "BATCHING_NOT_SUPPORTED";
    /// The document text is too long.
    pub const DOCUMENT_TOO_LARGE: &str = "DOCUMENT_TOO_LARGE";
    /// The document has too many tokens.
    pub const DOCUMENT_TOO_MANY_TOKENS: &str = "DOCUMENT_TOO_MANY_TOKENS";
    /// Brackets, fields or fragments are nested too deeply.
    pub const DOCUMENT_TOO_DEEP: &str = "DOCUMENT_TOO_DEEP";
    /// The document selects too much.
    pub const DOCUMENT_TOO_COMPLEX: &str = "DOCUMENT_TOO_COMPLEX";
    /// The document uses too many aliases.
    pub const DOCUMENT_TOO_MANY_ALIASES: &str = "DOCUMENT_TOO_MANY_ALIASES";
    /// The document asks for the schema and the server does not tell it.
    pub const INTROSPECTION_DISABLED: &str = "INTROSPECTION_DISABLED";
    /// The transport does not carry operations of this type.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// The media type of the body is not understood.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// No media type the client accepts can be produced.
    pub const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    /// The body is too large.
    pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
    /// The page the request comes from may not use this server.
    pub const ORIGIN_NOT_ALLOWED: &str = "ORIGIN_NOT_ALLOWED";
    /// The token is missing or bad; `extensions.reason` says why.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The caller may not do this.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// A budget of the caller is used up.
    pub const RESOURCE_EXHAUSTED: &str = "RESOURCE_EXHAUSTED";
    /// One of the edge's limits for one client is reached.
    pub const LIMIT: &str = "LIMIT";
    /// The client takes events more slowly than they come; it may connect again and resume.
    pub const SLOW_CONSUMER: &str = "SLOW_CONSUMER";
    /// The log behind the subscription began anew.
    pub const RESYNC: &str = "RESYNC";
    /// The server has as much work as it can take; try again later.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The operation took too long.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// Something failed that the caller can't mend; the log has the request id.
    pub const INTERNAL: &str = "INTERNAL";
}

/// Errors in one answer; the rest is left out.
pub const MAXIMUM_ERRORS: usize = 20;

const MAXIMUM_MESSAGE_BYTES: usize = 2_000;

/// An error that carries `code` in its extensions.
pub fn coded(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut server_error = ServerError::new(message, None);
    set_extension(&mut server_error, "code", code);
    server_error
}

/// Adds one entry to the extensions of an error.
pub fn set_extension(server_error: &mut ServerError, name: &str, value: impl Into<Value>) {
    server_error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}

/// The code an error carries, if it carries one.
pub fn code_of(server_error: &ServerError) -> Option<&str> {
    match server_error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        Value::Enum(code) => Some(code),
        _ => None,
    }
}

/// Whether the same may succeed a moment later: something is out of reach or has too much to do.
pub fn passes(server_error: &ServerError) -> bool {
    matches!(code_of(server_error), Some(code::UNAVAILABLE | code::RESOURCE_EXHAUSTED | code::TIMEOUT))
}

/// Whether the request failed before any field was resolved, so that the answer has no `data`.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|server_error| server_error.path.is_empty())
}

/// Gives every error a code, hides what only the operator may read, and bounds the list.
///
/// An error that already has a code stays as it is. Without a code, an error before execution is a
/// validation error; a value that could not be read is `BAD_USER_INPUT`; everything else is
/// `INTERNAL`, whose message is replaced and logged once together with `request_id`.
pub fn finish_errors(response: &mut Response, request_id: &str) {
    let request_error = is_request_error(response);
    response.errors.truncate(MAXIMUM_ERRORS);
    for server_error in &mut response.errors {
        if code_of(server_error).is_some() {
            continue;
        }
        server_error.source = None;
        if is_input_error(&server_error.message) {
            set_extension(server_error, "code", code::BAD_USER_INPUT);
            shorten(&mut server_error.message);
        } else if request_error {
            set_extension(server_error, "code", code::GRAPHQL_VALIDATION_FAILED);
            shorten(&mut server_error.message);
        } else {
            tracing::error!(
                request_id,
                path = ?server_error.path,
                message = %server_error.message,
                "a resolver failed"
            );
            mask(server_error, request_id);
        }
    }
}

/// The error that stands for a failure the caller must not see.
pub fn internal(request_id: &str) -> ServerError {
    let mut server_error = ServerError::new(String::new(), None);
    mask(&mut server_error, request_id);
    server_error
}

fn mask(server_error: &mut ServerError, request_id: &str) {
    "Internal server error.".clone_into(&mut server_error.message);
    server_error.extensions = None;
    set_extension(server_error, "code", code::INTERNAL);
    set_extension(server_error, "requestId", request_id);
}

// The executor reads the values of arguments while it resolves fields; it marks such errors by
// their first words only.
fn is_input_error(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

fn shorten(message: &mut String) {
    if message.len() > MAXIMUM_MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(MAXIMUM_MESSAGE_BYTES));
        message.push('…');
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;

    fn resolver_error(message: &str) -> ServerError {
        ServerError::new(message, None).with_path(vec![PathSegment::Field("a".to_owned())])
    }

    #[test]
    fn masks_only_what_has_no_code() {
        let mut coded_error = coded("NOT_FOUND", "No such order.");
        coded_error.path = vec![PathSegment::Field("b".to_owned())];
        let mut response = Response::from_errors(vec![
            resolver_error("connection to 10.0.0.1 refused"),
            coded_error,
            resolver_error("Failed to parse \"Date\": not a date"),
        ]);
        finish_errors(&mut response, "r-1");
        let seen: Vec<_> = response.errors.iter().map(|error| (code_of(error), error.message.as_str())).collect();
        assert_eq!(
            seen,
            [
                (Some("INTERNAL"), "Internal server error."),
                (Some("NOT_FOUND"), "No such order."),
                (Some("BAD_USER_INPUT"), "Failed to parse \"Date\": not a date"),
            ]
        );
    }

    #[test]
    fn validation_errors_keep_their_message_and_are_bounded() {
        let errors = (0..50).map(|index| ServerError::new(format!("Unknown field {index}"), None)).collect();
        let mut response = Response::from_errors(errors);
        finish_errors(&mut response, "r-1");
        assert_eq!(response.errors.len(), MAXIMUM_ERRORS);
        assert_eq!(code_of(&response.errors[0]), Some("GRAPHQL_VALIDATION_FAILED"));
    }
}
