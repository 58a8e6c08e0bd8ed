//! The results of a run or search, for people and as `summary.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use host::Backends;
use model::dataset::DatasetInfo;
use model::fleet::JobCounts;
use model::run::{CollectionSummary, RowCountMismatch, Run, StandIn};
use model::search::{Candidate, Importances, Scores, Tuned};
use model::terminal::escaped_json;
use model::track::{PlaylistPage, SkipReason, expected_offsets};
use report::{Verdict, differing};
use serde::Serialize;

use crate::commands::search::VariedParams;
use crate::files::save;
use crate::finished_search::FinishedSearch;
use crate::output::{Style, counted, style, table, thousands};

/// The file name of a [`Summary`].
pub const SUMMARY_FILE: &str = "summary.json";

/// The results, in the form of `summary.json`.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Where the rows came from.
    source: &'static str,
    /// Whether the rows are the demo's invented sample catalogue.
    invented: bool,
    #[serde(flatten)]
    collection: Option<CollectionSummary>,
    dataset_rows: usize,
    dataset_features: usize,
    labels: Vec<String>,
    tracks_dropped: BTreeMap<String, usize>,
    settings: usize,
    folds: u32,
    seed: u64,
    winner: Winner,
    heldout: Scores,
    baseline: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    tuned: Option<Tuned>,
    verdict: Verdict,
    #[serde(skip)]
    winner_params: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    importances: Option<Importances>,
}

#[derive(Debug, Serialize)]
struct Winner {
    #[serde(flatten)]
    candidate: Candidate,
    mean_accuracy: f64,
}

impl Summary {
    /// Gathers the results from the store.
    pub async fn gather(backends: &Backends, found: &FinishedSearch, run: Option<&Run>) -> anyhow::Result<Self> {
        let collection = match run {
            Some(run) => Some(collection(backends, Some(run)).await?),
            None => None,
        };
        let evaluation = &found.model.evaluation;
        Ok(Self {
            source: source(&found.dataset),
            invented: found.dataset.stand_in == Some(StandIn::Sample),
            verdict: Verdict::of(&found.dataset, &found.search, &found.model, found.command.as_deref()),
            winner_params: VariedParams::in_search(&found.search).describe(&found.model.winner),
            collection,
            dataset_rows: found.dataset.rows,
            dataset_features: found.dataset.features,
            labels: found.dataset.labels.clone(),
            tracks_dropped: found.dataset.dropped.clone(),
            settings: found.search.settings.len(),
            folds: found.search.folds,
            seed: found.search.seed,
            winner: Winner { candidate: found.model.winner.clone(), mean_accuracy: found.model.mean_accuracy },
            heldout: evaluation.heldout,
            baseline: evaluation.baseline,
            tuned: evaluation.tuned.clone(),
            importances: evaluation.importances.clone(),
        })
    }

    /// Writes `summary.json` into a folder.
    pub fn write(&self, out: &Path) -> anyhow::Result<()> {
        let file = out.join(SUMMARY_FILE);
        // JSON itself escapes only ASCII control characters.
        save(&file, escaped_json(&serde_json::to_string_pretty(self)?).as_bytes())
    }
}

fn source(dataset: &DatasetInfo) -> &'static str {
    match (dataset.stand_in, &dataset.label_selection) {
        (Some(StandIn::Sample), _) => "sample catalogue",
        (Some(StandIn::Table), _) => "catalogue table",
        (None, Some(_)) => "collection",
        (Some(StandIn::File), _) | (None, None) => "file",
    }
}

/// What one run, or all runs together, collected.
pub async fn collection(backends: &Backends, run: Option<&Run>) -> anyhow::Result<CollectionSummary> {
    let store = &backends.store;
    let pages = store.pages(run.map(|run| run.id.as_str())).await?;
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    for (reason, rows) in pages.iter().flat_map(|page| &page.skipped) {
        *skipped.entry(reason.as_str().to_owned()).or_default() += *rows as usize;
    }
    let ids: BTreeSet<&String> = pages.iter().flat_map(|page| &page.track_ids).collect();
    let duplicates = pages.iter().map(|page| page.track_ids.len()).sum::<usize>() - ids.len();
    if duplicates > 0 {
        skipped.insert(SkipReason::Duplicate.as_str().to_owned(), duplicates);
    }
    let (tags, audio) = (store.tag_outcomes().await?, store.audio_counts().await?);
    let refused = store.capabilities().await?.into_iter().filter(|capability| !capability.allowed);
    Ok(CollectionSummary {
        playlists: pages.iter().map(|page| &page.playlist).collect::<BTreeSet<_>>().len(),
        rows: pages.iter().map(|page| page.rows as usize).sum(),
        rows_differ: rows_differ(&pages),
        tracks_collected: ids.len(),
        rows_skipped: skipped,
        tracks_tagged: tags.tags,
        tracks_without_tags: tags.no_tags,
        tracks_unknown_to_lastfm: tags.unknown_track,
        tracks_with_features: audio.features,
        tracks_with_incomplete_features: audio.incomplete_features,
        tracks_with_analysis: audio.analyses,
        tracks_with_pitches: audio.pitches,
        pitches_rejected: audio.rejected_pitches,
        refused: refused.map(|capability| (capability.name, capability.detail)).collect(),
        jobs: jobs(backends).await?,
    })
}

/// Playlists that were read completely and returned a different number of rows than they announced.
fn rows_differ(pages: &[PlaylistPage]) -> BTreeMap<String, RowCountMismatch> {
    let mut playlists: BTreeMap<(&String, &String), Vec<&PlaylistPage>> = BTreeMap::new();
    for page in pages {
        playlists.entry((&page.run, &page.playlist)).or_default().push(page);
    }
    let differs = |((_, playlist), pages): ((&String, &String), Vec<&PlaylistPage>)| {
        let is_read = expected_offsets(&pages).len() == pages.len();
        let said = pages.iter().min_by_key(|page| page.offset)?.total.filter(|_| is_read)?;
        let came = pages.iter().map(|page| page.rows).sum();
        (said != came).then(|| (playlist.clone(), RowCountMismatch { said, came }))
    };
    playlists.into_iter().filter_map(differs).collect()
}

