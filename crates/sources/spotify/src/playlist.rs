//! Pages of a playlist, tolerant of odd rows.

use std::collections::BTreeMap;

use model::track::{ArtistRef, PlaylistPage, SkipReason, Track};
use serde_json::Value;

use crate::ids::{checked, is_id};
use crate::{Client, Error, Unreadable, json};

/// One page of a playlist. `tracks.len()` plus all of `skipped` is `rows`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Rows of the whole playlist, if the page says so.
    pub total: Option<u32>,
    /// Whether the page names a next one. If it states neither that nor a total, whether it has rows.
    pub has_next: bool,
    /// Rows of this page.
    pub rows: u32,
    /// Its tracks in order; a track may occur twice.
    pub tracks: Vec<Track>,
    /// Its other rows, by reason.
    pub skipped: BTreeMap<SkipReason, u32>,
}

impl Client {
    /// The page of a playlist that starts at row `offset`: up to [`PlaylistPage::rows_to_request`] rows.
    pub async fn playlist_items(&self, playlist: &str, offset: u32) -> Result<Page, Error> {
        let path = ["playlists", checked(playlist)?, "items"];
        let what = format!("the rows of playlist {playlist} from {offset}");
        let asked = PlaylistPage::rows_to_request(offset);
        let (limit, offset) = (asked.to_string(), offset.to_string());
        // Without the types, episodes are disguised as tracks.
        let query = [("limit", limit.as_str()), ("offset", &offset), ("additional_types", "track,episode")];
        let body = self.get(&what, &path, &query).await?;
        // Rows beyond those asked for belong to other pages.
        read_rows(&body, asked as usize).map_err(|why| Error::unreadable(&what, why))
    }
}

/// Reads a page of rows, or the first page in a whole playlist object: its `items` (since 2026) or its `tracks`.
pub fn read_playlist_page(bytes: &[u8]) -> Result<Page, Unreadable> {
    read_rows(bytes, usize::MAX)
}

/// Reads up to `max_rows` rows of a page.
fn read_rows(bytes: &[u8], max_rows: usize) -> Result<Page, Unreadable> {
    let json = json::read(bytes)?;
    let page = [&json, &json["items"], &json["tracks"]].into_iter().find(|page| page["items"].is_array());
    let page = page.ok_or_else(|| Unreadable("it has no list `items`".into()))?;
    let mut read = Page { total: whole_number(&page["total"]), ..Page::default() };
    for row in page["items"].as_array().into_iter().flatten().take(max_rows) {
        read.rows += 1;
        match read_row(row) {
            Ok(track) => read.tracks.push(track),
            Err(reason) => *read.skipped.entry(reason).or_default() += 1,
        }
    }
    read.has_next = match page.get("next") {
        None => read.total.is_none() && read.rows > 0,
        Some(next) => next.as_str().is_some_and(|next| !next.is_empty()),
    };
    Ok(read)
}

/// The track of a row, under `item` (since 2026) or `track`; some rows have both.
fn read_row(row: &Value) -> Result<Track, SkipReason> {
    let fields = [row.get("item"), row.get("track")];
    match fields.into_iter().flatten().find(|field| field.is_object()) {
        Some(_) if row["is_local"] == true => Err(SkipReason::Local),
        Some(track) => read_track(track),
        None if row.is_null() || fields.contains(&Some(&Value::Null)) => Err(SkipReason::Removed),
        None => Err(SkipReason::Unreadable),
    }
}

/// A track object. Its fields `track` and `episode` are booleans that repeat `type`.
pub(crate) fn read_track(track: &Value) -> Result<Track, SkipReason> {
    if track["is_local"] == true || track["uri"].as_str().is_some_and(|uri| uri.starts_with("spotify:local:")) {
        return Err(SkipReason::Local);
    }
    match &track["type"] {
        Value::String(kind) if kind == "episode" => return Err(SkipReason::Episode),
        Value::String(kind) if kind != "track" => return Err(SkipReason::Unreadable),
        Value::String(_) => {}
        _ if track["episode"] == true => return Err(SkipReason::Episode),
        // Some episodes have no type; they have neither artists nor an album.
        _ if track["artists"].is_null() && track["album"].is_null() && track["show"].is_object() => {
            return Err(SkipReason::Episode);
        }
        _ => {}
    }
    let id = required(&track["id"], SkipReason::NoId)?;
    let name = required(&track["name"], SkipReason::NoName)?;
    if !is_id(&id) {
        return Err(SkipReason::InvalidId);
    }
    let artists: Vec<ArtistRef> = track["artists"].as_array().into_iter().flatten().filter_map(read_artist).collect();
    if artists.is_empty() {
        return Err(SkipReason::NoArtist);
    }
    Ok(Track {
        id,
        name,
        artists,
        album: text(&track["album"]["name"]),
        duration_ms: track["duration_ms"].as_f64(),
        isrc: text(&track["external_ids"]["isrc"]),
    })
}

fn read_artist(artist: &Value) -> Option<ArtistRef> {
    Some(ArtistRef { id: text(&artist["id"]).filter(|id| is_id(id)), name: text(&artist["name"])? })
}

/// A required string. Missing, null and blank count as `missing`, any other type as unreadable.
fn required(field: &Value, missing: SkipReason) -> Result<String, SkipReason> {
    match field {
        Value::Null | Value::String(_) => text(field).ok_or(missing),
        _ => Err(SkipReason::Unreadable),
    }
}

fn text(field: &Value) -> Option<String> {
    field.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// A count, also if written as a float.
fn whole_number(field: &Value) -> Option<u32> {
    let number = field.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number));
    number.map(|number| number as u32)
}
