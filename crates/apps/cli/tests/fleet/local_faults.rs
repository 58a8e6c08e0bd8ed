//! A process that cannot work stops alone: nobody signed in, a key that is wrong.

use std::path::Path;

use model::job::{Envelope, PlaylistPageJob, TrackTagsJob};
use serde_json::{Value, json};
use tempfile::tempdir;
use testkit::{CLIENT_ID, CLIENT_SECRET, Catalogue, Oddities, Stage};

use crate::team::{Process, Team, until};

pub fn stage(team: &Team) -> Stage {
    team.runtime.block_on(testkit::serve(Catalogue::sample(60, 1), Oddities::none())).unwrap()
}

/// The first page of a playlist of the stage.
pub fn pages(stage: &Stage, run: &str) -> Vec<Envelope> {
    let playlist = stage.playlists().remove(0);
    vec![Envelope::new(&PlaylistPageJob { run: run.into(), playlist, offset: 0, labels_only: false })]
}

/// Starts workers of these kinds against the stage, with some variables more, or less where they are empty.
pub fn start(team: &Team, stage: &Stage, folder: &Path, kinds: &[&str], set: &[(&str, &str)]) -> Process {
    let mut command = team.command(folder, &[&["worker"], kinds].concat());
    command.envs(stage.environment());
    for (name, value) in set {
        command.env(name, value);
    }
    Process::start(command)
}

/// Budgets that are closed, by the list that an operator sees.
pub fn closed(team: &Team, folder: &Path) -> Vec<Value> {
    let budgets = team.json(folder, &["budget", "list", "--json"]);
    budgets.as_array().unwrap().iter().filter(|budget| !budget["closed_until"].is_null()).cloned().collect()
}

pub fn unready(team: &Team, worker: &Process, why: &str) {
    until(why, || Some(worker.page(team, "/readyz")).filter(|(code, text)| *code == 503 && text.contains(why)));
}

#[test]
fn a_laptop_that_is_not_signed_in_stops_alone_until_somebody_signs_in() {
    let Some(team) = Team::new("a_laptop_that_is_not_signed_in_stops_alone_until_somebody_signs_in") else { return };
    let stage = stage(&team);
    let folder = tempdir().unwrap();
    let at = folder.path();
    let token_file = at.join("sign-in/token.json");
    let not_signed_in =
        [("SPOTIFAI_SPOTIFY_CLIENT_SECRET", ""), ("SPOTIFAI_SPOTIFY_TOKEN_FILE", token_file.to_str().unwrap())];
    let laptop = start(&team, &stage, at, &["playlist"], &not_signed_in);
    team.publish(&pages(&stage, "r1"));
    unready(&team, &laptop, "playlist.page: not signed in to Spotify");
    assert_eq!(closed(&team, at), Vec::<Value>::new());
    let text = until("it says so", || {
        Some(team.text(at, &["workers"])).filter(|text| text.contains("taking no playlist.page"))
    });
    assert!(text.contains("spotifai login"), "{text}");
    let text = team.text(at, &["doctor"]);
    assert!(
        text.contains("taking no playlist.page") && text.contains("no running worker can take playlist.page"),
        "{text}"
    );

    // The one who is signed in collects as if the other was not there.
    let elsewhere = tempdir().unwrap();
    let good = start(&team, &stage, elsewhere.path(), &["playlist"], &[]);
    let store = team.store();
    let run_of = |run: &str| team.runtime.block_on(store.pages(Some(run))).unwrap().len();
    until("the run is read", || (run_of("r1") > 0 && good.ended(&team, "playlist.page", "done") > 0).then_some(()));
    assert_eq!(closed(&team, at), Vec::<Value>::new());
    drop(good);

    // Somebody signs in on the laptop, which goes on by itself.
    team.publish(&pages(&stage, "r2"));
    unready(&team, &laptop, "not signed in");
    sign_in(&team, &stage, &token_file);
    until("the laptop reads the page", || (laptop.ended(&team, "playlist.page", "done") > 0).then_some(()));
    until("it is ready again", || Some(laptop.page(&team, "/readyz")).filter(|(code, _)| *code == 200));
    assert_eq!(laptop.ended(&team, "playlist.page", "retried") + laptop.ended(&team, "playlist.page", "dead"), 0);
}

/// Puts a good token where a sign-in is kept.
fn sign_in(team: &Team, stage: &Stage, file: &Path) {
    let request = reqwest::Client::new()
        .post(format!("{}api/token", stage.spotify_auth_url))
        .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
        .form(&[("grant_type", "client_credentials")]);
    let token: Value = team.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() });
    let kept = json!({
        "client_id": CLIENT_ID, "access_token": token["access_token"], "expires_in": 3600,
        "expires_at": "2999-01-01T00:00:00Z", "refresh_token": "r", "scope": "",
    });
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    // In one step, as the program itself does.
    let half = file.with_extension("half");
    std::fs::write(&half, kept.to_string()).unwrap();
    std::fs::rename(half, file).unwrap();
}

