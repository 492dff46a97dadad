//! The pages at `/` and `/track` and what they load; everything comes from the program itself.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use tower_http::compression::CompressionLayer;

/// The editor sets styles from scripts; scripts themselves come from files only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = "graphiql/index.html";
/// Follows one order, for whoever has its tracking link: `/track#ogk_…`.
const TRACK: &str = "track/index.html";

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// `/`, the editor for developers, and what it loads.
pub(crate) fn graphiql<S: Clone + Send + Sync + 'static>() -> Router<S> {
    folder("/", PAGE, "graphiql")
}

/// `/track`, the page of tracking links (R5.3), and what it loads.
pub(crate) fn track<S: Clone + Send + Sync + 'static>() -> Router<S> {
    folder("/track", TRACK, "track")
}

/// A page and its folder under `/assets`, compressed where the client takes it.
fn folder<S: Clone + Send + Sync + 'static>(at: &str, page: &'static str, folder: &'static str) -> Router<S> {
    let file =
        move |Path(path): Path<String>, headers: HeaderMap| async move { serve(&format!("{folder}/{path}"), &headers) };
    Router::new()
        .route(at, get(move |headers: HeaderMap| async move { serve(page, &headers) }))
        .route(&format!("/assets/{folder}/{{*path}}"), get(file))
        .layer(CompressionLayer::new().gzip(true))
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Assets::get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Weak, since the same tag stands for the compressed form.
    let mut tag = String::from("W/\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');

    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type(path))], file.data).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json; charset=utf-8",
        _ => "application/octet-stream",
    }
}
