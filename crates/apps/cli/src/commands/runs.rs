//! `spotifai runs` and `spotifai cancel`.

use std::collections::{HashMap, HashSet};

use anyhow::Context;
use host::Backends;
use model::Timestamp;
use model::job::{JobBody, PlaylistPageJob};
use model::run::Run;
use model::track::PlaylistPage;
use playlist_worker::Refusals;
use queue::DeadLetter;
use serde::Serialize;
use store::{Gaps, Store};

use crate::args::{CancelArgs, LiveArgs};
use crate::ids;
use crate::output::{Style, age, print_json, print_line, style, table, thousands};
use crate::playlist_run::RunGoal;
use crate::progress::expected_pages;
use crate::watch::{self, View};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum RunState {
    /// Work is left.
    Open,
    /// The report was written, or everything was collected.
    Finished,
    /// It could not continue.
    Failed,
    /// Its jobs are skipped.
    Cancelled,
}

/// A run. The field names are those of `--json`.
#[derive(Serialize)]
struct RunStatus {
    #[serde(flatten)]
    run: Run,
    state: RunState,
    progress: RunProgress,
}

/// How many pages were read, and how many of their distinct tracks passed each step.
#[derive(Clone, Copy, Serialize)]
struct RunProgress {
    pages: usize,
    pages_expected: usize,
    tracks: usize,
    tracks_with_tags_looked_up: usize,
    tracks_with_audio_fetched: usize,
    tracks_with_pitches_computed: usize,
}

/// Tracks that still need work.
struct RemainingWork {
    tags: HashSet<String>,
    audio: HashSet<String>,
    pitches: HashSet<String>,
    /// Whether Spotify blocks all audio data, so that runs need not wait for it.
    no_audio: bool,
}

/// Lists the runs once, or every second.
pub async fn runs(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(live, async || {
        let statuses = gather(backends).await?;
        Ok(View { text: text(&statuses), json: serde_json::to_value(&statuses)?, line: None })
    })
    .await
}

/// Cancels a run.
pub async fn cancel(args: &CancelArgs, backends: &Backends) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let runs = backends.store.runs().await?;
    let run = ids::find("run", "runs", &runs, &args.run, |run| &run.id)?;
    let run = backends.store.cancel_run(&run.id, now).await?.context("the store has lost the run")?;
    backends.queue.delete_run_jobs(&run.id).await?;
    if args.json {
        return print_json(&run);
    }
    print_line(&match run.cancelled_at {
        Some(since) if since < now => format!("{} was already cancelled {} ago", run.id, age(since)),
        _ => format!("cancelled {}: its remaining jobs are skipped, and what it collected is kept", run.id),
    })
}

/// Whether a run has collected everything available for its goal.
pub async fn is_collected(backends: &Backends, run: &Run, goal: RunGoal) -> anyhow::Result<bool> {
    let pages = backends.store.pages(Some(&run.id)).await?;
    if pages.len() < expected_pages(run, &pages) {
        return Ok(false);
    }
    let remaining = RemainingWork::load(&*backends.store, &track_ids(&pages)).await?;
    Ok(progress(run, &pages, &remaining).is_complete(goal == RunGoal::Labels || remaining.no_audio))
}

async fn gather(backends: &Backends) -> anyhow::Result<Vec<RunStatus>> {
    let store = &backends.store;
    let runs = store.runs().await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let pages = store.pages(None).await?;
    let remaining = RemainingWork::load(&**store, &track_ids(&pages)).await?;
    let unreadable = UnreadablePlaylists::find(backends, &runs, &pages).await?;
    let status = |run: Run| {
        let of_run: Vec<PlaylistPage> = pages.iter().filter(|page| page.run == run.id).cloned().collect();
        let (run, readable) = unreadable.split(run);
        let progress = progress(&readable, &of_run, &remaining);
        RunStatus { state: state(&run, &progress, remaining.no_audio), progress, run }
    };
    Ok(runs.into_iter().map(status).collect())
}

impl RemainingWork {
    /// Which of these tracks still need work. If Spotify blocks one part of the audio data, a track with the other part is
    /// complete.
    async fn load(store: &dyn Store, track_ids: &[String]) -> anyhow::Result<Self> {
        let refusals = Refusals::remembered(store).await?;
        let Gaps { tags, features, analyses, pitches } = store.gaps(track_ids).await?;
        let audio = match (&refusals.features, &refusals.analysis) {
            (Some(_), None) => analyses,
            (None, Some(_)) => features,
            (None, None) | (Some(_), Some(_)) => [features, analyses].concat(),
        };
        let set = |ids: Vec<String>| ids.into_iter().collect();
        Ok(Self { tags: set(tags), audio: set(audio), pitches: set(pitches), no_audio: refusals.are_all() })
    }
}

/// Playlists whose first page could not be read, from the dead letters: (run, playlist) with the reason.
struct UnreadablePlaylists(HashMap<(String, String), String>);

