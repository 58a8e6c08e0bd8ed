//! last.fm's API: `track.getTopTags`, with the errors that come as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shared::{LASTFM_API_KEY, Shared};

/// Query or form.
#[derive(Deserialize)]
pub(super) struct Call {
    method: Option<String>,
    api_key: Option<String>,
    format: Option<String>,
    artist: Option<String>,
    track: Option<String>,
}

pub(super) async fn answer(State(shared): State<Arc<Shared>>, Query(call): Query<Call>) -> Response {
    top_tags(&shared, &call)
}

pub(super) async fn answer_form(State(shared): State<Arc<Shared>>, Form(call): Form<Call>) -> Response {
    top_tags(&shared, &call)
}

fn top_tags(shared: &Shared, call: &Call) -> Response {
    let method = call.method.as_deref().unwrap_or_default();
    if !method.eq_ignore_ascii_case("track.getTopTags") {
        return error(3);
    }
    if call.api_key.as_deref() != Some(LASTFM_API_KEY) {
        return error(10);
    }
    let (Some(artist), Some(track), Some("json")) = (&call.artist, &call.track, call.format.as_deref()) else {
        return error(6);
    };
    // An unknown track and one without tags look the same.
    let tags = shared.catalogue.page(artist, track).map_or(&[][..], |song| &song.tags);
    let attributes = json!({"artist": artist, "track": track});
    Json(json!({"toptags": {"tag": listed(tags), "@attr": attributes}})).into_response()
}

/// A list; where there is one tag only, the tag itself with its count as a string, as older answers have it.
fn listed(tags: &[(String, u32)]) -> Value {
    let url = |name: &str| format!("https://www.last.fm/tag/{}", name.replace(' ', "+"));
    match tags {
        [(name, count)] => json!({"name": name, "count": count.to_string(), "url": url(name)}),
        tags => tags.iter().map(|(name, count)| json!({"name": name, "count": count, "url": url(name)})).collect(),
    }
}

/// An error; those about the caller come with a status of their own, those about load with 200.
pub(super) fn error(code: u32) -> Response {
    let (status, message) = match code {
        3 => (StatusCode::BAD_REQUEST, "Invalid Method - No method with that name in this package"),
        6 => (StatusCode::OK, "Track not found"),
        10 => (StatusCode::FORBIDDEN, "Invalid API key - You must be granted a valid key by last.fm"),
        11 => (StatusCode::OK, "Service Offline - This service is temporarily offline. Try again later."),
        16 => (StatusCode::OK, "The service is temporarily unavailable, please try again."),
        26 => (StatusCode::FORBIDDEN, "API Key Suspended - Please contact Last.fm"),
        29 => (StatusCode::OK, "Rate Limit Exceeded - Your IP has made too many requests in a short period"),
        _ => (StatusCode::OK, "Operation failed - Most likely the backend service failed. Please try again."),
    };
    (status, Json(json!({"error": code, "message": message, "links": []}))).into_response()
}
