//! The Web API's endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::documents;
use super::errors::{error, forbidden};
use crate::catalogue::Playlist;
use crate::oddities::Capability;
use crate::shared::Shared;

/// Most rows of one answer of `/items`.
const MAX_ITEMS: usize = 50;

/// `?limit=…&offset=…`.
#[derive(Deserialize)]
pub(super) struct Window {
    limit: Option<usize>,
    offset: Option<usize>,
}

/// `?ids=a,b,c`.
#[derive(Deserialize)]
pub(super) struct Ids {
    ids: Option<String>,
}

pub(super) async fn playlist(State(shared): State<Arc<Shared>>, caller: Caller, Path(id): Path<String>) -> Response {
    let Some(playlist) = find_playlist(&shared, &id) else { return no_resource() };
    let has_rows = may_read(&shared, &caller);
    Json(documents::playlist(&shared, playlist, has_rows)).into_response()
}

pub(super) async fn items(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(window): Query<Window>,
) -> Response {
    let Some(playlist) = find_playlist(&shared, &id) else { return no_resource() };
    if !may_read(&shared, &caller) {
        return error(StatusCode::FORBIDDEN, "Forbidden");
    }
    let limit = window.limit.unwrap_or(20);
    if limit == 0 || limit > MAX_ITEMS {
        return error(StatusCode::BAD_REQUEST, "Invalid limit");
    }
    Json(documents::items(&shared, playlist, window.offset.unwrap_or(0), limit)).into_response()
}

pub(super) async fn features(State(shared): State<Arc<Shared>>, _: Caller, Path(id): Path<String>) -> Response {
    if shared.schedule.forbids(Capability::Features) {
        return forbidden();
    }
    match features_of(&shared, &id) {
        Some(features) => Json(features).into_response(),
        None => error(StatusCode::NOT_FOUND, "analysis not found"),
    }
}

pub(super) async fn many_features(State(shared): State<Arc<Shared>>, _: Caller, Query(ids): Query<Ids>) -> Response {
    if shared.schedule.forbids(Capability::Features) {
        return forbidden();
    }
    batch(&shared, &ids, 100, "audio_features", |id| features_of(&shared, id))
}

fn features_of(shared: &Shared, id: &str) -> Option<Value> {
    let features = documents::features(shared.catalogue.song(id)?)?;
    Some(if shared.schedule.odd_keys() { documents::with_odd_key(features) } else { features })
}

pub(super) async fn analysis(State(shared): State<Arc<Shared>>, _: Caller, Path(id): Path<String>) -> Response {
    if shared.schedule.forbids(Capability::Analysis) || !shared.catalogue.has_analysis {
        return forbidden();
    }
    match shared.catalogue.song(&id).and_then(|song| song.analysis.as_ref()) {
        Some(sound) => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], sound.document()).into_response(),
        None => error(StatusCode::NOT_FOUND, "analysis not found"),
    }
}

pub(super) async fn artist(State(shared): State<Arc<Shared>>, _: Caller, Path(id): Path<String>) -> Response {
    match shared.catalogue.artist(&id) {
        Some(artist) => Json(documents::artist(artist)).into_response(),
        None => no_resource(),
    }
}

pub(super) async fn many_artists(State(shared): State<Arc<Shared>>, _: Caller, Query(ids): Query<Ids>) -> Response {
    batch(&shared, &ids, 50, "artists", |id| shared.catalogue.artist(id).map(documents::artist))
}

pub(super) async fn track(State(shared): State<Arc<Shared>>, _: Caller, Path(id): Path<String>) -> Response {
    match shared.catalogue.song(&id) {
        Some(song) => Json(documents::track(&shared.catalogue, song)).into_response(),
        None => no_resource(),
    }
}

pub(super) async fn many_tracks(State(shared): State<Arc<Shared>>, _: Caller, Query(ids): Query<Ids>) -> Response {
    let track = |song| documents::track(&shared.catalogue, song);
    batch(&shared, &ids, 50, "tracks", |id| shared.catalogue.song(id).map(track))
}

/// One object for each id, in order, null for those that are unknown.
fn batch(shared: &Shared, ids: &Ids, most: usize, name: &str, find: impl Fn(&str) -> Option<Value>) -> Response {
    if shared.schedule.forbids(Capability::Batches) {
        return error(StatusCode::FORBIDDEN, "Forbidden");
    }
    let ids: Vec<&str> = ids.ids.iter().flat_map(|ids| ids.split(',')).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return error(StatusCode::BAD_REQUEST, "Missing required field: ids");
    }
    if ids.len() > most {
        return error(StatusCode::BAD_REQUEST, "Too many ids requested");
    }
    // One of them costs all the others their answer.
    if !ids.iter().all(|id| id.len() == 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return error(StatusCode::BAD_REQUEST, "invalid id");
    }
    let found: Vec<Option<Value>> = ids.into_iter().map(find).collect();
    Json(json!({ name: found })).into_response()
}

fn find_playlist<'a>(shared: &'a Shared, id: &str) -> Option<&'a Playlist> {
    shared.catalogue.playlists.iter().find(|playlist| playlist.id == id)
}

fn may_read(shared: &Shared, caller: &Caller) -> bool {
    caller.is_user || !shared.schedule.forbids(Capability::OthersPlaylists)
}

fn no_resource() -> Response {
    error(StatusCode::NOT_FOUND, "Resource not found")
}
