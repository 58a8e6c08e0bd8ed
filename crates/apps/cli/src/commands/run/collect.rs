//! Collecting a run: the first requests, then its jobs.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::bail;
use host::Backends;
use model::job::{Envelope, JobBody, PlaylistPageJob, TrackPitchesJob};
use model::run::Run;
use runtime::{Shutdown, Until};

use super::ending::POLL_INTERVAL;
use crate::command_line;
use crate::commands::{other_jobs, runs, worker};
use crate::interrupt::unless_stopped;
use crate::output::{counted, warn};
use crate::playlist_run::{RunGoal, first_pages};
use crate::progress;
use crate::refusals;

/// How often a run on a shared queue checks whether it is complete.
const COMPLETE_POLL_INTERVAL: Duration = Duration::from_secs(3);

/// Minimum wait between two checks, as a multiple of the duration of a check, so that they do not load a large store.
const POLL_BACKOFF: u32 = 20;

/// Checks with the first requests whether a run can reach its goal, before hours are spent on it, and warns about what will be
/// missing. `false` if interrupted.
///
/// # Errors
/// The goal is a model but Spotify blocks all audio data, or no playlist can be read.
pub async fn check_first(backends: &Backends, run: &Run, goal: RunGoal, shutdown: &Shutdown) -> anyhow::Result<bool> {
    let checks = async {
        // Before its own jobs are published: whatever waits now belongs to others.
        other_jobs::warn_about_others(backends, run).await?;
        if goal == RunGoal::Model {
            let refusals = playlist_worker::ask_for_audio(backends).await?;
            fail_if_pointless(backends).await?;
            refusals::warn(&refusals);
        }
        let unreadable = playlist_worker::read_first_pages(backends, run).await?;
        if unreadable.len() == run.playlists.len() {
            bail!(no_playlist(&unreadable));
        }
        unreadable.iter().for_each(|reason| warn(&format!("skipping a playlist: {reason}")));
        Ok(())
    };
    Ok(unless_stopped(shutdown, checks).await?.is_some())
}

/// Publishes the jobs of a run and works until none are left; `false` if interrupted. Jobs of others stay in the queue, except on
/// a broker: it cannot separate the jobs of runs, so they are done as well until the run is complete.
///
/// # Errors
/// The goal is a model but Spotify blocks all audio data, or no playlist could be read.
pub async fn collect(backends: &Backends, run: &Run, goal: RunGoal, shutdown: &Shutdown) -> anyhow::Result<bool> {
    // Published again when a run is resumed: pages already stored cost no request.
    backends.queue.publish(&first_pages(run, goal == RunGoal::Labels)).await?;
    let watcher = tokio::spawn(stop_if_pointless(backends.clone(), goal, shutdown.clone()));
    let work = async {
        match backends.queue.for_run(&run.id) {
            Some(queue) => work_alone(&Backends { queue, ..backends.clone() }, run, goal, shutdown).await,
            None => work_with_others(backends, run, goal, shutdown).await,
        }
    };
    let worked = progress::follow(|| progress::collection(backends, run, goal), work).await;
    watcher.abort();
    worked?;
    if goal == RunGoal::Model {
        fail_if_pointless(backends).await?;
    }
    if shutdown.is_stopping() {
        return Ok(false);
    }
    check_unread_pages(backends, run).await?;
    Ok(true)
}

/// Works on a queue that holds only the jobs of this run.
async fn work_alone(backends: &Backends, run: &Run, goal: RunGoal, shutdown: &Shutdown) -> anyhow::Result<()> {
    worker::for_goal(backends, goal)?.run(Until::Empty, shutdown.clone()).await?;
    if goal == RunGoal::Labels || shutdown.is_stopping() {
        return Ok(());
    }
    // If another run fetched the analysis of a track, its pitch job may be waiting among the jobs of that run.
    let jobs: Vec<Envelope> =
        without_pitches(backends, run).await?.into_iter().map(|job| job.in_run(&run.id)).collect();
    if !jobs.is_empty() {
        backends.queue.publish(&jobs).await?;
        worker::for_goal(backends, goal)?.run(Until::Empty, shutdown.clone()).await?;
    }
    Ok(())
}

