//! A service that cannot be reached while somebody waits for its jobs.

mod common;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{ok, run, spotifai, wait_until};
use model::job::{Envelope, PlaylistPageJob, TrackTagsJob};
use model::track::{ArtistRef, Track};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use testkit::{Catalogue, Oddities, Stage};
use tokio::net::{TcpListener, TcpStream};

/// A stage whose last.fm is at an address where nobody listens yet.
struct Offline {
    folder: TempDir,
    stage: Stage,
    lastfm: SocketAddr,
}

impl Offline {
    async fn new() -> Self {
        let stage = testkit::serve(Catalogue::sample(30, 5), Oddities::none()).await.unwrap();
        let lastfm = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self { folder: tempdir().unwrap(), stage, lastfm }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a run whose errors go to a file.
    fn start(&self) -> (Child, PathBuf) {
        let playlists = self.stage.playlists();
        let args = [&["run", "--labels-only"], &*playlists.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        let errors = self.at().join("errors");
        let mut command = spotifai(self.at(), &args);
        command.envs(self.stage.environment()).env("SPOTIFAI_LASTFM_URL", format!("http://{}", self.lastfm));
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&errors).unwrap());
        (command.spawn().unwrap(), errors)
    }

    /// last.fm can be reached from now on.
    async fn open(&self) {
        let listener = TcpListener::bind(self.lastfm).await.unwrap();
        let server = self.stage.lastfm_url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let mut there = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await });
            }
        });
    }

    /// Retried and dead jobs, by what the queue says.
    fn lost(&self) -> u64 {
        let queues: Value = serde_json::from_str(&ok(&run(self.at(), &["queues", "--json"]))).unwrap();
        queues
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["dead"].as_u64().unwrap() + kind["delayed"].as_u64().unwrap())
            .sum()
    }
}

fn said(errors: &Path) -> String {
    std::fs::read_to_string(errors).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_service_ends_with_the_reason_and_the_same_command_goes_on() {
    let offline = Offline::new().await;
    let began = Instant::now();
    let (mut run, errors) = offline.start();
    let code = tokio::task::spawn_blocking(move || run.wait().unwrap().code()).await.unwrap();
    let text = said(&errors);
    assert_eq!(code, Some(1), "{text}");
    assert!(began.elapsed() >= Duration::from_secs(60), "a short outage is survived");
    let last = text.lines().last().unwrap();
    for part in
        ["none of the remaining jobs", "last.fm is unreachable from here", "run the same command again to resume"]
    {
        assert!(last.contains(part), "{part}: {text}");
    }
    assert_eq!(offline.lost(), 0, "no attempt was counted");
    offline.open().await;
    let (mut run, errors) = offline.start();
    let code = tokio::task::spawn_blocking(move || run.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0), "{}", said(&errors));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_half_a_minute_without_a_network() {
    let offline = Offline::new().await;
    let (mut run, errors) = offline.start();
    let errors_of = errors.clone();
    tokio::task::spawn_blocking(move || {
        wait_until("it says why it waits", || said(&errors_of).contains("last.fm is unreachable from here"));
    })
    .await
    .unwrap();
    // As long as a router takes to restart.
    tokio::time::sleep(Duration::from_secs(30)).await;
    offline.open().await;
    let code = tokio::task::spawn_blocking(move || run.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0), "{}", said(&errors));
    assert_eq!(offline.lost(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_taken_and_never_answered_are_attempts() {
    let stage = testkit::serve(Catalogue::sample(30, 5), Oddities::none()).await.unwrap();
    let folder = tempdir().unwrap();
    let at = folder.path();
    let url = format!("sqlite:{}", at.join("spotifai.db").display());
    let artists = vec![ArtistRef { id: None, name: "Band".into() }];
    let (id, name) = ("3cEYpjA9oz9GiPac4AsH4n".to_owned(), "Song".to_owned());
    let track = Track { id: id.clone(), name, artists, album: None, duration_ms: None, isrc: None };
    store::open(&url).await.unwrap().save_tracks(&[track]).await.unwrap();
    let page = PlaylistPageJob { run: "r".into(), playlist: stage.playlists().remove(0), offset: 0, labels_only: true };
    let jobs = [Envelope::new(&TrackTagsJob { track_id: id }), Envelope::new(&page)];
    queue::open(&url, None).await.unwrap().publish(&jobs).await.unwrap();

    std::fs::write(at.join("spotifai.toml"), "[worker]\nmax_attempts = 1\n").unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let service = format!("http://{}", silent.local_addr().unwrap());
    let mut command = spotifai(at, &["worker", "playlist", "lastfm", "--until-empty"]);
    command
        .envs(stage.environment())
        .env("SPOTIFAI_SPOTIFY_API_URL", format!("{service}/v1/"))
        .env("SPOTIFAI_LASTFM_URL", &service);
    ok(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    let dead: Value = serde_json::from_str(&ok(&run(at, &["dead", "list", "--json"]))).unwrap();
    let reasons: Vec<&str> = dead.as_array().unwrap().iter().map(|job| job["reason"].as_str().unwrap()).collect();
    for service in ["Spotify", "/robots.txt"] {
        let of_service = reasons.iter().filter(|reason| reason.contains(service));
        let of_service = of_service.filter(|reason| reason.starts_with("gave up after 1 attempts: "));
        assert_eq!(of_service.filter(|reason| reason.contains("timed out")).count(), 1, "{dead}");
    }
    assert_eq!(reasons.len(), 2, "{dead}");
}
