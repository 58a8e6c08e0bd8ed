//! The collection of a run: what it can expect, then its jobs.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::bail;
use host::Backends;
use model::job::{Envelope, JobBody, PlaylistPageJob, TrackPitchesJob};
use model::run::Run;
use runtime::{Shutdown, Until};

use super::ending::LOOK;
use crate::commands::{runs, waiting, work};
use crate::output::warn;
use crate::playlist_run::{Goal, first_pages};
use crate::progress;
use crate::refusals;
use crate::shell;
use crate::stop::unless_stopped;

/// How often a run that works with a team looks whether it has everything.
const COLLECTED_LOOK: Duration = Duration::from_secs(3);

/// How many times as long as a look it waits for the next one, or a large store would be asked all the time.
const SELDOM: u32 = 20;

/// Finds out, by the first requests, whether a run can reach its goal, before hours are spent; says what it has to do
/// without. `false`: it was stopped.
///
/// # Errors
/// A model is wanted and Spotify refuses all audio, or none of the playlists can be read.
pub async fn can_be(backends: &Backends, run: &Run, goal: Goal, shutdown: &Shutdown) -> anyhow::Result<bool> {
    let asking = async {
        // Before its own first pages are read: what waits now was left by others.
        waiting::name_others(backends, run).await?;
        if goal == Goal::Model {
            let refusals = playlist_worker::ask_for_audio(backends).await?;
            fail_in_vain(backends).await?;
            refusals::warn_of(&refusals);
        }
        let unreadable = playlist_worker::read_first_pages(backends, run).await?;
        if unreadable.len() == run.playlists.len() {
            bail!(no_playlist(&unreadable));
        }
        unreadable.iter().for_each(|reason| warn(&format!("a playlist is left out: {reason}")));
        Ok(())
    };
    Ok(unless_stopped(shutdown, asking).await?.is_some())
}

/// Publishes the jobs of a run and works until none of them is left; `false` when it was stopped on the way. What others left
/// in the queue waits there; of a broker, which does not part the jobs of runs, it is done as well for as long as the run
/// lacks something.
///
/// # Errors
/// A model is wanted and Spotify refuses all audio, or none of the playlists could be read.
pub async fn collect(backends: &Backends, run: &Run, goal: Goal, shutdown: &Shutdown) -> anyhow::Result<bool> {
    // Published again when the run goes on: a page that is stored already costs no request.
    backends.queue.publish(&first_pages(run, goal == Goal::Labels)).await?;
    let watcher = tokio::spawn(stop_in_vain(backends.clone(), goal, shutdown.clone()));
    let work = async {
        match backends.queue.for_run(&run.id) {
            Some(queue) => work_alone(&Backends { queue, ..backends.clone() }, run, goal, shutdown).await,
            None => work_with_others(backends, run, goal, shutdown).await,
        }
    };
    let worked = progress::follow(|| progress::collection(backends, run, goal), work).await;
    watcher.abort();
    worked?;
    if goal == Goal::Model {
        fail_in_vain(backends).await?;
    }
    if shutdown.is_stopping() {
        return Ok(false);
    }
    unread_pages(backends, run).await?;
    Ok(true)
}

/// Works on a queue with the jobs of this run alone.
async fn work_alone(backends: &Backends, run: &Run, goal: Goal, shutdown: &Shutdown) -> anyhow::Result<()> {
    work::collecting(backends, goal)?.run(Until::Empty, shutdown.clone()).await?;
    if goal == Goal::Labels || shutdown.is_stopping() {
        return Ok(());
    }
    // Of a track whose analysis came with another run, the next job may wait among the jobs of that one.
    let jobs: Vec<Envelope> =
        without_pitches(backends, run).await?.into_iter().map(|job| job.in_run(&run.id)).collect();
    if !jobs.is_empty() {
        backends.queue.publish(&jobs).await?;
        work::collecting(backends, goal)?.run(Until::Empty, shutdown.clone()).await?;
    }
    Ok(())
}

async fn without_pitches(backends: &Backends, run: &Run) -> anyhow::Result<Vec<Envelope>> {
    let pages = backends.store.pages(Some(&run.id)).await?;
    let uncomputed = backends.store.gaps(&runs::track_ids(&pages)).await?.pitches;
    Ok(uncomputed.into_iter().map(|track_id| Envelope::new(&TrackPitchesJob { track_id })).collect())
}

/// Works on a queue that a team shares until it is empty, or until this run has everything: its jobs cannot be counted, what
/// it lacks can.
async fn work_with_others(backends: &Backends, run: &Run, goal: Goal, shutdown: &Shutdown) -> anyhow::Result<()> {
    let own = Shutdown::new();
    let watch = async {
        // Twice, so that jobs of this run which have nothing left to do are gone, too.
        let (mut looks, mut took) = (0, Duration::ZERO);
        while looks < 2 {
            tokio::time::sleep(COLLECTED_LOOK.max(SELDOM * took)).await;
            let began = Instant::now();
            looks = if runs::is_collected(backends, run, goal).await.unwrap_or(false) { looks + 1 } else { 0 };
            took = began.elapsed();
        }
        own.stop();
        std::future::pending::<Infallible>().await
    };
    let worked = tokio::select! {
        never = shutdown.forward_to(&own) => match never {},
        never = watch => match never {},
        worked = work::collecting(backends, goal)?.run(Until::Empty, own.clone()) => worked,
    };
    match worked {
        // What is left may be nothing of this run's.
        Err(error) if !runs::is_collected(backends, run, goal).await? => Err(error.into()),
        _ => Ok(()),
    }
}

/// The first batch may find out what the first requests could not: Spotify throttled, or was out of reach.
async fn stop_in_vain(backends: Backends, goal: Goal, shutdown: Shutdown) {
    if goal == Goal::Model {
        // A store that is out of reach for a moment says nothing.
        while refusals::in_vain(&backends).await.ok().flatten().is_none() {
            tokio::time::sleep(LOOK).await;
        }
        shutdown.stop();
    }
}

/// # Errors
/// There is nothing to train on; or the store does not answer.
async fn fail_in_vain(backends: &Backends) -> anyhow::Result<()> {
    match refusals::in_vain(backends).await? {
        Some(refusals) => bail!(refusals::way_out(&refusals, &format!("{} --labels-only", shell::same_command()))),
        None => Ok(()),
    }
}

/// A playlist that Spotify keeps from this app is the reason that a person has to read, not the empty dataset after it.
async fn unread_pages(backends: &Backends, run: &Run) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(Some(PlaylistPageJob::KIND)).await?;
    let of_run = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(&format!("{}/", run.id)));
    let reasons: Vec<String> = letters.into_iter().filter(|l| of_run(&l.key)).map(|l| l.reason).collect();
    match reasons.first() {
        Some(_) if backends.store.pages(Some(&run.id)).await?.is_empty() => bail!(no_playlist(&reasons)),
        Some(reason) => warn(&format!("{} pages could not be read: {reason}", reasons.len())),
        None => {}
    }
    Ok(())
}

fn no_playlist(reasons: &[String]) -> String {
    let more = match reasons.len() {
        0 | 1 => String::new(),
        all => format!(" (and {} more for reasons like it)", all - 1),
    };
    format!("no playlist could be read: {}{more}", reasons.first().map_or("", String::as_str))
}