async fn without_pitches(backends: &Backends, run: &Run) -> anyhow::Result<Vec<Envelope>> {
    let pages = backends.store.pages(Some(&run.id)).await?;
    let uncomputed = backends.store.gaps(&runs::track_ids(&pages)).await?.pitches;
    Ok(uncomputed.into_iter().map(|track_id| Envelope::new(&TrackPitchesJob { track_id })).collect())
}

/// Works on a shared queue until it is empty or this run is complete. Its own jobs cannot be counted there, but what is still
/// missing can.
async fn work_with_others(backends: &Backends, run: &Run, goal: RunGoal, shutdown: &Shutdown) -> anyhow::Result<()> {
    let own = Shutdown::new();
    let watch = async {
        // Twice in a row, so that redundant jobs of this run are gone as well.
        let (mut complete_polls, mut poll_time) = (0, Duration::ZERO);
        while complete_polls < 2 {
            tokio::time::sleep(COMPLETE_POLL_INTERVAL.max(POLL_BACKOFF * poll_time)).await;
            let started = Instant::now();
            let is_complete = runs::is_collected(backends, run, goal).await.unwrap_or(false);
            complete_polls = if is_complete { complete_polls + 1 } else { 0 };
            poll_time = started.elapsed();
        }
        own.stop();
        std::future::pending::<Infallible>().await
    };
    let worked = tokio::select! {
        never = shutdown.forward_to(&own) => match never {},
        never = watch => match never {},
        worked = worker::for_goal(backends, goal)?.run(Until::Empty, own.clone()) => worked,
    };
    match worked {
        // The failed jobs may not belong to this run.
        Err(error) if !runs::is_collected(backends, run, goal).await? => Err(error.into()),
        _ => Ok(()),
    }
}

/// Stops as soon as Spotify turns out to block all audio data. The first requests may have missed it because of rate limits or
/// an outage.
async fn stop_if_pointless(backends: Backends, goal: RunGoal, shutdown: Shutdown) {
    if goal == RunGoal::Model {
        // Errors are ignored: the store may be unreachable for a moment.
        while refusals::leaving_nothing(&backends).await.ok().flatten().is_none() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        shutdown.stop();
    }
}

/// # Errors
/// There is nothing to train on, or the store cannot be read.
async fn fail_if_pointless(backends: &Backends) -> anyhow::Result<()> {
    match refusals::leaving_nothing(backends).await? {
        Some(refusals) => {
            bail!(refusals::alternatives(&refusals, &format!("{} --labels-only", command_line::current())))
        }
        None => Ok(()),
    }
}

/// Reports pages that could not be read. Without this, a playlist closed to this app would only show as an empty dataset.
///
/// # Errors
/// No page could be read, or the store or queue cannot be.
async fn check_unread_pages(backends: &Backends, run: &Run) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(Some(PlaylistPageJob::KIND)).await?;
    let belongs = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(&format!("{}/", run.id)));
    let reasons: Vec<String> =
        letters.into_iter().filter(|letter| belongs(&letter.key)).map(|letter| letter.reason).collect();
    match reasons.first() {
        Some(_) if backends.store.pages(Some(&run.id)).await?.is_empty() => bail!(no_playlist(&reasons)),
        Some(reason) => warn(&format!("{} could not be read: {reason}", counted(reasons.len(), "page"))),
        None => {}
    }
    Ok(())
}

fn no_playlist(reasons: &[String]) -> String {
    let more = match reasons.len() {
        0 | 1 => String::new(),
        total => format!(" (and {} more for similar reasons)", total - 1),
    };
    format!("no playlist could be read: {}{more}", reasons.first().map_or("", String::as_str))
}
