//! `playlist.page`.

use model::audio::AudioFeatures;
use model::job::PlaylistPageJob;
use model::tag::{TagSource, TagsOutcome};
use model::track::{Artist, SkipReason, Track};
use runtime::{Failure, Handler};
use serde_json::{Value, json};

use super::stand_in::{Answer, error, ok};
use super::{PLAYLIST, Place, id, ids, job};
use crate::page::PlaylistPages;

const ITEMS: &str = "/v1/playlists/p1000000000000000000id/items";

fn page(offset: u32) -> PlaylistPageJob {
    PlaylistPageJob { run: "r1".into(), playlist: PLAYLIST.into(), offset, ..PlaylistPageJob::default() }
}

fn page_at(offset: u32) -> (String, String) {
    job("playlist.page", format!("r1/{PLAYLIST}/{offset}"))
}

/// A row with track `number` by an artist of its own.
fn row(number: usize) -> Value {
    json!({"item": {"id": id(number), "name": "Title", "artists": [{"id": id(1000 + number), "name": "Name"}]}})
}

async fn place(answer: impl Fn() -> Answer + Send + 'static) -> (Place, PlaylistPages) {
    let place = Place::new().await;
    place.spotify.on(ITEMS, move |_| answer());
    let pages = place.handler::<PlaylistPages>();
    (place, pages)
}

#[tokio::test]
async fn the_first_page_brings_all_others_and_the_work_on_its_tracks() {
    let rows = [vec![row(2), Value::Null, row(1), row(2)], vec![Value::Null; 46]].concat();
    let (place, pages) = place(move || ok(json!({"items": rows, "total": 151, "next": "…"}))).await;
    let jobs = place.run(&pages, page(0)).await.unwrap();
    let expected = [
        page_at(50),
        page_at(100),
        page_at(150),
        job("track.tags", id(1)),
        job("track.tags", id(2)),
        job("tracks.audio", ids([1, 2]).join(",")),
        job("artists.genres", ids([1001, 1002]).join(",")),
    ];
    assert_eq!(jobs, expected);

    let stored = place.store.page("r1", PLAYLIST, 0).await.unwrap().unwrap();
    assert_eq!((stored.rows, stored.total, stored.has_next), (50, Some(151), true));
    assert_eq!((stored.track_ids, stored.skipped[&SkipReason::Removed]), (ids([2, 1, 2]), 47));
    assert_eq!(place.store.all_tracks().await.unwrap().len(), 2);

    let again = place.run(&pages, page(0)).await.unwrap();
    assert_eq!((again, place.asked("playlists")), (expected.to_vec(), 1), "a stored page is not asked for again");
}

#[tokio::test]
async fn a_later_page_brings_no_pages() {
    let full: Vec<Value> = vec![Value::Null; 50];
    let (place, pages) = place(move || ok(json!({"items": full, "total": 151, "next": "…"}))).await;
    place.run(&pages, page(0)).await.unwrap();
    assert_eq!(place.run(&pages, page(50)).await.unwrap(), []);
}

#[tokio::test]
async fn a_page_that_falls_short_brings_the_rest_of_its_block() {
    let twenty: Vec<Value> = vec![Value::Null; 20];
    let (place, pages) = place(move || ok(json!({"items": twenty, "total": 60, "next": "…"}))).await;
    assert_eq!(place.run(&pages, page(0)).await.unwrap(), [page_at(20), page_at(50)]);
    assert_eq!(place.run(&pages, page(20)).await.unwrap(), [page_at(40)]);
    let limits: Vec<String> = place.spotify.asked(ITEMS).into_iter().map(|request| request.query).collect();
    assert!(limits[0].starts_with("limit=50&offset=0&") && limits[1].starts_with("limit=30&offset=20&"), "{limits:?}");
    place.spotify.on(ITEMS, |_| ok(json!({"items": [], "total": 60, "next": "…"})));
    assert_eq!(place.run(&pages, page(40)).await.unwrap(), [], "an empty page ends the way");
}

#[tokio::test]
async fn without_a_total_each_page_brings_the_next() {
    let full: Vec<Value> = vec![Value::Null; 50];
    let (place, pages) = place(move || ok(json!({ "items": full }))).await;
    assert_eq!(place.run(&pages, page(0)).await.unwrap(), [page_at(50)]);
    place.spotify.on(ITEMS, |_| ok(json!({"items": [null], "next": "…", "total": 102})));
    let next = place.run(&pages, page(50)).await.unwrap();
    assert_eq!(next, [page_at(51)], "also where only a later page tells it");
    place.spotify.on(ITEMS, |_| ok(json!({"items": [null, null]})));
    assert_eq!(place.run(&pages, page(51)).await.unwrap(), [page_at(53)], "it does not say that it is the last one");
    place.spotify.on(ITEMS, |_| ok(json!({"items": []})));
    assert_eq!(place.run(&pages, page(53)).await.unwrap(), []);
    place.spotify.on(ITEMS, |_| ok(json!({"items": [null, null], "next": null})));
    assert_eq!(place.run(&pages, page(100)).await.unwrap(), [], "it says so");
}

