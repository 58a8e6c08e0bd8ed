//! Pages with every odd row that real ones hold.

use model::track::SkipReason;
use serde_json::{Value, json};
use spotify::{Page, read_playlist_page};

const ID: &str = "0a1b2c3d4e5f6g7h8i9j0k";

fn page_of(rows: Value) -> Page {
    let page = read_playlist_page(json!({ "items": rows }).to_string().as_bytes()).unwrap();
    assert_eq!(page.tracks.len() as u32 + page.skipped.values().sum::<u32>(), page.rows, "no row is lost");
    page
}

fn reason_of(row: Value) -> Option<SkipReason> {
    let page = page_of(json!([row]));
    assert_eq!(page.rows, 1);
    page.skipped.into_keys().next()
}

fn track() -> Value {
    json!({
        "type": "track", "track": true, "episode": false, "id": ID, "name": "Title", "uri": format!("spotify:track:{ID}"),
        "is_local": false, "duration_ms": 1000, "artists": [{"id": ID, "name": "One"}, {"id": null, "name": "Two"}],
        "album": {"name": "Album"}, "external_ids": {"isrc": "GBAHT2001121"}
    })
}

fn track_with(field: &str, value: Value) -> Value {
    let mut track = track();
    track[field] = value;
    track
}

#[test]
fn a_track_is_read_under_either_name() {
    for row in [
        json!({"item": track()}),
        json!({"track": track()}),
        json!({"track": track(), "item": track()}),
        json!({"item": null, "track": track()}),
        json!({"item": track(), "track": true}),
    ] {
        let page = page_of(json!([row]));
        let read = &page.tracks[0];
        assert_eq!((read.id.as_str(), read.name.as_str()), (ID, "Title"));
        assert_eq!((read.album.as_deref(), read.duration_ms), (Some("Album"), Some(1000.0)));
        assert_eq!(read.isrc.as_deref(), Some("GBAHT2001121"));
        let artists: Vec<_> = read.artists.iter().map(|artist| (artist.id.as_deref(), artist.name.as_str())).collect();
        assert_eq!(artists, [(Some(ID), "One"), (None, "Two")]);
    }
}

#[test]
fn every_odd_row_is_counted_by_its_reason() {
    for (row, reason) in [
        (Value::Null, SkipReason::Removed),
        (json!({"track": null}), SkipReason::Removed),
        (json!({"item": null, "track": null, "is_local": false}), SkipReason::Removed),
        (json!({"is_local": true, "track": track()}), SkipReason::Local),
        (json!({"track": track_with("is_local", json!(true))}), SkipReason::Local),
        (json!({"track": {"id": null, "name": "x", "uri": "spotify:local:::Title:348"}}), SkipReason::Local),
        (json!({"item": {"type": "episode", "id": ID, "name": "Talk"}}), SkipReason::Episode),
        (json!({"item": {"episode": true, "track": false, "id": ID, "name": "Talk"}}), SkipReason::Episode),
        (json!({"track": track_with("id", Value::Null)}), SkipReason::NoId),
        (json!({"track": {"type": "track", "name": "Title"}}), SkipReason::NoId),
        (json!({"track": track_with("name", Value::Null)}), SkipReason::NoName),
        (json!({"track": track_with("name", json!(" "))}), SkipReason::NoName),
        (json!({"track": track_with("artists", Value::Null)}), SkipReason::NoArtist),
        (json!({"track": track_with("artists", json!([{"id": "a1", "name": null}]))}), SkipReason::NoArtist),
        (json!({"item": {"id": ID, "name": "Talk", "show": {"id": "s"}}}), SkipReason::Episode),
        (json!({"track": track_with("id", json!(7))}), SkipReason::Unreadable),
        (json!({"track": track_with("id", json!("../me"))}), SkipReason::InvalidId),
        (json!({"track": track_with("id", json!("0short"))}), SkipReason::InvalidId),
        (json!({"track": track_with("id", json!(format!("{ID}0")))}), SkipReason::InvalidId),
        (json!({"track": track_with("id", json!(ID.replace('0', "é")))}), SkipReason::InvalidId),
        (json!({"track": track_with("type", json!("chapter"))}), SkipReason::Unreadable),
        (json!({"track": true}), SkipReason::Unreadable),
        (track(), SkipReason::Unreadable),
        (json!({}), SkipReason::Unreadable),
        (json!([]), SkipReason::Unreadable),
        (json!("row"), SkipReason::Unreadable),
    ] {
        assert_eq!(reason_of(row.clone()), Some(reason), "{row}");
    }
}