#[test]
fn a_sign_in_that_cannot_be_used_or_kept_stops_that_process_alone() {
    let Some(team) = Team::new("a_sign_in_that_cannot_be_used_or_kept_stops_that_process_alone") else { return };
    let stage = stage(&team);
    let folder = tempdir().unwrap();
    let at = folder.path();
    let ended = json!({
        "client_id": CLIENT_ID, "access_token": "a", "expires_in": 0, "expires_at": "2001-01-01T00:00:00Z",
        "refresh_token": "revoked", "scope": "",
    });
    // Nobody may write there: the place of the file's lock is a folder.
    let locked = at.join("locked.json");
    std::fs::create_dir_all(at.join("locked.lock")).unwrap();
    std::fs::write(&locked, ended.to_string()).unwrap();
    let revoked = at.join("revoked.json");
    std::fs::write(&revoked, ended.to_string()).unwrap();
    let unreadable = at.join("unreadable.json");
    std::fs::create_dir_all(&unreadable).unwrap();
    for (file, why) in
        [(locked, "cannot be locked"), (revoked, "refuses the stored sign-in"), (unreadable, "cannot be read")]
    {
        let set = [("SPOTIFAI_SPOTIFY_CLIENT_SECRET", ""), ("SPOTIFAI_SPOTIFY_TOKEN_FILE", file.to_str().unwrap())];
        let worker = start(&team, &stage, at, &["playlist"], &set);
        team.publish(&pages(&stage, why));
        unready(&team, &worker, why);
        assert_eq!(closed(&team, at), Vec::<Value>::new(), "{why}");
    }
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}

#[test]
fn a_wrong_lastfm_key_stops_that_process_alone() {
    let Some(team) = Team::new("a_wrong_lastfm_key_stops_that_process_alone") else { return };
    let stage = stage(&team);
    let folder = tempdir().unwrap();
    let at = folder.path();
    let collector = start(&team, &stage, at, &["playlist"], &[]);
    let wrong = start(&team, &stage, at, &["lastfm"], &[("SPOTIFAI_LASTFM_API_KEY", "mistyped")]);
    team.publish(&pages(&stage, "r1"));
    unready(&team, &wrong, "track.tags: last.fm's API refused the key");
    assert_eq!(closed(&team, at), Vec::<Value>::new());
    let good = start(&team, &stage, at, &["lastfm"], &[]);
    until("the tags are there", || (good.ended(&team, "track.tags", "done") >= 20).then_some(()));
    assert_eq!(closed(&team, at), Vec::<Value>::new());
    assert_eq!(wrong.ended(&team, "track.tags", "retried") + wrong.ended(&team, "track.tags", "dead"), 0);
    drop(collector);
}

#[test]
fn a_closed_budget_is_listed_and_opened_for_workers_that_wait() {
    let Some(team) = Team::new("a_closed_budget_is_listed_and_opened_for_workers_that_wait") else { return };
    let stage = stage(&team);
    let folder = tempdir().unwrap();
    let at = folder.path();
    let store = team.store();
    assert_eq!(team.text(at, &["budget", "list"]), "no rate budget has been used yet\n");
    let until_then = model::Timestamp::now() + std::time::Duration::from_secs(3_600);
    team.runtime.block_on(store.block_budget("lastfm@default", until_then, "too many requests")).unwrap();
    let worker = start(&team, &stage, at, &["lastfm"], &[]);
    team.publish(&[Envelope::new(&TrackTagsJob { track_id: "3n3Ppam7vgaVa1iaRUc9Lp".into() })]);
    until("it waits on purpose", || Some(worker.page(&team, "/readyz")).filter(|(code, _)| *code == 200));
    let listed = team.json(at, &["budget", "list", "--json"]);
    let budget = &listed[0];
    assert_eq!((&budget["name"], &budget["throttled"]), (&json!("lastfm@default"), &json!(1)));
    assert_eq!((&budget["reason"], budget["closed_until"].is_i64()), (&json!("too many requests"), true));
    let text = team.text(at, &["budget", "list"]);
    assert!(text.contains("closed for 59 min") && text.contains("too many requests"), "{text}");
    let unknown = team.command(at, &["budget", "open", "lastfm"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let taken = || ["done", "retried", "dead"].iter().map(|end| worker.ended(&team, "track.tags", end)).sum::<u64>();
    assert_eq!(taken(), 0, "nobody took it");
    let text = team.text(at, &["budget", "open", "lastfm@default"]);
    assert!(text.starts_with("opened lastfm@default") && text.contains("too many requests"), "{text}");
    until("the job is taken", || (taken() == 1).then_some(()));
    assert_eq!(team.json(at, &["budget", "open", "lastfm@default", "--json"])["was_closed"], false);
    assert_eq!(closed(&team, at), Vec::<Value>::new());
}
