//! The Web API's documents, with the fields of real ones and with their oddities.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::catalogue::{Artist, Catalogue, Form, Playlist, Row, Song};
use crate::shared::Shared;

/// Rows that come with the playlist object itself.
const EMBEDDED_PAGE_ROWS: usize = 100;

/// A playlist; without its rows where the app may not see them.
pub(super) fn playlist(shared: &Shared, playlist: &Playlist, has_rows: bool) -> Value {
    let mut document = json!({
        "collaborative": false, "description": "", "public": true, "primary_color": null, "type": "playlist",
        "id": playlist.id, "name": playlist.name, "uri": format!("spotify:playlist:{}", playlist.id),
        "href": format!("{}/v1/playlists/{}", shared.spotify_url, playlist.id),
        "external_urls": {}, "images": [], "snapshot_id": "AAAAAQ",
        "owner": {"id": "listener", "display_name": "Listener", "type": "user", "uri": "spotify:user:listener"},
    });
    if has_rows {
        document["items"] = items(shared, playlist, 0, EMBEDDED_PAGE_ROWS);
    }
    document
}

/// A page of a playlist's rows. Some real pages hold `href` and `items` alone.
pub(super) fn items(shared: &Shared, playlist: &Playlist, offset: usize, limit: usize) -> Value {
    let (total, limit) = (shared.schedule.rows_said(playlist.rows.len()), limit.min(shared.schedule.page_rows()));
    let page = |offset: usize| {
        format!("{}/v1/playlists/{}/items?offset={offset}&limit={limit}", shared.spotify_url, playlist.id)
    };
    let rows = playlist.rows.iter().enumerate().skip(offset).take(limit);
    let rows: Vec<Value> = rows.map(|(place, item)| row(&shared.catalogue, place, *item)).collect();
    let mut document = json!({"href": page(offset), "items": rows});
    if playlist.counted {
        document["limit"] = json!(limit);
        document["offset"] = json!(offset);
        document["total"] = json!(total);
        document["next"] = json!((offset + limit < playlist.rows.len()).then(|| page(offset + limit)));
        document["previous"] = json!((offset > 0).then(|| page(offset.saturating_sub(limit))));
    }
    document
}

fn row(catalogue: &Catalogue, place: usize, row: Row) -> Value {
    let song = |index: usize| &catalogue.songs[index];
    let (is_local, item) = match row {
        Row::Removed => (false, Value::Null),
        Row::Track(index, _) => (false, track(catalogue, song(index))),
        Row::Local(index) => (true, local(song(index))),
        Row::Episode(index) => (false, episode(song(index))),
        Row::NoId(index) => (false, without_id(track(catalogue, song(index)), place)),
        Row::NoName(index) => {
            let mut nameless = track(catalogue, song(index));
            nameless["name"] = Value::Null;
            (false, nameless)
        }
    };
    let mut fields = Map::new();
    fields.insert("added_at".into(), json!("2026-03-14T09:26:53Z"));
    fields.insert("added_by".into(), json!({"id": "listener", "type": "user", "uri": "spotify:user:listener"}));
    fields.insert("is_local".into(), json!(is_local));
    fields.insert("primary_color".into(), Value::Null);
    match row {
        Row::Track(_, Form::Track) => fields.insert("track".into(), item),
        Row::Track(_, Form::Both) => {
            fields.insert("track".into(), item.clone());
            fields.insert("item".into(), item)
        }
        _ => fields.insert("item".into(), item),
    };
    Value::Object(fields)
}

/// A track object. Its own `track: true` is not the row's `track`.
pub(super) fn track(catalogue: &Catalogue, song: &Song) -> Value {
    let artists: Vec<Value> = catalogue.artists_of(song).map(credit).collect();
    json!({
        "album": {
            "album_type": "album", "type": "album", "name": song.album, "artists": &artists[..artists.len().min(1)],
            "release_date": song.release_date, "images": [], "external_urls": {},
        },
        "artists": artists,
        "disc_number": 1, "track_number": 1, "duration_ms": duration(song), "explicit": false,
        "type": "track", "track": true, "episode": false, "is_local": false, "preview_url": null,
        "external_ids": {"isrc": isrc(&song.id)}, "external_urls": {}, "popularity": song.popularity,
        "id": song.id, "name": song.title, "uri": format!("spotify:track:{}", song.id),
        "href": format!("https://api.spotify.com/v1/tracks/{}", song.id),
    })
}

