//! What keeps a fleet running: queues, workers, runs, pauses, dead jobs, the doctor.

mod common;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{fails, ok, run, signal, spotifai, wait_until};
use model::Timestamp;
use model::fleet::{Heartbeat, JobCounts};
use model::job::{Envelope, TrackTagsJob};
use model::run::Run;
use queue::{Outcome, Queue};
use serde_json::Value;
use store::Store;
use tempfile::{TempDir, tempdir};
use testkit::{Catalogue, Oddities};

fn json(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(&run(folder, args))).expect("JSON")
}

/// A folder whose `spotifai.db` holds what `fill` puts into it.
fn folder<F: Future<Output = ()>>(
    fill: impl FnOnce(std::sync::Arc<dyn Queue>, std::sync::Arc<dyn Store>) -> F,
) -> TempDir {
    let folder = tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("spotifai.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { fill(queue::open(&url, None).await.unwrap(), store::open(&url).await.unwrap()).await });
    folder
}

fn job(track: &str) -> Envelope {
    Envelope::new(&TrackTagsJob { track_id: track.into() })
}

/// A worker of one kind that has done `done` jobs in ten seconds, and runs one.
fn beat(id: &str, done: u64, beat_at: Timestamp) -> Heartbeat {
    let started_at = beat_at - Duration::from_secs(10);
    Heartbeat {
        id: id.into(),
        host: "laptop".into(),
        pid: 7,
        kinds: vec!["track.tags".into()],
        running: vec![("track.tags".into(), "t9".into(), started_at)],
        counts: BTreeMap::from([("track.tags".into(), JobCounts { done, retried: 2, dead: 1 })]),
        troubles: Vec::new(),
        started_at,
        beat_at,
    }
}

#[test]
fn queues_say_what_waits_how_fast_it_goes_and_how_long_it_takes() {
    let folder = folder(async |queue, store| {
        queue.publish(&[job("a"), job("b"), job("c")]).await.unwrap();
        store.heartbeat(&beat("w", 5, Timestamp::now())).await.unwrap();
    });
    let at = folder.path();
    let tags = &json(at, &["queues", "--json"])[0];
    let count = |name: &str| tags[name].as_u64();
    assert_eq!(
        (tags["kind"].as_str(), count("ready"), count("running"), count("dead")),
        (Some("track.tags"), Some(3), Some(0), Some(0))
    );
    assert_eq!((count("workers"), tags["rate_per_second"].as_f64()), (Some(1), Some(0.5)), "five in ten seconds");
    assert_eq!((count("eta_seconds"), &tags["paused_since"]), (Some(6), &Value::Null));
    let text = ok(&run(at, &["queues"]));
    assert!(text.contains("0.5/s") && text.contains("6 s") && !text.contains('\x1b'), "{text}");
}

#[test]
fn a_pause_is_everybodys_until_it_is_resumed() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let paused = json(at, &["pause", "track.tags", "--json"]);
    assert_eq!((paused[0]["kind"].as_str(), paused[0]["was_paused"].as_bool()), (Some("track.tags"), Some(false)));
    assert!(ok(&run(at, &["pause", "track.tags"])).contains("already"));
    assert_eq!(json(at, &["queues", "--json"])[0]["paused_since"], paused[0]["since"], "the first pause stays");
    assert_eq!(json(at, &["status", "--json"])["pauses"][0]["kind"], "track.tags");
    assert!(ok(&run(at, &["status"])).contains("track.tags has been paused"));
    assert_eq!(
        ok(&run(at, &["resume", "track.tags", "search.refit"])),
        "resumed track.tags\nsearch.refit was not paused\n"
    );
    let kinds = json(at, &["kinds", "--json"]).as_array().unwrap().len();
    assert_eq!(json(at, &["pause", "--all", "--json"]).as_array().unwrap().len(), kinds);
    ok(&run(at, &["resume", "--all"]));
    assert_eq!(json(at, &["status", "--json"])["pauses"], Value::Array(Vec::new()));
    let error = fails(&run(at, &["pause", "track.tgas"]), 2);
    assert!(error.contains("track.tgas") && error.contains("track.pitches"), "it lists the kinds: {error}");
}

#[test]
fn workers_are_shown_with_what_they_do_until_they_are_gone() {
    let folder = folder(async |_, store| {
        store.heartbeat(&beat("w1", 1_234, Timestamp::now())).await.unwrap();
        store.heartbeat(&beat("w2", 5, Timestamp::now() - Duration::from_secs(60))).await.unwrap();
    });
    let at = folder.path();
    let text = ok(&run(at, &["workers"]));
    assert!(text.contains("laptop:7") && text.contains("track.tags t9") && text.contains("1,234"), "{text}");
    let alive = json(at, &["workers", "--json"]);
    assert_eq!(alive.as_array().unwrap().len(), 1);
    assert_eq!((&alive[0]["state"], &alive[0]["running"][0]["key"]), (&"working".into(), &"t9".into()));
    assert_eq!(alive[0]["counts"]["track.tags"]["done"], 1_234);
    let all = json(at, &["workers", "--all", "--json"]);
    assert_eq!(all.as_array().unwrap().iter().filter(|worker| worker["state"] == "gone").count(), 1);
}

