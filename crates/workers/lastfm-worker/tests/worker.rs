//! The whole worker: jobs from a queue, pages from a last.fm on loopback, tags to a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use host::{Backends, Program};
use model::job::{Envelope, TrackTagsJob};
use model::settings::Settings;
use model::tag::TagsOutcome;
use model::track::{ArtistRef, Track};
use runtime::{Shutdown, Until};

const THROTTLED: &str = "<title>Page not available | Last.fm</title><h1>You’re requesting too many pages</h1>";
const TAGS: &str =
    r#"<ol class="big-tags"><li class="big-tags-item-wrap"><h3 class="big-tags-item-name"><a>rock</a></h3></li></ol>"#;

/// Throttles the first three pages, whoever asks, and answers the rest.
async fn lastfm(State(pages): State<Arc<AtomicUsize>>, request: Request) -> Response {
    if request.uri().path() == "/robots.txt" {
        return "User-agent: *\nDisallow: /user".into_response();
    }
    match pages.fetch_add(1, Ordering::SeqCst) {
        0..3 => THROTTLED.into_response(),
        _ => TAGS.into_response(),
    }
}

#[tokio::test]
async fn throttled_jobs_come_back_and_end_well() {
    let pages = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(lastfm).with_state(pages.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("t.db").display());
    let mut settings = Settings { queue: file.clone(), store: file, ..Settings::default() };
    settings.lastfm.url = url;
    settings.lastfm.rate = 1_000.0;
    settings.lastfm.backoff = model::settings::BackoffSettings { first: 0.01, cap: 0.05 };
    let backends = Backends::open(settings).await.unwrap();

    let artists = vec![ArtistRef { id: None, name: "A".into() }];
    let track = |id: String| Track {
        name: id.clone(),
        id,
        artists: artists.clone(),
        album: None,
        duration_ms: None,
        isrc: None,
    };
    let tracks: Vec<Track> = (0..10).map(|i| track(format!("{i:022}"))).collect();
    backends.store.save_tracks(&tracks).await.unwrap();
    let job = |track: &Track| Envelope::new(&TrackTagsJob { track_id: track.id.clone() });
    // Every job twice: at least once is what a queue promises.
    let jobs: Vec<Envelope> = tracks.iter().chain(&tracks).map(job).collect();
    backends.queue.publish(&jobs).await.unwrap();

    let worker = Program::of::<lastfm_worker::LastfmWorker>().add_to(backends.worker(), &backends).unwrap();
    let run = worker.run(Until::Empty, Shutdown::new());
    let counts = tokio::time::timeout(Duration::from_secs(60), run).await.expect("it ends").unwrap();

    let counts = counts["track.tags"];
    assert_eq!((counts.done, counts.retried, counts.dead), (20, 0, 0), "a throttled answer is no failed attempt");
    let ids: Vec<String> = tracks.into_iter().map(|track| track.id).collect();
    let stored = backends.store.tags(&ids).await.unwrap();
    assert_eq!(stored.len(), 10);
    assert!(stored.iter().all(|tags| matches!(tags.outcome, TagsOutcome::Tags(_)) && tags.canonical == ["rock"]));
    assert_eq!(
        backends.store.budget("lastfm@default").await.unwrap().unwrap().throttled,
        0,
        "a good answer starts the count anew"
    );
}
