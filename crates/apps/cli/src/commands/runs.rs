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
use crate::output::{Look, age, say, say_json, style, table, thousands};
use crate::playlist_run::Goal;
use crate::progress::expected_pages;
use crate::watch::{self, View};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Something is left to do.
    Open,
    /// The report was written, or everything was collected.
    Finished,
    /// It could not go on.
    Failed,
    /// Its jobs do nothing any more.
    Cancelled,
}

/// One run. The names are those of `--json`.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    run: Run,
    state: State,
    progress: Progress,
}

/// How far a run is: pages that were read, and of their distinct tracks those that were looked up at each station.
#[derive(Clone, Copy, Serialize)]
struct Progress {
    pages: usize,
    pages_expected: usize,
    tracks: usize,
    tracks_with_tags_looked_up: usize,
    tracks_with_audio_fetched: usize,
    tracks_with_pitches_computed: usize,
}

/// Tracks that have something left to do.
struct Missing {
    tags: HashSet<String>,
    audio: HashSet<String>,
    pitches: HashSet<String>,
    /// Whether Spotify refuses all audio: a run does not wait for what nobody will fetch.
    no_audio: bool,
}

/// Shows the runs once, or every second.
pub async fn runs(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(live, async || {
        let lines = gather(backends).await?;
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
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
        return say_json(&run);
    }
    say(&match run.cancelled_at {
        Some(since) if since < now => format!("{} was cancelled already, {} ago", run.id, age(since)),
        _ => format!("cancelled {}: its jobs do nothing any more, what it collected stays", run.id),
    })
}

/// Whether a run lacks nothing that can be had for its goal, dead jobs aside.
pub async fn is_collected(backends: &Backends, run: &Run, goal: Goal) -> anyhow::Result<bool> {
    let pages = backends.store.pages(Some(&run.id)).await?;
    if pages.len() < expected_pages(run, &pages) {
        return Ok(false);
    }
    let missing = Missing::of_pages(&*backends.store, &pages).await?;
    Ok(progress(run, &pages, &missing).is_complete(goal == Goal::Labels || missing.no_audio))
}

async fn gather(backends: &Backends) -> anyhow::Result<Vec<Line>> {
    let store = &backends.store;
    let runs = store.runs().await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let pages = store.pages(None).await?;
    let missing = Missing::of(&**store).await?;
    let unreadable = Unreadable::find(backends, &runs, &pages).await?;
    let line = |run: Run| {
        let of_run: Vec<PlaylistPage> = pages.iter().filter(|page| page.run == run.id).cloned().collect();
        let (run, readable) = unreadable.without(run);
        let progress = progress(&readable, &of_run, &missing);
        Line { state: state(&run, &progress, missing.no_audio), progress, run }
    };
    Ok(runs.into_iter().map(line).collect())
}

impl Missing {
    /// Those of these pages.
    async fn of_pages(store: &dyn Store, pages: &[PlaylistPage]) -> anyhow::Result<Self> {
        let refusals = Refusals::remembered(store).await?;
        let Gaps { tags, features, analyses, pitches } = store.gaps(&track_ids(pages)).await?;
        // As in `of`.
        let audio = match (&refusals.features, &refusals.analysis) {
            (Some(_), None) => analyses,
            (None, Some(_)) => features,
            (None, None) | (Some(_), Some(_)) => [features, analyses].concat(),
        };
        let set = |ids: Vec<String>| ids.into_iter().collect();
        Ok(Self { tags: set(tags), audio: set(audio), pitches: set(pitches), no_audio: refusals.are_all() })
    }

    /// Those of the store. Where Spotify refuses one part of the audio, a track with the other lacks nothing that can be had.
    async fn of(store: &dyn Store) -> anyhow::Result<Self> {
        let refusals = Refusals::remembered(store).await?;
        let audio = store.tracks_without_audio().await?;
        let known: Vec<String> = match (&refusals.features, &refusals.analysis) {
            (Some(_), None) => store.analysed(&audio).await?,
            (None, Some(_)) => store.features(&audio).await?.into_iter().map(|features| features.track_id).collect(),
            (None, None) | (Some(_), Some(_)) => Vec::new(),
        };
        let mut audio: HashSet<String> = audio.into_iter().collect();
        known.iter().for_each(|id| {
            audio.remove(id);
        });
        Ok(Self {
            tags: store.tracks_without_tags().await?.into_iter().collect(),
            audio,
            pitches: store.tracks_without_pitches().await?.into_iter().collect(),
            no_audio: refusals.are_all(),
        })
    }
}

/// Playlists of which not even the first page can be read, as the dead letters say: (run, playlist) with the reason.
struct Unreadable(HashMap<(String, String), String>);

impl Unreadable {
    /// Looks among the dead letters only where a playlist of an unfinished run has no page.
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

    /// The run, failed where none of its playlists can be read, and beside it the run of the readable ones.
    fn without(&self, mut run: Run) -> (Run, Run) {
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

/// The distinct tracks of pages.
pub fn track_ids(pages: &[PlaylistPage]) -> Vec<String> {
    let ids: HashSet<&String> = pages.iter().flat_map(|page| &page.track_ids).collect();
    ids.into_iter().cloned().collect()
}

fn progress(run: &Run, pages: &[PlaylistPage], missing: &Missing) -> Progress {
    let tracks: HashSet<&String> = pages.iter().flat_map(|page| &page.track_ids).collect();
    let without = |missing: &[&HashSet<String>]| {
        tracks.iter().filter(|track| missing.iter().all(|missing| !missing.contains(**track))).count()
    };
    Progress {
        pages: pages.len(),
        pages_expected: expected_pages(run, pages),
        tracks: tracks.len(),
        tracks_with_tags_looked_up: without(&[&missing.tags]),
        tracks_with_audio_fetched: without(&[&missing.audio]),
        tracks_with_pitches_computed: without(&[&missing.audio, &missing.pitches]),
    }
}

impl Progress {
    fn is_complete(&self, without_audio: bool) -> bool {
        self.pages == self.pages_expected
            && self.tracks == self.tracks_with_tags_looked_up
            && (without_audio || self.tracks == self.tracks_with_pitches_computed)
    }
}

fn state(run: &Run, progress: &Progress, no_audio: bool) -> State {
    let is_collected = progress.is_complete(no_audio);
    match run.finished_at {
        _ if run.cancelled_at.is_some() => State::Cancelled,
        _ if run.failure.is_some() => State::Failed,
        // A command that only enqueued had nothing more to do as soon as it had begun; its jobs had.
        Some(at) if at > run.started_at || is_collected => State::Finished,
        _ => State::Open,
    }
}

fn text(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no runs yet".into();
    }
    let row = |line: &Line| {
        let p = line.progress;
        let of = |done: usize, all: usize| format!("{}/{}", thousands(done), thousands(all));
        vec![
            line.run.id.clone(),
            playlists(&line.run),
            format!("{} ago", age(line.run.started_at)),
            state_word(&line.run, line.state),
            of(p.pages, p.pages_expected),
            of(p.tracks_with_tags_looked_up, p.tracks),
            of(p.tracks_with_audio_fetched, p.tracks),
            of(p.tracks_with_pitches_computed, p.tracks),
        ]
    };
    let header = ["run", "playlists", "started", "state", "pages", "tags", "audio", "pitches"];
    let table = table(&header, &lines.iter().map(row).collect::<Vec<_>>());
    let failed = lines.iter().filter(|line| line.state == State::Failed);
    let why = failed.filter_map(|line| Some(format!("\n{} failed: {}", line.run.id, line.run.failure.as_ref()?)));
    std::iter::once(table).chain(why).collect()
}

fn playlists(run: &Run) -> String {
    match run.playlists.as_slice() {
        [] => "none".into(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first}, {} more", others.len()),
    }
}

fn state_word(run: &Run, state: State) -> String {
    let ago = |at: Option<Timestamp>| at.map(|at| format!(" {} ago", age(at))).unwrap_or_default();
    match state {
        State::Open => style("open", Look::Green),
        State::Finished if run.finished_at > Some(run.started_at) => format!("finished{}", ago(run.finished_at)),
        State::Finished => "finished".into(),
        State::Failed if run.finished_at > Some(run.started_at) => {
            style(format!("failed{}", ago(run.finished_at)), Look::Red)
        }
        State::Failed => style("failed", Look::Red),
        State::Cancelled => style(format!("cancelled{}", ago(run.cancelled_at)), Look::Yellow),
    }
}