/// Made of the id, in the form of a real one: country, registrant, year, number.
fn isrc(id: &str) -> String {
    let digits = id.bytes().fold(0u64, |sum, byte| (sum * 31 + u64::from(byte)) % 10_000_000);
    format!("QZTST{digits:07}")
}

fn credit(artist: &Artist) -> Value {
    json!({
        "id": artist.id, "name": artist.name, "type": "artist", "external_urls": {},
        "uri": format!("spotify:artist:{}", artist.id),
    })
}

/// Most durations are whole; a few real ones are not.
fn duration(song: &Song) -> Value {
    if song.float_duration { json!(song.duration_ms) } else { json!(song.duration_ms as u64) }
}

/// Some rows without an id say null, some say nothing.
fn without_id(mut track: Value, place: usize) -> Value {
    track["uri"] = Value::Null;
    if place.is_multiple_of(2) {
        track["id"] = Value::Null;
    } else if let Some(fields) = track.as_object_mut() {
        fields.remove("id");
    }
    track
}

/// A file of the playlist's owner: no ids anywhere, empty artist and album.
fn local(song: &Song) -> Value {
    let title = utf8_percent_encode(&song.title, NON_ALPHANUMERIC).to_string().replace("%20", "+");
    json!({
        "album": {"album_type": null, "artists": [], "id": null, "name": "", "type": "album", "uri": null},
        "artists": [{"id": null, "name": "", "type": "artist", "uri": null}],
        "disc_number": 0, "track_number": 0, "duration_ms": duration(song), "explicit": false, "external_ids": {},
        "href": null, "id": null, "is_local": true, "name": song.title, "popularity": 0, "type": "track",
        "uri": format!("spotify:local:::{title}:{}", (song.duration_ms / 1000.0) as u64),
    })
}

/// A podcast's episode, which has neither `artists` nor `album`.
fn episode(song: &Song) -> Value {
    json!({
        "description": "", "duration_ms": duration(song), "episode": true, "track": false, "explicit": false,
        "id": song.id, "name": song.title, "type": "episode", "uri": format!("spotify:episode:{}", song.id),
        "show": {"name": "A show", "type": "show"}, "release_date": "2026-01-05", "language": "en",
    })
}

/// The audio features, where there are any; null for one that is missing. Key, mode and time signature are whole numbers.
pub(super) fn features(song: &Song) -> Option<Value> {
    let [
        duration_ms,
        danceability,
        energy,
        key,
        loudness,
        mode,
        speechiness,
        acousticness,
        instrumentalness,
        liveness,
        valence,
        tempo,
        time_signature,
    ] = song.features?;
    let whole = |value: Option<f64>| value.map(|value| value as i64);
    Some(json!({
        "danceability": danceability, "energy": energy, "key": whole(key), "loudness": loudness, "mode": whole(mode),
        "speechiness": speechiness, "acousticness": acousticness, "instrumentalness": instrumentalness,
        "liveness": liveness, "valence": valence, "tempo": tempo, "duration_ms": whole(duration_ms),
        "time_signature": whole(time_signature),
        "type": "audio_features", "id": song.id, "uri": format!("spotify:track:{}", song.id),
        "track_href": format!("https://api.spotify.com/v1/tracks/{}", song.id),
        "analysis_url": format!("https://api.spotify.com/v1/audio-analysis/{}", song.id),
    }))
}

fn features_without_key(features: Value) -> Value {
    let fields = features.as_object().into_iter().flatten();
    fields.filter(|(name, _)| *name != "key").map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The same with a key that is missing, or no number.
pub(super) fn with_odd_key(mut features: Value) -> Value {
    match features["id"].as_str().and_then(|id| id.chars().next()) {
        Some('0'..='9') => features = features_without_key(features),
        Some('A'..='M') => features["key"] = json!("NaN"),
        _ => {}
    }
    features
}

pub(super) fn artist(artist: &Artist) -> Value {
    json!({
        "id": artist.id, "name": artist.name, "genres": artist.genres, "type": "artist", "images": [],
        "uri": format!("spotify:artist:{}", artist.id), "external_urls": {},
    })
}