#[tokio::test]
async fn an_odd_id_of_a_page_is_a_counted_row_and_reaches_no_batch() {
    let odd = |id: &str| json!({"item": {"id": id, "name": "T", "artists": [{"id": id, "name": "A"}]}});
    let mut by_odd_artist = row(3);
    by_odd_artist["item"]["artists"][0]["id"] = json!("../me/player/devices");
    let rows = json!([row(1), odd("0short"), odd("../me/player/devices"), by_odd_artist]);
    let (place, pages) = place(move || ok(json!({"items": rows, "total": 4}))).await;
    let expected = [
        job("track.tags", id(1)),
        job("track.tags", id(3)),
        job("tracks.audio", ids([1, 3]).join(",")),
        job("artists.genres", id(1001)),
    ];
    assert_eq!(place.run(&pages, page(0)).await.unwrap(), expected);
    let stored = place.store.page("r1", PLAYLIST, 0).await.unwrap().unwrap();
    assert_eq!((stored.rows, stored.skipped[&SkipReason::InvalidId]), (4, 2));
}

#[tokio::test]
async fn a_page_of_what_is_no_playlist_is_dead_unasked() {
    let (place, pages) = place(|| ok(json!({"items": []}))).await;
    for playlist in ["p1", "../me/player/devices", "../../../../admin/x", "..", ""] {
        let job = PlaylistPageJob { playlist: playlist.into(), ..page(0) };
        let Err(Failure::Dead { reason }) = place.run(&pages, job).await else { panic!("{playlist} is no playlist") };
        assert!(reason.contains(&format!("{playlist:?} is not a Spotify id")), "{reason}");
    }
    assert!(place.spotify.asked("/").is_empty());
}

#[tokio::test]
async fn what_is_known_is_no_work() {
    let (place, pages) = place(|| ok(json!({"items": [row(1), row(2)], "total": 2}))).await;
    let known = Track { id: id(1), name: "Title".into(), artists: vec![], album: None, duration_ms: None, isrc: None };
    place.store.save_tags(&known, &TagsOutcome::NoTags, TagSource::Page).await.unwrap();
    let features = ids([1, 2]).into_iter().map(|track_id| AudioFeatures { track_id, values: None });
    place.store.save_features(&features.collect::<Vec<_>>()).await.unwrap();
    for track_id in ids([1, 2]) {
        let analysis = model::analysis::TrackAnalysis { track_id, analysis: None };
        place.store.save_analysis(&analysis).await.unwrap();
    }
    let artist = |number| Artist { id: id(number), name: "Name".into(), genres: vec![] };
    place.store.save_artists(&[artist(1001), artist(1002)]).await.unwrap();
    assert_eq!(place.run(&pages, page(0)).await.unwrap(), [job("track.tags", id(2))]);
}

#[tokio::test]
async fn where_only_labels_are_wanted_nothing_else_is_asked_for() {
    let rows = [vec![row(1)], vec![Value::Null; 49]].concat();
    let (place, pages) = place(move || ok(json!({"items": rows, "total": 51}))).await;
    let jobs = pages.run(PlaylistPageJob { labels_only: true, ..page(0) }, &place.context).await.unwrap();
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    assert_eq!(kinds, ["playlist.page", "track.tags"]);
    assert_eq!(jobs[0].body["labels_only"], true, "nor by the other pages");
}

#[tokio::test]
async fn artists_go_in_jobs_of_fifty() {
    let rows: Vec<Value> = (0..50)
        .map(|n| {
            json!({"item": {"id": id(n), "name": "T", "artists": [
        {"id": id(1000 + n), "name": "A"}, {"id": id(2000 + n), "name": "B"}, {"id": null, "name": "C"}]}})
        })
        .collect();
    let (place, pages) = place(move || ok(json!({"items": rows, "total": 50}))).await;
    let jobs = place.run(&pages, page(0)).await.unwrap();
    let artists: Vec<_> = jobs.into_iter().filter(|(kind, _)| kind == "artists.genres").map(|(_, key)| key).collect();
    assert_eq!(artists, [ids(1000..1050).join(","), ids(2000..2050).join(",")]);
}

#[tokio::test]
async fn a_playlist_that_may_not_be_read_is_dead_with_the_way_out() {
    let (place, pages) = place(|| error(403, "Forbidden")).await;
    let Err(Failure::Dead { reason }) = place.run(&pages, page(0)).await else { panic!("it stays forbidden") };
    assert!(reason.contains(PLAYLIST) && reason.contains("spotifai login"), "{reason}");
    place.spotify.on(ITEMS, |_| error(404, "Not found."));
    assert!(matches!(place.run(&pages, page(0)).await, Err(Failure::Dead { .. })));
    assert_eq!(place.store.page("r1", PLAYLIST, 0).await.unwrap(), None);
}
