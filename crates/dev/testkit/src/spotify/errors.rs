//! Errors as the Web API writes them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error with its message.
pub(super) fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": {"status": status.as_u16(), "message": message}}))).into_response()
}

/// What an app without the capability gets: a 403 that does not say why.
pub(super) fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"error": {"status": 403}}))).into_response()
}
