//! A laptop without a network, beside workers that have one.

use std::net::SocketAddr;

use serde_json::Value;
use tempfile::tempdir;

use crate::local_faults::{closed, pages, stage, start, unready};
use crate::team::{Team, until};

/// An address on this machine at which nobody listens.
fn nowhere() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Has somebody listen there from now on: what comes goes to the server at this URL.
fn open(team: &Team, at: SocketAddr, server: &str) {
    let server: reqwest::Url = server.parse().unwrap();
    let server = format!("127.0.0.1:{}", server.port().unwrap());
    team.runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind(at).await.unwrap();
        while let Ok((mut here, _)) = listener.accept().await {
            let mut there = tokio::net::TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await });
        }
    });
}

#[test]
fn a_worker_without_a_network_costs_nobody_an_attempt_and_goes_on_when_it_has_one() {
    let test = "a_worker_without_a_network_costs_nobody_an_attempt_and_goes_on_when_it_has_one";
    let Some(team) = Team::new(test) else { return };
    let stage = stage(&team);
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("spotifai.toml"), "[worker]\nmax_attempts = 1\n").unwrap();
    let [spotify, lastfm] = [nowhere(), nowhere()];
    let set = [
        ("SPOTIFAI_SPOTIFY_API_URL", format!("http://{spotify}/v1/")),
        ("SPOTIFAI_LASTFM_URL", format!("http://{lastfm}")),
    ];
    let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let laptop = start(&team, &stage, at, &["playlist", "lastfm"], &set);
    team.publish(&pages(&stage, "r1"));
    unready(&team, &laptop, "playlist.page: Spotify is unreachable from here");
    assert_eq!(closed(&team, at), Vec::<Value>::new());

    // Whoever has a network goes on, and brings what the laptop cannot ask last.fm for.
    let elsewhere = tempdir().unwrap();
    let good = start(&team, &stage, elsewhere.path(), &["playlist"], &[]);
    until("the pages are read", || (good.ended(&team, "playlist.page", "done") > 0).then_some(()));
    unready(&team, &laptop, "track.tags: last.fm is unreachable from here");
    drop(good);

    open(&team, spotify, &stage.spotify_api_url);
    open(&team, lastfm, &stage.lastfm_url);
    team.publish(&pages(&stage, "r2"));
    let done = |kind: &str| until("the laptop works", || (laptop.ended(&team, kind, "done") > 0).then_some(()));
    done("playlist.page");
    done("track.tags");
    until("it is ready again", || Some(laptop.page(&team, "/readyz")).filter(|(code, _)| *code == 200));
    for kind in ["playlist.page", "track.tags"] {
        assert_eq!(laptop.ended(&team, kind, "retried") + laptop.ended(&team, kind, "dead"), 0, "{kind}");
    }
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}
