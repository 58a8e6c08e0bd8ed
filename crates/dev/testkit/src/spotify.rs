//! The Spotify stand-in: Web API under `/v1`, accounts service under `/authorize` and `/api/token`.

mod accounts;
mod api;
mod documents;
mod encoding;
pub(crate) mod tokens;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::oddities::Answer;
use crate::server::Shared;
use tokens::Refusal;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/authorize", get(accounts::authorize))
        .route("/api/token", post(accounts::token))
        .route("/v1/playlists/{id}", get(api::playlist))
        .route("/v1/playlists/{id}/items", get(api::items))
        .route("/v1/audio-features/{id}", get(api::features))
        .route("/v1/audio-analysis/{id}", get(api::analysis))
        .route("/v1/artists/{id}", get(api::artist))
        .route("/v1/tracks/{id}", get(api::track))
        // Clients write the batch addresses with and without a slash before `?ids=`; the service takes both.
        .route("/v1/audio-features", get(api::many_features))
        .route("/v1/audio-features/", get(api::many_features))
        .route("/v1/artists", get(api::many_artists))
        .route("/v1/artists/", get(api::many_artists))
        .route("/v1/tracks", get(api::many_tracks))
        .route("/v1/tracks/", get(api::many_tracks))
        .fallback(async || error(StatusCode::NOT_FOUND, "Service not found"))
}

/// Whoever sent a request with a valid token.
struct Caller {
    /// Signed in as a user, rather than as the app alone.
    is_user: bool,
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        match shared.tokens.check(&parts.headers) {
            Ok(is_user) => Ok(Self { is_user }),
            Err(Refusal::NotBearer) => {
                Err(error(StatusCode::BAD_REQUEST, "Only valid bearer authentication supported"))
            }
            Err(Refusal::Missing) => Err(error(StatusCode::UNAUTHORIZED, "No token provided")),
            Err(Refusal::Unknown) => Err(error(StatusCode::UNAUTHORIZED, "Invalid access token")),
            Err(Refusal::Expired) => Err(error(StatusCode::UNAUTHORIZED, "The access token expired")),
        }
    }
}

/// An error as the Web API writes it.
fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": {"status": status.as_u16(), "message": message}}))).into_response()
}

/// What an app without the capability gets: a 403 that does not say why.
fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"error": {"status": 403}}))).into_response()
}

/// The odd answers as Spotify gives them; those that only last.fm has become a 503.
pub(crate) fn odd_answer(answer: Answer) -> Response {
    match answer {
        Answer::TooManyRequests { retry_after_seconds } => {
            let body = error(StatusCode::TOO_MANY_REQUESTS, "API rate limit exceeded");
            ([(header::RETRY_AFTER, retry_after_seconds)], body).into_response()
        }
        Answer::QuotaExceeded { retry_after_seconds } => {
            let message = "Quota exceeded";
            let body = json!({"error": {"status": 429, "message": message, "reason": "QUOTA_EXCEEDED"}});
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after_seconds)], Json(body)).into_response()
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error or disconnect/reset before headers")
            .into_response(),
    }
}
