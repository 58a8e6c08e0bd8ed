//! All four handlers in a worker on an embedded queue.

use std::collections::BTreeMap;

use host::{Backends, Program};
use model::audio::SCALARS;
use model::job::{Envelope, PlaylistPageJob};
use model::settings::{Settings, SpotifySettings};
use runtime::{Shutdown, Until};
use serde_json::{Value, json};

use super::stand_in::{StandIn, ok};
use super::{PLAYLIST, id, ids};
use crate::PlaylistWorker;

/// A playlist of 120 tracks by three artists; the first track has an analysis.
fn serve_playlist(spotify: &StandIn) {
    let row = |n: usize| {
        let artist = json!({"id": id(1000 + n % 3), "name": "Name"});
        json!({"item": {"id": id(n), "name": "Title", "artists": [artist]}})
    };
    spotify.on(&format!("/v1/playlists/{PLAYLIST}/items"), move |request| {
        let offset = request.query.split("offset=").nth(1).and_then(|rest| rest.split('&').next());
        let offset: usize = offset.and_then(|offset| offset.parse().ok()).unwrap();
        let rows: Vec<Value> = (offset..(offset + 50).min(120)).map(row).collect();
        ok(json!({"items": rows, "total": 120}))
    });
    spotify.on("/v1/audio-features", |request| {
        let ids = request.query.trim_start_matches("ids=").split("%2C");
        let features = |id| {
            let mut features: Value = SCALARS.iter().map(|name| (name.to_string(), json!(1))).collect();
            features["id"] = json!(id);
            features
        };
        ok(json!({"audio_features": ids.map(features).collect::<Vec<_>>()}))
    });
    let document = json!({"segments": [{"start": 0, "pitches": vec![1; 12]}]});
    spotify.on(&format!("/v1/audio-analysis/{}", id(0)), move |_| ok(document.clone()));
    spotify.on("/v1/artists", |request| {
        let unknown: Vec<Value> = request.query.split("%2C").map(|_| Value::Null).collect();
        ok(json!({ "artists": unknown }))
    });
}

/// Publishes the playlist's first page and works until nothing is left; returns the jobs done by kind.
async fn collect(backends: &Backends) -> BTreeMap<String, u64> {
    let first = PlaylistPageJob { run: "r1".into(), playlist: PLAYLIST.into(), ..PlaylistPageJob::default() };
    backends.queue.publish(&[Envelope::new(&first)]).await.unwrap();
    let worker = Program::of::<PlaylistWorker>().add_to(backends.worker(), backends).unwrap();
    let counts = worker.run(Until::Empty, Shutdown::new()).await.unwrap();
    counts.into_iter().map(|(kind, counts)| (kind, counts.done)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_is_collected_whole_and_once() {
    let spotify = StandIn::start().await;
    serve_playlist(&spotify);
    let file = format!("sqlite:{}", spotify.folder.path().join("test.db").display());
    let settings = Settings {
        queue: file.clone(),
        store: file,
        spotify: SpotifySettings { rate: 1_000.0, ..spotify.settings() },
        ..Settings::default()
    };
    let backends = Backends::open(settings).await.unwrap();

    let done = collect(&backends).await;
    assert_eq!((done["playlist.page"], done["tracks.audio"], done["track.analysis"]), (3, 3, 120));
    let counts = backends.store.audio_counts().await.unwrap();
    assert_eq!((counts.tracks, counts.features, counts.analyses, counts.without_analysis), (120, 120, 1, 119));
    assert_eq!(backends.store.artists(&ids(1000..1003)).await.unwrap().len(), 3);
    let stats = backends.queue.stats().await.unwrap();
    let waiting: Vec<_> =
        stats.iter().filter(|kind| kind.ready > 0).map(|kind| (kind.kind.as_str(), kind.ready)).collect();
    assert_eq!(waiting, [("track.pitches", 1), ("track.tags", 120)], "for other workers");

    let asked = spotify.asked("/v1/").len();
    assert_eq!(collect(&backends).await["playlist.page"], 3);
    assert_eq!(spotify.asked("/v1/").len(), asked, "all of it is known");
}
