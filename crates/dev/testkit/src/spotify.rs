//! The Spotify stand-in: Web API under `/v1`, accounts service under `/authorize` and `/api/token`.

mod accounts;
mod api;
mod caller;
mod documents;
mod encoding;
mod errors;
pub(crate) mod tokens;

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::oddities::Answer;
use crate::shared::Shared;
use errors::error;

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