#[test]
fn what_a_track_may_lack_does_not_cost_the_row() {
    for field in ["uri", "type", "is_local", "duration_ms", "album", "external_ids"] {
        assert_eq!(reason_of(json!({"track": track_with(field, Value::Null)})), None, "{field}");
    }
    let page = page_of(json!([{"track": track_with("duration_ms", json!(1234.5))}]));
    assert_eq!(page.tracks[0].duration_ms, Some(1234.5));
}

#[test]
fn an_artist_with_an_odd_id_has_none() {
    let page = page_of(json!([{"track": track_with("artists", json!([{"id": "../me", "name": "One"}]))}]));
    let artist = &page.tracks[0].artists[0];
    assert_eq!((artist.id.as_deref(), artist.name.as_str()), (None, "One"));
}

#[test]
fn a_page_that_tells_neither_its_total_nor_a_next_one_may_have_one() {
    let has_next = |page: Value| read_playlist_page(page.to_string().as_bytes()).unwrap().has_next;
    assert!(has_next(json!({"items": [null]})));
    for last in [
        json!({"items": []}),
        json!({"items": [null], "total": 1}),
        json!({"items": [null], "next": null}),
        json!({"items": [null], "next": ""}),
    ] {
        assert!(!has_next(last.clone()), "{last}");
    }
}

#[test]
fn a_number_that_is_none_does_not_cost_the_page() {
    let page = br#"{"items": [{"track": {"duration_ms": NaN, "id": "0a1b2c3d4e5f6g7h8i9j0k", "name": "T", "artists": [{"name": "A"}]}}], "total": 1}"#;
    let page = read_playlist_page(page).unwrap();
    assert_eq!((page.tracks.len(), page.tracks[0].duration_ms), (1, None));
}

#[test]
fn repeated_tracks_stay_in_their_order() {
    let other = track_with("id", json!("9z8y7x6w5v4u3t2s1r0q9p"));
    let page = page_of(json!([{"track": track()}, {"track": other}, null, {"track": track()}]));
    let ids: Vec<_> = page.tracks.iter().map(|track| track.id.as_str()).collect();
    assert_eq!(ids, [ID, "9z8y7x6w5v4u3t2s1r0q9p", ID]);
    assert_eq!((page.rows, page.skipped[&SkipReason::Removed]), (4, 1));
}

#[test]
fn a_page_stands_alone_or_in_a_playlist() {
    let page = json!({"items": [{"track": track()}], "total": 120, "next": "https://api.spotify.com/v1/next"});
    for document in [page.clone(), json!({"name": "x", "items": page}), json!({"name": "x", "tracks": page})] {
        let read = read_playlist_page(document.to_string().as_bytes()).unwrap();
        assert_eq!((read.rows, read.total, read.has_next), (1, Some(120), true), "{document}");
    }
    let read = read_playlist_page(br#"{"items": [], "next": null, "total": 3.0}"#).unwrap();
    assert_eq!((read.total, read.has_next), (Some(3), false));
    let read = read_playlist_page(br#"{"items": []}"#).unwrap();
    assert_eq!((read.total, read.has_next), (None, false));
}

#[test]
fn what_is_no_page_is_an_error() {
    for bytes in ["", "<html>", "null", "[]", "{}", r#"{"items": null}"#, r#"{"name": "without rows", "tracks": {}}"#] {
        assert!(read_playlist_page(bytes.as_bytes()).is_err(), "{bytes}");
    }
}