#[test]
fn a_run_is_shown_and_can_be_cancelled_once() {
    let started_at = Timestamp::now();
    let run_of = |id: &str| Run {
        id: id.into(),
        playlists: vec!["p".into()],
        started_at,
        finished_at: None,
        failure: None,
        cancelled_at: None,
        stand_in: None,
    };
    let done = Run { finished_at: Some(started_at + Duration::from_secs(5)), ..run_of("r2") };
    let folder = folder(async |_, store| {
        store.save_run(&run_of("r1")).await.unwrap();
        store.save_run(&done).await.unwrap();
    });
    let at = folder.path();
    let states = || {
        json(at, &["runs", "--json"])
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(), ["open", "finished"]);
    assert!(ok(&run(at, &["cancel", "r1"])).contains("cancelled r1"));
    assert_eq!(states(), ["cancelled", "finished"]);
    assert!(ok(&run(at, &["cancel", "r1"])).contains("already"));
    assert!(json(at, &["cancel", "r1", "--json"])["cancelled_at"].is_i64());
    assert!(fails(&run(at, &["cancel", "r9"]), 2).contains("r9"));
    let text = ok(&run(at, &["runs"]));
    assert!(text.contains("cancelled 0 s ago") && text.contains("0/1"), "{text}");
}

#[test]
fn dead_jobs_are_chosen_by_id_by_kind_or_all() {
    let folder = folder(async |queue, _| {
        queue.publish(&[job("a"), job("b"), job("c")]).await.unwrap();
        let mut taken = queue.subscribe(&["track.tags"], 3).await.unwrap();
        for _ in 0..3 {
            taken.next().await.unwrap().finish(Outcome::Dead { reason: "no such track".into() }).await.unwrap();
        }
    });
    let at = folder.path();
    let dead = |kind: &str| json(at, &["dead", "list", "--kind", kind, "--json"]).as_array().unwrap().clone();
    assert_eq!((dead("track.tags").len(), dead("track.pitches").len()), (3, 0));
    let letter = &dead("track.tags")[0];
    assert_eq!((&letter["reason"], &letter["key"]), (&"no such track".into(), &"a".into()));
    let id = letter["id"].as_str().unwrap();
    assert!(ok(&run(at, &["dead", "show", id])).contains("no such track"));
    assert!(ok(&run(at, &["dead", "show", &id[..id.len() - 1]])).contains(id), "its beginning is enough");
    let alike = fails(&run(at, &["dead", "show", ""]), 2);
    assert!(alike.contains("no dead job ``"), "{alike}");
    for nothing in [&["dead", "purge"][..], &["dead", "requeue"], &["dead", "purge", id, "--all"]] {
        assert!(fails(&run(at, nothing), 2).contains("--all"), "{nothing:?}");
    }
    assert!(fails(&run(at, &["dead", "requeue", "nobody"]), 2).contains("nobody"));
    assert_eq!(json(at, &["dead", "requeue", id, "--json"])["requeued"], 1);
    assert_eq!(ok(&run(at, &["dead", "purge", "--kind", "track.pitches"])), "deleted 0 jobs\n");
    assert_eq!(ok(&run(at, &["dead", "purge", "--all"])), "deleted 2 jobs\n");
    let tags = &json(at, &["queues", "--json"])[0];
    assert_eq!((tags["ready"].as_u64(), tags["dead"].as_u64()), (Some(1), Some(0)));
}

#[test]
fn a_watched_table_is_a_block_a_second_on_a_pipe_and_ends_well() {
    let folder = tempdir().unwrap();
    for command in
        [&["queues", "--watch", "--json"][..], &["workers", "--watch"], &["runs", "--watch"], &["status", "--watch"]]
    {
        let out = folder.path().join("out");
        let file = std::fs::File::create(&out).unwrap();
        let mut child = spotifai(folder.path(), command).stdout(file).stderr(Stdio::piped()).spawn().unwrap();
        let shown = || std::fs::read_to_string(&out).unwrap();
        wait_until("two blocks", || {
            let text = shown();
            let block = text.lines().next().unwrap_or("nothing yet").to_owned();
            text.lines().filter(|line| *line == block).count() >= 2
        });
        signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{command:?}");
        assert!(!shown().contains('\x1b'), "no terminal, no colours: {command:?}");
    }
}

#[test]
fn completions_know_the_kinds() {
    let folder = tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = ok(&run(folder.path(), &["completions", shell]));
        assert!(script.contains("spotifai") && script.contains("track.tags"), "{shell}");
    }
    fails(&run(folder.path(), &["completions", "cmd"]), 2);
}

