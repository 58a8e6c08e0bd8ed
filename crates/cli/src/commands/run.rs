//! `spotifai run`: collect, build, search, report.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use model::Timestamp;
use model::job::{Body, PlaylistPageJob};
use model::run::Run;
use worker::{Home, Shutdown, Until};

use crate::args::{self, WorkerKind};
use crate::commands::search::{Plan, search};
use crate::commands::{dataset, enqueue, report, work};
use crate::error::{stopped, usage};
use crate::files::{make_folder, turn_to_write};
use crate::output::{say, tell};
use crate::progress;
use crate::stop::unless_stopped;
use crate::summary::Summary;

/// How often a run that is followed is looked at for having been cancelled.
const LOOK: Duration = Duration::from_millis(500);

/// Goes the whole way, or says how to go on.
pub async fn run(args: args::Run, home: Home) -> anyhow::Result<()> {
    let playlists = playlist_ids(&args.playlists)?;
    let shutdown = Shutdown::on_signals()?;
    let begun = async {
        sign_in(&home).await?;
        begin(&home, &playlists).await
    };
    let Some(run) = unless_stopped(&shutdown, begun).await? else {
        return Err(stopped(&shutdown, "nothing had begun"));
    };
    match whole_way(&home, &run, &Plan::default(), &args.out, &shutdown).await? {
        Some(summary) => say(&summary.to_string()),
        None => Err(stopped(&shutdown, format!("nothing is lost, to go on: {}", same_command()))),
    }
}

/// Fails at once, with the way out, where nobody is signed in: workers would only wait for it.
pub async fn sign_in(home: &Home) -> anyhow::Result<()> {
    let settings = &home.settings;
    Ok(spotify::Client::new(&settings.spotify, settings.contact.as_deref())?.sign_in().await?)
}

/// The ids of playlists named by id, URI or address, sorted, each once.
pub fn playlist_ids(playlists: &[String]) -> anyhow::Result<Vec<String>> {
    let ids: Result<Vec<_>, _> = playlists.iter().map(|playlist| spotify::parse_playlist(playlist)).collect();
    let mut ids = ids.map_err(usage)?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// The unfinished run of these playlists, or a new one.
async fn begin(home: &Home, playlists: &[String]) -> anyhow::Result<Run> {
    let earlier = home.store.runs().await?;
    if let Some(run) = earlier.into_iter().find(|run| is_open(run) && run.playlists == playlists) {
        return Ok(run);
    }
    let run = new_run(playlists, Timestamp::now());
    home.store.save_run(&run).await?;
    Ok(run)
}

/// Whether the command that began it has something left to do.
pub fn is_open(run: &Run) -> bool {
    run.finished_at.is_none() && run.cancelled_at.is_none()
}

/// A run of these playlists that begins now.
pub fn new_run(playlists: &[String], started_at: Timestamp) -> Run {
    let id = format!("r{}", uuid::Uuid::new_v4().simple());
    Run { id, playlists: playlists.to_vec(), started_at, finished_at: None, cancelled_at: None }
}

/// Collects a run, builds the dataset, searches, writes the report; `None` when it was stopped on the way. A run that is
/// cancelled ends with an error that says so.
pub async fn whole_way(
    home: &Home,
    run: &Run,
    plan: &Plan,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Summary>> {
    let watcher = tokio::spawn(stop_when_cancelled(home.clone(), run.id.clone(), shutdown.clone()));
    let result = steps(home, run, plan, out, shutdown).await;
    watcher.abort();
    // Also where it failed: a cancelled run has nothing to build a dataset from.
    if !matches!(result, Ok(Some(_))) && is_cancelled(home, &run.id).await.unwrap_or(false) {
        bail!("run {} was cancelled; what it collected stays, the same command begins a new one", run.id);
    }
    result
}

async fn stop_when_cancelled(home: Home, run: String, shutdown: Shutdown) {
    while !is_cancelled(&home, &run).await.unwrap_or(false) {
        tokio::time::sleep(LOOK).await;
    }
    shutdown.stop();
}

async fn is_cancelled(home: &Home, run: &str) -> anyhow::Result<bool> {
    Ok(home.store.cancelled_runs().await?.iter().any(|cancelled| cancelled == run))
}

async fn steps(
    home: &Home,
    run: &Run,
    plan: &Plan,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Summary>> {
    make_folder(out)?;
    // Published again when the run goes on: a page that is stored already costs no request.
    home.queue.publish(&enqueue::first_pages(&run.id, &run.playlists)).await?;
    let collectors = work::of_kinds(home, &[WorkerKind::Playlist, WorkerKind::Lastfm, WorkerKind::Pitch])?;
    progress::follow(|| progress::collection(home, run), collectors.run(Until::Empty, shutdown.clone())).await?;
    if shutdown.is_stopping() {
        return Ok(None);
    }
    unread_playlists(home, run).await?;
    let Some(info) = unless_stopped(shutdown, dataset::build(home)).await? else { return Ok(None) };
    let Some(found) = search(home, &info, plan, Some(run), shutdown).await? else { return Ok(None) };
    let _turn = turn_to_write(out).await?;
    report::write(home, &found, Some(run), out).await?;
    // As it is now: it may have been cancelled meanwhile.
    let now = home.store.runs().await?.into_iter().find(|now| now.id == run.id).unwrap_or_else(|| run.clone());
    home.store.save_run(&Run { finished_at: Some(Timestamp::now()), ..now }).await?;
    let summary = Summary::gather(home, &found, Some(run)).await?;
    summary.write(out)?;
    Ok(Some(summary))
}

/// A playlist that Spotify keeps from this app is the reason that a person has to read, not the empty dataset after it.
async fn unread_playlists(home: &Home, run: &Run) -> anyhow::Result<()> {
    let letters = home.queue.dead_letters(Some(PlaylistPageJob::KIND)).await?;
    let of_run = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(&format!("{}/", run.id)));
    let reasons: Vec<String> = letters.into_iter().filter(|l| of_run(&l.key)).map(|l| l.reason).collect();
    match reasons.first() {
        Some(reason) if home.store.pages(Some(&run.id)).await?.is_empty() => {
            bail!("no playlist could be read: {reason}")
        }
        Some(reason) => tell(&format!("spotifai: {} pages could not be read: {reason}", reasons.len())),
        None => {}
    }
    Ok(())
}

/// The command line as it was given, for a shell.
fn same_command() -> String {
    let quoted = |word: String| match word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@".contains(c)) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    let words = std::env::args().skip(1).map(quoted);
    std::iter::once("spotifai".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
