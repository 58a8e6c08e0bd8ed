//! What services send that is not as it should be, and what jobs that anyone publishes ask for, up to what a person sees.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{fails, ok, run, spotifai, wait_until};
use model::job::{
    ArtistsGenresJob, Envelope, PlaylistPageJob, TrackAnalysisJob, TrackMetadataJob, TrackPitchesJob, TrackTagsJob,
    TracksAudioJob,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, Catalogue, Oddities, Service, Stage, When};

/// A folder for the program, and a stage that it is pointed at.
struct Place {
    folder: TempDir,
    stage: Stage,
}

impl Place {
    async fn new(tracks: usize, oddities: Oddities) -> Self {
        let stage = testkit::serve(Catalogue::sample(tracks, 5), oddities).await.unwrap();
        Self { folder: tempfile::tempdir().unwrap(), stage }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = spotifai(self.at(), args);
        command.envs(self.stage.environment());
        command
    }

    fn ok(&self, args: &[&str]) -> String {
        ok(&self.command(args).output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// Enqueues the playlists and lets these workers work until nothing is left.
    fn collect(&self, workers: &[&str]) -> Value {
        let playlists = self.stage.playlists();
        let enqueue: Vec<&str> =
            ["enqueue", "playlist"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
        self.ok(&enqueue);
        for worker in workers {
            self.ok(&["worker", worker, "--until-empty"]);
        }
        self.json(&["status", "--json"])["collection"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_short_pages_loses_no_row() {
    let place = Place::new(120, Oddities { page_rows: Some(20), ..Oddities::none() }).await;
    let expected = place.stage.expected().clone();
    let collection = place.collect(&["playlist"]);
    assert_eq!(
        (&collection["rows"], &collection["tracks_collected"]),
        (&json!(expected.rows), &json!(expected.tracks))
    );
    assert_eq!(collection.get("rows_differ"), None);
    let runs = place.json(&["runs", "--json"]);
    assert_eq!(runs[0]["progress"]["pages"], runs[0]["progress"]["pages_expected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_that_says_it_has_more_rows_than_come_is_named() {
    let place = Place::new(120, Oddities { page_rows: Some(30), rows_withheld: 2, ..Oddities::none() }).await;
    let large = place.stage.playlists()[0].clone();
    let differ = place.collect(&["playlist"])["rows_differ"][&large].clone();
    let [said, came] = ["said", "came"].map(|name| differ[name].as_u64().unwrap());
    assert_eq!(said, came + 2);
    let status = place.ok(&["status"]);
    assert!(
        status.contains(&format!("playlist {large} has {said} rows according to Spotify, but {came} were received")),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_that_has_more_rows_than_it_says_is_named_wherever_its_rows_are_told() {
    let place = Place::new(120, Oddities { page_rows: Some(30), rows_untold: 70, ..Oddities::none() }).await;
    let (large, rows) = (place.stage.playlists()[0].clone(), place.stage.expected().rows);
    let collection = place.collect(&["playlist"]);
    assert_eq!(collection["rows"], json!(rows), "no row is lost");
    let differ = collection["rows_differ"][&large].clone();
    let [said, came] = ["said", "came"].map(|name| differ[name].as_u64().unwrap());
    assert_eq!(said + 70, came);
    let line = format!("playlist {large} has {said} rows according to Spotify, but {came} were received");
    let playlists = place.stage.playlists();
    let run: Vec<&str> = ["run"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
    for args in [vec!["status"], run.clone(), [&run[..], &["--labels-only"]].concat()] {
        let said = place.ok(&args);
        assert!(said.contains(&line), "{args:?}: {said}");
    }
    let page = std::fs::read_to_string(place.at().join("spotifai-out/report.html")).unwrap();
    assert!(page.contains(&line), "the report says it too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_an_odd_id_leads_nowhere_and_spoils_no_other() {
    let place = Place::new(60, Oddities::none()).await;
    place.collect(&["playlist", "lastfm", "pitch"]);
    let store = store::open(&format!("sqlite:{}", place.at().join("spotifai.db").display())).await.unwrap();
    let queue = queue::open(&format!("sqlite:{}", place.at().join("spotifai.db").display()), None).await.unwrap();
    let before = place.stage.requests().len();
    let (devices, admin) = ("../me/player/devices", "../../../../admin/x");
    let good = "1a2b3c4d5e6f7g8h9i0jkl".to_owned();
    let jobs = [
        Envelope::new(&TrackAnalysisJob { track_id: devices.into() }),
        Envelope::new(&TracksAudioJob { track_ids: vec![good.clone(), "0short".into()] }),
        Envelope::new(&ArtistsGenresJob { artist_ids: vec![admin.into()] }),
        Envelope::new(&PlaylistPageJob { run: "r".into(), playlist: admin.into(), ..PlaylistPageJob::default() }),
        Envelope::new(&TrackMetadataJob { track_id: devices.into() }),
        Envelope::new(&TrackTagsJob { track_id: devices.into() }),
        Envelope::new(&TrackPitchesJob { track_id: devices.into() }),
        Envelope::new(&TrackPitchesJob { track_id: String::new() }),
        Envelope::new(&TracksAudioJob { track_ids: vec![devices.into(), admin.into()] }),
    ];
    queue.publish(&jobs).await.unwrap();
    place.ok(&["worker", "all", "--until-empty"]);

    let paths: Vec<String> = place.stage.requests().into_iter().skip(before).map(|request| request.path).collect();
    let is_expected = |path: &String| path == "/api/token" || path.ends_with(&good);
    assert!(paths.iter().all(is_expected), "{paths:?}");
    let dead = place.json(&["dead", "list", "--json"]);
    let reasons: Vec<&str> = dead.as_array().unwrap().iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 9, "{reasons:?}");
    for letter in dead.as_array().unwrap() {
        let (kind, reason) = (letter["kind"].as_str().unwrap(), letter["reason"].as_str().unwrap());
        assert!(reason.starts_with(&format!("this is not the body of a {kind} job: ")), "{reason}");
        assert_eq!(letter["history"], json!([]), "it was not tried again");
    }
    for odd in [devices, "0short", admin, ""] {
        assert!(
            reasons.iter().any(|reason| reason.contains(&format!("{odd:?} is not a Spotify id"))),
            "{odd}: {reasons:?}"
        );
    }
    let features = store.capability("spotify.audio-features").await.unwrap().unwrap();
    assert!(features.allowed, "{}", features.detail);
    let known = store.features(&[good]).await.unwrap();
    assert_eq!(known.len(), 1, "the other id of the job was asked for");
}

#[test]
fn ids_of_artists_and_playlists_in_a_file_are_checked_like_those_of_tracks() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, line) in [
        ("artists.genres", r#"{"artist_ids":["1a2b3c4d5e6f7g8h9i0jkl","../me"]}"#),
        ("tracks.audio", r#"{"track_ids":["../me"]}"#),
        ("playlist.page", r#"{"run":"r","playlist":"../me","offset":0}"#),
        ("track.tags", r#"{"track_id":"../me"}"#),
    ] {
        std::fs::write(folder.path().join("jobs"), line).unwrap();
        let said = fails(&run(folder.path(), &["enqueue", "file", "jobs", "--kind", kind]), 1);
        assert!(said.contains("../me") && said.contains("22 letters and digits"), "{kind}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn features_with_a_gap_are_kept_told_apart_and_counted() {
    let place = Place::new(120, Oddities { odd_keys: true, ..Oddities::none() }).await;
    let expected = place.stage.expected().clone();
    let collection = place.collect(&["playlist", "lastfm", "pitch"]);
    let incomplete = collection["tracks_with_incomplete_features"].as_u64().unwrap();
    assert!(incomplete > 10, "{collection}");
    assert_eq!(collection["tracks_with_features"], json!(expected.tracks - expected.without_features));
    assert!(place.ok(&["status"]).contains(&format!("({incomplete} incomplete)")));
    let dataset = place.json(&["dataset", "build", "--json"]);
    let dropped = dataset["dropped"]["incomplete_audio_features"].as_u64().unwrap();
    assert!((1..=incomplete).contains(&dropped), "{dropped} of {incomplete}");
    assert_eq!(dataset["features"], 1_241);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_page_that_breaks_off_is_asked_for_again() {
    let oddities = Oddities::none().with(Service::Lastfm, "/+tags", When::First(12), Answer::Half);
    let place = Place::new(60, oddities).await;
    place.collect(&["playlist", "lastfm"]);
    let store = store::open(&format!("sqlite:{}", place.at().join("spotifai.db").display())).await.unwrap();
    let expected = Catalogue::sample(60, 5).tags();
    let ids: Vec<String> = expected.keys().cloned().collect();
    let found = store.tags(&ids).await.unwrap().into_iter().map(|tags| (tags.track_id, tags.outcome));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absurd_wait_closes_a_budget_for_a_day_at_most() {
    let absurd = Answer::TooManyRequests { retry_after_seconds: 31_536_000 };
    let place = Place::new(60, Oddities::none().with(Service::Spotify, "/items", When::First(1_000), absurd)).await;
    place.ok(&["enqueue", "playlist", &place.stage.playlists()[0]]);
    let mut worker =
        place.command(&["worker", "playlist"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let closed_for = || {
        let status = place.json(&["status", "--json"]);
        let budgets = status["budgets"].as_array().unwrap();
        let now = model::Timestamp::now().0;
        budgets.iter().map(|budget| budget["blocked_until"].as_i64().unwrap_or(0) - now).max().unwrap_or(0)
    };
    wait_until("the budget is closed", || closed_for() > 0);
    let closed_ms = closed_for();
    common::signal(&worker, "TERM");
    let log = std::io::read_to_string(worker.stderr.take().unwrap()).unwrap();
    worker.wait().unwrap();
    assert!((80_000_000..=86_400_000).contains(&closed_ms), "{closed_ms} ms");
    assert!(log.contains("absurdly long wait") && log.contains("31536000"), "{log}");
}

#[test]
fn blanks_and_line_ends_around_settings_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = |pad: fn(&str) -> String| {
        let mut command = spotifai(folder.path(), &["config"]);
        for (name, value) in [
            ("SPOTIFAI_QUEUE", "amqp://broker/v"),
            ("SPOTIFAI_STORE", "sqlite:file.db"),
            ("SPOTIFAI_CONTACT", "me@example.org"),
            ("SPOTIFAI_EGRESS", "office"),
            ("SPOTIFAI_LASTFM_RATE", "0.25"),
            ("SPOTIFAI_LASTFM_BACKOFF", "1..2"),
            ("SPOTIFAI_LASTFM_URL", "http://localhost:1"),
            ("SPOTIFAI_SPOTIFY_CLIENT_ID", "0123"),
        ] {
            command.env(name, pad(value));
        }
        ok(&command.output().unwrap())
    };
    let plain = config(str::to_owned);
    assert!(plain.contains("me@example.org") && plain.contains("0.25"), "{plain}");
    assert_eq!(config(|value| format!(" {value}\r\n")), plain);
    assert_eq!(config(|value| format!("\u{feff}{value}\t")), plain);
    let broken = spotifai(folder.path(), &["config"]).env("SPOTIFAI_LASTFM_API_KEY", "hush\nhush").output().unwrap();
    let said = fails(&broken, 2);
    assert!(said.contains("SPOTIFAI_LASTFM_API_KEY") && said.contains("line end") && !said.contains("hush"), "{said}");
}

#[test]
fn tags_of_other_scripts_keep_their_letters() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tags"), "русский рок\nパンク\nйога\nélectro\nहिन्दी\n").unwrap();
    let tags = std::fs::File::open(folder.path().join("tags")).unwrap();
    let out = ok(&spotifai(folder.path(), &["tags", "normalise"]).stdin(Stdio::from(tags)).output().unwrap());
    assert_eq!(out.lines().collect::<Vec<_>>(), ["русскийрок", "パンク", "йога", "electro", "हिन्दी"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn canonical_tags_of_older_rules_are_made_anew_for_a_dataset() {
    let place = Place::new(60, Oddities::none()).await;
    place.collect(&["playlist", "lastfm"]);
    let file = place.at().join("spotifai.db");
    // As the first rules left them.
    let connection = sqlite::rusqlite::Connection::open(&file).unwrap();
    let changed = connection
        .execute(
            "UPDATE tags SET doc = json_set(doc, '$.rules', 1, '$.canonical', json('[\"old\"]')) WHERE outcome = 'tags'",
            [],
        )
        .unwrap();
    assert!(changed > 10);
    drop(connection);
    let dataset = place.json(&["dataset", "build", "--json"]);
    let labels: Vec<&str> = dataset["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
    assert!(labels.len() > 3 && !labels.contains(&"old"), "{labels:?}");
}