#[test]
fn servers_that_are_out_of_reach_are_named_without_their_passwords() {
    let folder = tempdir().unwrap();
    // A port that nobody listens on, and one that accepts and says nothing.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for place in [closed, silent.local_addr().unwrap()] {
        let url = format!("amqp://me:squeamish@{place}/team");
        let began = Instant::now();
        let out = spotifai(folder.path(), &["queues"]).env("SPOTIFAI_QUEUE", &url).output().unwrap();
        let line = fails(&out, 1);
        assert!(began.elapsed() < Duration::from_secs(9), "it took {:?}", began.elapsed());
        assert!(line.contains(&place.to_string()) && line.contains("SPOTIFAI_QUEUE"), "{line}");
        assert!(!line.contains("squeamish") && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn the_doctor_finds_all_well_where_all_is_well() {
    let folder = tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(testkit::serve(Catalogue::sample(50, 2), Oddities::none())).unwrap();
    let doctor = |args: &[&str]| {
        spotifai(folder.path(), args)
            .envs(stage.environment())
            .env("SPOTIFAI_LASTFM_API_KEY", testkit::LASTFM_API_KEY)
            .output()
            .unwrap()
    };
    let found: Value = serde_json::from_str(&ok(&doctor(&["doctor", "--json"]))).unwrap();
    assert_eq!(found["ok"], true);
    for check in found["checks"].as_array().unwrap() {
        assert_eq!((&check["state"], &check["advice"]), (&"ok".into(), &Value::Null), "{check}");
    }
    let text = ok(&doctor(&["doctor"]));
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), text.lines().count(), "{text}");
    for name in [
        "settings",
        "queue",
        "store",
        "workers",
        "spotify-sign-in",
        "spotify-audio-analysis",
        "lastfm-pages",
        "lastfm-api",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn the_doctor_says_the_way_out_of_each_failure() {
    let folder = tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let forbidden = vec![testkit::Capability::Analysis, testkit::Capability::Pages];
    let stage =
        runtime.block_on(testkit::serve(Catalogue::sample(50, 2), Oddities { forbidden, ..Oddities::none() })).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut doctor = spotifai(folder.path(), &["doctor", "--json"]);
    doctor.envs(stage.environment()).env("SPOTIFAI_QUEUE", format!("amqp://me:squeamish@{closed}/team"));
    doctor.env("SPOTIFAI_LASTFM_API_KEY", "squeamish").env_remove("SPOTIFAI_CONTACT");
    let out = doctor.output().unwrap();
    assert_eq!(fails(&out, 1), "spotifai: 2 checks failed\n");
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(!text.contains("squeamish"), "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    let state = |name: &str| {
        let checks = found["checks"].as_array().unwrap();
        let check =
            checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}: {text}"));
        check["state"].as_str().unwrap().to_owned()
    };
    for (name, expected) in [
        ("settings", "ok"),
        ("queue", "failed"),
        ("queue-management", "warning"),
        ("store", "ok"),
        ("spotify-sign-in", "ok"),
        ("spotify-audio-features", "ok"),
        ("spotify-audio-analysis", "warning"),
        ("contact", "warning"),
        ("lastfm-pages", "warning"),
        ("lastfm-api", "failed"),
    ] {
        assert_eq!(state(name), expected, "{name}: {text}");
    }
}

#[test]
fn the_doctor_sees_jobs_that_nobody_takes_and_clocks_that_differ() {
    let folder = folder(async |queue, store| {
        queue.publish(&[Envelope::new(&model::job::TrackPitchesJob { track_id: "a".into() })]).await.unwrap();
        store.heartbeat(&beat("w", 0, Timestamp::now() + Duration::from_secs(90))).await.unwrap();
    });
    // Sources unreachable are not what this is about: one connection that is refused at once each.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut doctor = spotifai(folder.path(), &["doctor"]);
    doctor
        .env("SPOTIFAI_LASTFM_URL", format!("http://{closed}"))
        .env("SPOTIFAI_LASTFM_API_URL", format!("http://{closed}"));
    let out = doctor.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.contains("no worker takes track.pitches: 1 job waiting"), "{text}");
    assert!(text.contains("the clock of laptop:7 is 8") && text.contains("NTP"), "{text}");
    assert!(text.contains(&format!("{closed}")) && text.contains("spotifai login"), "{text}");
}

#[test]
fn the_doctor_needs_settings_that_can_be_read() {
    let folder = tempdir().unwrap();
    let out = spotifai(folder.path(), &["doctor"]).env("SPOTIFAI_LASTFM_RATE", "fast").output().unwrap();
    fails(&out, 1);
    assert!(String::from_utf8_lossy(&out.stdout).starts_with("failed   settings"));
}