impl UnreadablePlaylists {
    /// Reads the dead letters only if a playlist of an unfinished run has no pages.
    async fn find(backends: &Backends, runs: &[Run], pages: &[PlaylistPage]) -> anyhow::Result<Self> {
        let read: HashSet<(&str, &str)> =
            pages.iter().map(|page| (page.run.as_str(), page.playlist.as_str())).collect();
        let is_unread = |run: &Run| run.playlists.iter().any(|playlist| !read.contains(&(&*run.id, playlist)));
        let is_settled = |run: &Run| run.cancelled_at.is_some() || run.finished_at > Some(run.started_at);
        if !runs.iter().any(|run| !is_settled(run) && is_unread(run)) {
            return Ok(Self(HashMap::new()));
        }
        let letters = backends.queue.dead_letters(Some(PlaylistPageJob::KIND)).await?;
        let first_page = |letter: DeadLetter| {
            let key = letter.key.as_deref()?.strip_suffix("/0")?.rsplit_once('/')?;
            Some(((key.0.to_owned(), key.1.to_owned()), letter.reason))
        };
        Ok(Self(letters.into_iter().filter_map(first_page).collect()))
    }

    /// The run, marked as failed if none of its playlists can be read, and the same run with only the readable playlists.
    fn split(&self, mut run: Run) -> (Run, Run) {
        let reason = |playlist: &String| self.0.get(&(run.id.clone(), playlist.clone()));
        let readable: Vec<String> =
            run.playlists.iter().filter(|playlist| reason(playlist).is_none()).cloned().collect();
        if readable.is_empty() && run.failure.is_none() {
            run.failure = run.playlists.first().and_then(reason).map(|why| format!("no playlist could be read: {why}"));
        }
        let of_readable = Run { playlists: readable, ..run.clone() };
        (run, of_readable)
    }
}

/// The distinct tracks on these pages.
pub fn track_ids(pages: &[PlaylistPage]) -> Vec<String> {
    let ids: HashSet<&String> = pages.iter().flat_map(|page| &page.track_ids).collect();
    ids.into_iter().cloned().collect()
}

fn progress(run: &Run, pages: &[PlaylistPage], remaining: &RemainingWork) -> RunProgress {
    let tracks: HashSet<&String> = pages.iter().flat_map(|page| &page.track_ids).collect();
    let past = |steps: &[&HashSet<String>]| {
        tracks.iter().filter(|track| steps.iter().all(|remaining| !remaining.contains(**track))).count()
    };
    RunProgress {
        pages: pages.len(),
        pages_expected: expected_pages(run, pages),
        tracks: tracks.len(),
        tracks_with_tags_looked_up: past(&[&remaining.tags]),
        tracks_with_audio_fetched: past(&[&remaining.audio]),
        tracks_with_pitches_computed: past(&[&remaining.audio, &remaining.pitches]),
    }
}

impl RunProgress {
    fn is_complete(&self, without_audio: bool) -> bool {
        self.pages == self.pages_expected
            && self.tracks == self.tracks_with_tags_looked_up
            && (without_audio || self.tracks == self.tracks_with_pitches_computed)
    }
}

fn state(run: &Run, progress: &RunProgress, no_audio: bool) -> RunState {
    let is_collected = progress.is_complete(no_audio);
    match run.finished_at {
        _ if run.cancelled_at.is_some() => RunState::Cancelled,
        _ if run.failure.is_some() => RunState::Failed,
        // `spotifai enqueue` finishes as soon as it has started; the run is finished when its jobs are.
        Some(at) if at > run.started_at || is_collected => RunState::Finished,
        _ => RunState::Open,
    }
}

fn text(statuses: &[RunStatus]) -> String {
    if statuses.is_empty() {
        return "no runs yet".into();
    }
    let row = |status: &RunStatus| {
        let progress = status.progress;
        let fraction = |done: usize, total: usize| format!("{}/{}", thousands(done), thousands(total));
        vec![
            status.run.id.clone(),
            playlists(&status.run),
            format!("{} ago", age(status.run.started_at)),
            state_word(&status.run, status.state),
            fraction(progress.pages, progress.pages_expected),
            fraction(progress.tracks_with_tags_looked_up, progress.tracks),
            fraction(progress.tracks_with_audio_fetched, progress.tracks),
            fraction(progress.tracks_with_pitches_computed, progress.tracks),
        ]
    };
    let header = ["run", "playlists", "started", "state", "pages", "tags", "audio", "pitches"];
    let table = table(&header, &statuses.iter().map(row).collect::<Vec<_>>());
    let failed = statuses.iter().filter(|status| status.state == RunState::Failed);
    let reasons =
        failed.filter_map(|status| Some(format!("\n{} failed: {}", status.run.id, status.run.failure.as_ref()?)));
    std::iter::once(table).chain(reasons).collect()
}

fn playlists(run: &Run) -> String {
    match run.playlists.as_slice() {
        [] => "none".into(),
        [playlist] => playlist.clone(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

fn state_word(run: &Run, state: RunState) -> String {
    let ago = |at: Option<Timestamp>| at.map(|at| format!(" {} ago", age(at))).unwrap_or_default();
    match state {
        RunState::Open => style("open", Style::Green),
        RunState::Finished if run.finished_at > Some(run.started_at) => format!("finished{}", ago(run.finished_at)),
        RunState::Finished => "finished".into(),
        RunState::Failed if run.finished_at > Some(run.started_at) => {
            style(format!("failed{}", ago(run.finished_at)), Style::Red)
        }
        RunState::Failed => style("failed", Style::Red),
        RunState::Cancelled => style(format!("cancelled{}", ago(run.cancelled_at)), Style::Yellow),
    }
}
