//! Progress of long work: bars on a terminal, lines of text elsewhere.

use std::collections::HashMap;
use std::future::Future;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use host::{Backends, complain};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use model::Timestamp;
use model::job::{JobBody, LASTFM_BUDGET, SPOTIFY_BUDGET, TrackAnalysisJob, TrackTagsJob, TracksAudioJob};
use model::run::Run;
use model::search::Search;
use model::terminal::escaped;
use model::track::{PlaylistPage, expected_offsets};

use crate::fleet;
use crate::output::thousands;
use crate::playlist_run::RunGoal;
use crate::programs;

/// The progress of one kind of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// What is counted.
    pub label: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are in all.
    pub total: usize,
    /// A remark; may be empty.
    pub note: String,
}

/// How often the bars on a terminal are redrawn.
const BAR_INTERVAL: Duration = Duration::from_millis(250);

/// How often a line is printed elsewhere.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// Runs `work` to its end, showing what `measure` returns meanwhile.
pub async fn follow<T, M, F>(measure: M, work: impl Future<Output = T>) -> T
where
    M: Fn() -> F,
    F: Future<Output = anyhow::Result<Vec<Gauge>>>,
{
    let mut display = ProgressDisplay::new();
    tokio::pin!(work);
    loop {
        let wait = tokio::time::sleep(display.interval);
        tokio::select! {
            result = &mut work => {
                display.show(&measure().await.unwrap_or_default(), true);
                return result;
            }
            () = wait => {}
        }
        // If the store is unreachable, skip this update; the work itself decides whether that is an error.
        if let Ok(gauges) = measure().await {
            display.show(&gauges, false);
        }
    }
}

/// The progress of a run's collection.
pub async fn collection(backends: &Backends, run: &Run, goal: RunGoal) -> anyhow::Result<Vec<Gauge>> {
    let store = &backends.store;
    let pages = store.pages(Some(&run.id)).await?;
    let audio = store.audio_counts().await?;
    let tags = store.tag_outcomes().await?;
    let rejected: usize = audio.rejected_pitches.values().sum();
    let gauge = |label, done, total| Gauge { label, done, total, note: String::new() };
    let mut gauges = vec![
        gauge("pages", pages.len(), expected_pages(run, &pages)),
        gauge("tags", tags.tags + tags.no_tags + tags.unknown_track, audio.tracks),
        gauge("features", audio.features + audio.without_features, audio.tracks),
        gauge("analyses", audio.analyses + audio.without_analysis, audio.tracks),
        gauge("pitches", audio.pitches + rejected, audio.analyses),
    ];
    if goal == RunGoal::Labels {
        gauges.retain(|gauge| ["pages", "tags"].contains(&gauge.label));
    }
    for capability in store.capabilities().await?.iter().filter(|capability| !capability.allowed) {
        let affected = if capability.name.ends_with("analysis") { "analyses" } else { "features" };
        for gauge in gauges.iter_mut().filter(|gauge| gauge.label == affected) {
            gauge.note = "blocked by Spotify (403)".into();
        }
    }
    let (now, budgets) = (Timestamp::now(), programs::budgets(&backends.settings));
    for budget in store.budgets().await? {
        let wait = budget.blocked_until.duration_since(now).as_secs_f64();
        let label = match budgets.iter().find(|ours| ours.key == budget.name).map(|ours| ours.name) {
            Some(LASTFM_BUDGET) => "tags",
            Some(SPOTIFY_BUDGET) => "pages",
            _ => continue,
        };
        for gauge in gauges.iter_mut().filter(|gauge| wait > 0.0 && gauge.label == label) {
            gauge.note = format!("rate-limited, resumes in {wait:.0} s");
        }
    }
    let own_pid = std::process::id();
    let ours = fleet::alive(store.workers().await?).into_iter().filter(|beat| beat.pid == own_pid);
    for trouble in ours.flat_map(|beat| beat.troubles) {
        let label = match trouble.kind.as_deref() {
            Some(TrackTagsJob::KIND) => "tags",
            Some(TrackAnalysisJob::KIND) => "analyses",
            Some(TracksAudioJob::KIND) => "features",
            _ => "pages",
        };
        for gauge in gauges.iter_mut().filter(|gauge| gauge.label == label) {
            gauge.note = format!("waiting: {}", trouble.reason);
        }
    }
    Ok(gauges)
}

/// How many pages a run has, judging by the pages read so far.
pub fn expected_pages(run: &Run, pages: &[PlaylistPage]) -> usize {
    let expected = |playlist: &String| {
        let read: Vec<&PlaylistPage> = pages.iter().filter(|page| page.playlist == *playlist).collect();
        expected_offsets(&read).len()
    };
    run.playlists.iter().map(expected).sum()
}

/// The progress of a search.
pub async fn search(backends: &Backends, search: &Search) -> anyhow::Result<Vec<Gauge>> {
    let done = backends.store.trial_count(&search.id).await?;
    Ok(vec![Gauge { label: "fits", done, total: search.trials(), note: String::new() }])
}

struct ProgressDisplay {
    interval: Duration,
    bars: Option<(MultiProgress, HashMap<&'static str, ProgressBar>)>,
    last: Vec<Gauge>,
    started: Instant,
}

impl ProgressDisplay {
    fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self {
            interval: if is_terminal { BAR_INTERVAL } else { LINE_INTERVAL },
            bars: is_terminal.then(|| (MultiProgress::new(), HashMap::new())),
            last: Vec::new(),
            started: Instant::now(),
        }
    }

    fn show(&mut self, gauges: &[Gauge], is_last: bool) {
        match &mut self.bars {
            Some((multi, bars)) => {
                for gauge in gauges {
                    let bar = bars.entry(gauge.label).or_insert_with(|| multi.add(new_bar(gauge.label)));
                    bar.set_length(gauge.total as u64);
                    bar.set_position(gauge.done as u64);
                    bar.set_message(escaped(&gauge.note).into_owned());
                    if is_last {
                        bar.abandon();
                    }
                }
                // Whatever is printed next starts on a new line.
                if is_last && !bars.is_empty() {
                    complain("");
                }
            }
            None if self.last != gauges => {
                complain(&format!("{:>5.0} s  {}", self.started.elapsed().as_secs_f64(), line(gauges)));
            }
            None => {}
        }
        self.last = gauges.to_vec();
    }
}

fn new_bar(label: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:>9} {bar:32.green/black.bright} {human_pos:>7}/{human_len:<7} {msg}");
    ProgressBar::new(0).with_style(style.expect("the template is valid").progress_chars("━╸━")).with_prefix(label)
}

fn line(gauges: &[Gauge]) -> String {
    let part = |gauge: &Gauge| {
        let note = if gauge.note.is_empty() { String::new() } else { format!(" ({})", escaped(&gauge.note)) };
        format!("{} {}/{}{note}", gauge.label, thousands(gauge.done), thousands(gauge.total))
    };
    gauges.iter().map(part).collect::<Vec<_>>().join("  ")
}
