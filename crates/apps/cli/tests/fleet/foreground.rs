//! A run beside a team's jobs: on a broker they come with its own, and it does not wait for the last of them.

use model::job::{Envelope, TrackTagsJob};
use tempfile::tempdir;
use testkit::{Catalogue, Oddities};

use crate::team::Team;

#[test]
fn a_run_ends_when_it_has_everything_though_the_team_has_jobs_left() {
    let Some(team) = Team::new("a_run_ends_when_it_has_everything_though_the_team_has_jobs_left") else { return };
    let (folder, catalogue) = (tempdir().unwrap(), Catalogue::sample(60, 9));
    let stage = team.runtime.block_on(testkit::serve(catalogue, Oddities::none())).unwrap();
    // For programs to come: it waits for as long as there is none.
    let newer = Envelope { v: 9, ..Envelope::new(&TrackTagsJob { track_id: "3n3Ppam7vgaVa1iaRUc9Lp".into() }) };
    team.put_raw("track.tags", &String::from_utf8(newer.to_bytes()).unwrap());
    let playlists = stage.playlists();
    let args: Vec<&str> = ["run"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
    let ended = team.command(folder.path(), &args).envs(stage.environment()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("the queue already holds other jobs (1 track.tags)"), "{said}");
    assert!(said.contains("ends when its own are done"), "{said}");
    let runs = team.json(folder.path(), &["runs", "--json"]);
    assert_eq!(runs[0]["progress"]["tracks"], runs[0]["progress"]["tracks_with_tags_looked_up"], "{runs}");
    let queues = team.json(folder.path(), &["queues", "--json"]);
    let tags = queues.as_array().unwrap().iter().find(|queue| queue["kind"] == "track.tags").unwrap().clone();
    let waiting = ["ready", "running", "delayed"].map(|state| tags[state].as_u64().unwrap());
    // At least once: a job that is put off while its worker stops may come twice.
    assert!((1..=2).contains(&waiting.iter().sum::<u64>()), "the other one is still there: {tags}");
}
