//! Jobs in, pitch columns out, on an embedded home.

use host::{Backends, Program};
use model::analysis::{Analysis, Segment, TrackAnalysis};
use model::audio::TrackPitches;
use model::job::{Envelope, TrackPitchesJob};
use model::settings::Settings;
use runtime::{Shutdown, Until};

async fn backends(folder: &tempfile::TempDir) -> Backends {
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    Backends::open(Settings { queue: url.clone(), store: url, ..Settings::default() }).await.unwrap()
}

/// `count` segments, one every half second.
fn analysis(track_id: &str, count: u32) -> TrackAnalysis {
    let segment = |i: u32| Segment {
        start: f64::from(i) / 2.0,
        duration: None,
        confidence: None,
        loudness_start: None,
        loudness_max: None,
        loudness_max_time: None,
        loudness_end: None,
        pitches: [f64::from(i % 8) / 8.0; 12],
        timbre: None,
    };
    let analysis = Analysis { segments: (0..count).map(segment).collect(), confidences: None };
    TrackAnalysis { track_id: id(track_id), analysis: Some(analysis) }
}

/// An id of Spotify's that ends so.
fn id(name: &str) -> String {
    format!("{name:0>22}")
}

async fn pitches(backends: &Backends, track_id: &str) -> Option<TrackPitches> {
    backends.store.pitches(&[id(track_id)]).await.unwrap().pop()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_ends_with_columns_a_reason_or_the_job_for_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let backends = backends(&folder).await;
    let whole = analysis("whole", 400);
    let stored = TrackPitches { track_id: id("stored"), outcome: Ok(vec![0.5; 1_224]) };
    backends.store.save_analysis(&whole).await.unwrap();
    backends.store.save_analysis(&analysis("short", 1)).await.unwrap();
    backends.store.save_analysis(&analysis("stored", 400)).await.unwrap();
    backends.store.save_analysis(&TrackAnalysis { track_id: id("none"), analysis: None }).await.unwrap();
    backends.store.save_pitches(&stored).await.unwrap();
    let job = |track_id: String| Envelope::new(&TrackPitchesJob { track_id });
    let jobs = ["whole", "whole", "short", "none", "stored", "absent"].map(|name| job(id(name)));
    backends.queue.publish(&jobs).await.unwrap();
    backends.queue.publish(&[job("../me/player".into())]).await.unwrap();

    let worker = Program::of::<pitch_worker::PitchWorker>().add_to(backends.worker(), &backends).unwrap();
    let counts = worker.run(Until::Empty, Shutdown::new()).await.unwrap();

    let expected = features::pitches(&whole.analysis.unwrap().segments).unwrap();
    assert_eq!(pitches(&backends, "whole").await.unwrap().outcome, Ok(expected));
    assert_eq!(pitches(&backends, "short").await.unwrap().outcome, Err("too_short".into()));
    assert_eq!(pitches(&backends, "stored").await, Some(stored), "what is stored is not computed again");
    assert_eq!(pitches(&backends, "none").await, None);
    let counts = counts["track.pitches"];
    assert_eq!((counts.done, counts.retried, counts.dead), (6, 0, 1), "what is no id is dead at once");
    let mut taken = backends.queue.subscribe(&["track.analysis"], 2).await.unwrap();
    let first = taken.next().await.unwrap();
    assert_eq!(first.envelope.unwrap().key, id("absent"), "a playlist-worker fetches it");
}