/// How jobs ended, summed over all workers ever seen.
async fn jobs(backends: &Backends) -> anyhow::Result<BTreeMap<String, JobCounts>> {
    let mut jobs: BTreeMap<String, JobCounts> = BTreeMap::new();
    for (kind, counts) in backends.store.workers().await?.into_iter().flat_map(|worker| worker.counts) {
        let sum = jobs.entry(kind).or_default();
        sum.done += counts.done;
        sum.retried += counts.retried;
        sum.dead += counts.dead;
    }
    Ok(jobs)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.invented {
            writeln!(
                f,
                "invented   the demo's songs, tags and audio are made up: these scores say nothing about real music"
            )?;
        }
        if let Some(collection) = &self.collection {
            f.write_str(&collected(collection))?;
            writeln!(
                f,
                "found      tags for {}, features for {}, pitches for {}",
                thousands(collection.tracks_tagged),
                thousands(collection.tracks_with_features),
                thousands(collection.tracks_with_pitches)
            )?;
            if collection.tracks_with_incomplete_features > 0 {
                let tracks = thousands(collection.tracks_with_incomplete_features);
                writeln!(f, "incomplete features for {tracks}: Spotify returned only some of the values")?;
            }
            for (data, detail) in &collection.refused {
                writeln!(f, "blocked    {data}: {detail}")?;
            }
            let dead: u64 = collection.jobs.values().map(|counts| counts.dead).sum();
            if dead > 0 {
                writeln!(f, "dead jobs  {dead}; see `spotifai dead list`")?;
            }
        }
        writeln!(
            f,
            "dataset    {} × {}, {}",
            counted(self.dataset_rows, "row"),
            counted(self.dataset_features, "feature"),
            counted(self.labels.len(), "label")
        )?;
        if !self.tracks_dropped.is_empty() {
            writeln!(f, "dropped    {}", reason_counts(&self.tracks_dropped))?;
        }
        writeln!(f, "winner     {} (best of {})", self.winner_params, counted(self.settings, "candidate"))?;
        let heading = if self.source == "file" { "held-out rows" } else { "held-out tracks" };
        write!(f, "\n{}", score_table(heading, &self.heldout, &self.baseline))?;
        self.tuned.iter().try_for_each(|tuned| write!(f, "\n\n{}", threshold_effect(&self.heldout, tuned)))?;
        if self.verdict.problems.is_empty() { Ok(()) } else { write!(f, "\n\n{}", warning(&self.verdict)) }
    }
}

/// The scores of the winner and the baseline on the held-out rows.
pub fn score_table(heading: &str, winner: &Scores, baseline: &Scores) -> String {
    let row = |name: &str, score: fn(&Scores) -> f64| {
        vec![name.to_owned(), format!("{:.3}", score(winner)), format!("{:.3}", score(baseline))]
    };
    let rows = [
        row("subset accuracy", |scores| scores.accuracy),
        row("F1 micro", |scores| scores.f1.micro),
        row("F1 macro", |scores| scores.f1.macro_),
        row("F1 samples", |scores| scores.f1.samples),
    ];
    table(&[heading, "winner", "baseline"], &rows)
}

/// Lines about the collected tracks, with skipped rows and playlists of unexpected length if there are any.
pub fn collected(collection: &CollectionSummary) -> String {
    let (tracks, rows) = (counted(collection.tracks_collected, "track"), counted(collection.rows, "row"));
    let skipped = match collection.rows_skipped.values().sum() {
        0_usize => String::new(),
        _ => format!("skipped    {}\n", reason_counts(&collection.rows_skipped)),
    };
    let differs: String = differing(&collection.rows_differ).map(|line| format!("differs    {line}\n")).collect();
    format!("collected  {tracks} from {rows}\n{skipped}{differs}")
}

/// A line about the tags found.
pub fn tags(collection: &CollectionSummary) -> String {
    format!(
        "tags for {}; {} without tags, {} unknown to last.fm",
        counted(collection.tracks_tagged, "track"),
        thousands(collection.tracks_without_tags),
        thousands(collection.tracks_unknown_to_lastfm)
    )
}

/// The problems of a model, with advice.
pub fn warning(verdict: &Verdict) -> String {
    let problems = verdict.problems.iter().map(|problem| format!("  {problem}"));
    let advice = verdict.advice.iter().map(|advice| format!("  {advice}"));
    let head = |text| std::iter::once(style(text, Style::Yellow));
    let lines = head("Before you use this model:").chain(problems).chain(head("What may help:")).chain(advice);
    lines.collect::<Vec<_>>().join("\n")
}

/// How per-label thresholds changed the scores on the held-out rows.
pub fn threshold_effect(at_half: &Scores, tuned: &Tuned) -> String {
    let change =
        |name: &str, score: fn(&Scores) -> f64| format!("{name} {:.3} → {:.3}", score(at_half), score(&tuned.heldout));
    let changes = [
        change("subset accuracy", |scores| scores.accuracy),
        change("F1 micro", |scores| scores.f1.micro),
        change("F1 macro", |scores| scores.f1.macro_),
    ];
    format!("with thresholds: {}", changes.join(", "))
}

fn reason_counts(counts: &BTreeMap<String, usize>) -> String {
    counts.iter().map(|(reason, count)| format!("{} {reason}", thousands(*count))).collect::<Vec<_>>().join(", ")
}
