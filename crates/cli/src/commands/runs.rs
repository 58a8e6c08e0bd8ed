//! `spotifai runs` and `spotifai cancel`.

use std::collections::HashSet;

use model::Timestamp;
use model::run::Run;
use model::track::PlaylistPage;
use serde::Serialize;
use worker::Home;

use crate::args::{Cancel, Live};
use crate::error::usage;
use crate::output::{Look, age, say, say_json, style, table, thousands};
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
}

/// Shows the runs once, or every second.
pub async fn runs(live: Live, home: &Home) -> anyhow::Result<()> {
    watch::show(live, async || {
        let lines = gather(home).await?;
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
    })
    .await
}

/// Cancels a run.
pub async fn cancel(args: &Cancel, home: &Home) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let run = home.store.cancel_run(&args.run, now).await?;
    let unknown = || usage(format!("there is no run `{}`; `spotifai runs` shows them", args.run));
    let run = run.ok_or_else(unknown)?;
    if args.json {
        return say_json(&run);
    }
    say(&match run.cancelled_at {
        Some(since) if since < now => format!("{} was cancelled already, {} ago", run.id, age(since)),
        _ => format!("cancelled {}: its jobs do nothing any more, what it collected stays", run.id),
    })
}

async fn gather(home: &Home) -> anyhow::Result<Vec<Line>> {
    let store = &home.store;
    let runs = store.runs().await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let pages = store.pages(None).await?;
    let missing = Missing {
        tags: store.tracks_without_tags().await?.into_iter().collect(),
        audio: store.tracks_without_audio().await?.into_iter().collect(),
        pitches: store.tracks_without_pitches().await?.into_iter().collect(),
    };
    let line = |run: Run| {
        let of_run: Vec<PlaylistPage> = pages.iter().filter(|page| page.run == run.id).cloned().collect();
        let progress = progress(&run, &of_run, &missing);
        Line { state: state(&run, &progress), progress, run }
    };
    Ok(runs.into_iter().map(line).collect())
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

fn state(run: &Run, progress: &Progress) -> State {
    let is_collected = progress.pages == progress.pages_expected
        && progress.tracks == progress.tracks_with_tags_looked_up
        && progress.tracks == progress.tracks_with_pitches_computed;
    match run.finished_at {
        _ if run.cancelled_at.is_some() => State::Cancelled,
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
    table(&header, &lines.iter().map(row).collect::<Vec<_>>())
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
        State::Cancelled => style(format!("cancelled{}", ago(run.cancelled_at)), Look::Yellow),
    }
}
