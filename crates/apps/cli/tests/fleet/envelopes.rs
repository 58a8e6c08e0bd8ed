//! Versions of the envelope, side by side.

use model::job::{Envelope, TrackPitchesJob};
use tempfile::tempdir;

use crate::common::signal;
use crate::team::{Process, Team, until};

/// How many jobs of a kind are ready, running, delayed and dead.
fn counts(team: &Team, folder: &std::path::Path, kind: &str) -> Option<[u64; 4]> {
    let queues = team.json(folder, &["queues", "--json"]);
    let kind = queues.as_array()?.iter().find(|queue| queue["kind"] == kind)?.clone();
    Some(["ready", "running", "delayed", "dead"].map(|state| kind[state].as_u64().unwrap_or(99)))
}

#[test]
fn a_newer_job_waits_an_older_one_is_run_and_one_that_is_none_is_dead() {
    let Some(team) = Team::new("a_newer_job_waits_an_older_one_is_run_and_one_that_is_none_is_dead") else { return };
    let folder = tempdir().unwrap();
    let at = folder.path();
    team.put_raw("track.pitches", r#"{"v":2,"id":"newer","kind":"track.pitches","what":"nobody knows yet"}"#);
    let older = r#"{"v":0,"id":"older","kind":"track.pitches","key":"t","body":{"track_id":"3cEYpjA9oz9GiPac4AsH4n"}}"#;
    team.put_raw("track.pitches", older);
    team.put_raw("track.pitches", r#"{"v":1,"id":"odd","kind":"track.pitches","key":7}"#);
    team.put_raw("track.pitches", r#"{"v":4000000000,"id":"absurd","kind":"track.pitches"}"#);
    let unknown = r#"{"v":1,"id":"unknown","kind":"track.colours","key":"t","attempt":0,"enqueued_at":0,"body":{}}"#;
    team.put_raw("track.pitches", unknown);
    let worker = Process::start(team.command(at, &["worker", "pitch"]));
    let counts = || counts(&team, at, "track.pitches");
    until("the newer one waits, the others are dead", || counts().filter(|counts| *counts == [0, 0, 1, 3]));
    let dead = team.json(at, &["dead", "list", "--json"]);
    let reason = |id: &str| {
        let letters = dead.as_array().unwrap().iter();
        let is_this =
            |letter: &&serde_json::Value| letter["payload"].as_str().unwrap().contains(&format!("\"id\":\"{id}\""));
        letters.clone().find(is_this).unwrap_or_else(|| panic!("{id} is not in {dead}"))["reason"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(worker.ended(&team, "track.pitches", "done"), 1, "the older one ran");
    assert!(reason("odd").contains("not a job envelope"), "{}", reason("odd"));
    assert!(reason("absurd").contains("version 4000000000 is more than 100 ahead"), "{}", reason("absurd"));
    assert!(reason("unknown").contains("track.colours"), "{}", reason("unknown"));
    let said = until("the worker says it", || {
        Some(team.text(at, &["workers"])).filter(|text| text.contains("envelope version 2 is newer"))
    });
    assert!(said.contains("leaving some track.pitches jobs to others"), "{said}");
}

#[test]
fn newer_jobs_that_a_stopping_worker_puts_off_are_there_once() {
    let Some(team) = Team::new("newer_jobs_that_a_stopping_worker_puts_off_are_there_once") else { return };
    let folder = tempdir().unwrap();
    let job = |n| Envelope { v: 2, ..Envelope::new(&TrackPitchesJob { track_id: format!("t{n}") }) };
    let counts = || counts(&team, folder.path(), "track.pitches");
    let mut delayed = 0;
    // Stopped in the middle of it, three times.
    for all in [2_000, 4_000, 6_000] {
        team.publish(&(all - 2_000..all).map(job).collect::<Vec<Envelope>>());
        let mut worker = Process::start(team.command(folder.path(), &["worker", "pitch"]));
        until("it puts some off", || counts().filter(|[_, _, now, _]| *now > delayed));
        signal(&worker.child, "TERM");
        assert!(worker.child.wait().unwrap().success());
        let are_once = |[ready, running, delayed, dead]: &[u64; 4]| ready + delayed == all && running + dead == 0;
        delayed = until("each is there once", || counts().filter(are_once))[2];
    }
}
