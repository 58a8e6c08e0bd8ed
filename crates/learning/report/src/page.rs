//! The page: what the template is filled with.

use std::collections::HashMap;

use askama::Template;
use model::audio::{PITCH_CLASSES, SCALARS, STEPS, pitch_columns};
use model::dataset::Split;
use model::run::StandIn;
use model::search::{Assignment, Candidate, Evaluation, Importances, Ranked, Scores};
use model::terminal::escaped_lines;
use model::track::Track;
use serde_json::Value;

use crate::Input;
use crate::figures::{BoxRow, bars, boxes, confusion, heatmap, legend, losses};
use crate::stats::{column_of_label, five_numbers, mean_of_label};
use crate::verdict::Verdict;
use crate::words::{Words, differing, is_collected, reason, thousands};

/// Tags shown from before the label selection.
const MAX_TAGS: usize = 24;

/// Candidates shown on the leaderboard; the rest are in `leaderboard.csv`.
const MAX_LEADERBOARD_ROWS: usize = 15;

/// Candidates whose fold scores are drawn.
const MAX_FOLD_SCORE_ROWS: usize = 12;

/// Groups of features whose importance is drawn; all are in `summary.json`.
const MAX_IMPORTANCE_GROUPS: usize = 24;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    /// What rows and labels are called.
    words: Words,
    /// Whether tracks were collected here; a file may be of anything.
    is_collected: bool,
    is_invented: bool,
    is_table: bool,
    verdict: Verdict,
    tiles: Vec<Tile>,
    examples: Vec<Example>,
    steps: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
    /// Playlists that are not what they say.
    differing: Vec<String>,
    refused: Vec<(String, String)>,
    tags_before: Option<String>,
    tags_after: String,
    pitches: Vec<Figure>,
    pitch_legend: String,
    features: Vec<Figure>,
    leaders: Vec<Leader>,
    settings: String,
    families: String,
    fold_scores: String,
    scores: Vec<Score>,
    is_tuned: bool,
    importances: Option<ImportanceFigure>,
    confusions: Vec<Figure>,
    facts: Vec<(String, String)>,
}

struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

struct Figure {
    name: String,
    svg: String,
}

/// What decisions rest on.
struct ImportanceFigure {
    how: String,
    svg: String,
}

struct Example {
    title: String,
    artists: String,
    genres: Vec<(&'static str, String)>,
    probabilities: Vec<(String, u32)>,
}

struct Leader {
    rank: usize,
    family: String,
    params: String,
    accuracy: String,
    spread: String,
    f1_micro: String,
    f1_macro: String,
    fit_seconds: String,
}

struct Score {
    name: &'static str,
    winner: String,
    tuned: Option<String>,
    baseline: String,
    better: bool,
}

/// The page, self-contained HTML.
pub fn render(input: &Input) -> String {
    let words = Words::of(input.info);
    let pitches = pitch_means(input);
    let scale = pitch_scale(&pitches);
    let page = Page {
        title: title(input, &words),
        words,
        is_collected: is_collected(input.info),
        is_invented: input.info.stand_in == Some(StandIn::Sample),
        is_table: matches!(input.info.stand_in, Some(StandIn::Table | StandIn::File)),
        verdict: Verdict::of(input.info, input.search, input.model, input.command),
        tiles: tiles(input),
        examples: input.model.evaluation.examples.iter().map(|example| shown(example, input)).collect(),
        steps: steps(input),
        skipped: skipped(input),
        differing: input.collection.iter().flat_map(|c| differing(&c.rows_differ)).collect(),
        refused: refused(input),
        tags_before: tags_before(input, &words),
        tags_after: bars(&format!("{} by label", words.rows), &input.info.tags_after, |_| false),
        pitches: pitches.iter().map(|(label, means)| heat_figure(label, means, scale)).collect(),
        pitch_legend: legend(scale),
        features: feature_figures(input, &words),
        leaders: input
            .leaderboard
            .iter()
            .take(MAX_LEADERBOARD_ROWS)
            .enumerate()
            .map(|(i, row)| leader(i, row, input))
            .collect(),
        settings: thousands(input.leaderboard.len()),
        families: families(input),
        fold_scores: fold_scores(input),
        scores: scores(&input.model.evaluation),
        is_tuned: input.model.evaluation.tuned.is_some(),
        importances: input
            .model
            .evaluation
            .importances
            .as_ref()
            .map(|importances| importance_figure(importances, &words)),
        confusions: confusions(input),
        facts: facts(input),
    };
    // Names come from outside: what a terminal would obey is escaped here as it is there, in the figures too.
    escaped_lines(&page.render().expect("the template writes to memory")).into_owned()
}

fn title(input: &Input, words: &Words) -> String {
    let invented = if input.info.stand_in == Some(StandIn::Sample) { "invented " } else { "" };
    format!("{} {invented}{}, {} {}", thousands(input.info.rows), words.rows, input.info.labels.len(), words.labels)
}

fn tiles(input: &Input) -> Vec<Tile> {
    let (evaluation, winner) = (&input.model.evaluation, &input.model.winner);
    let beside = |baseline: f64| format!("baseline {baseline:.3}");
    vec![
        Tile {
            name: "held-out subset accuracy",
            value: format!("{:.3}", evaluation.heldout.accuracy),
            note: beside(evaluation.baseline.accuracy),
        },
        Tile {
            name: "held-out F1 micro",
            value: format!("{:.3}", evaluation.heldout.f1.micro),
            note: beside(evaluation.baseline.f1.micro),
        },
        Tile {
            name: "winner",
            value: winner.family.clone(),
            note: [
                varied_params(input, winner),
                format!("best of {} candidates", thousands(input.search.settings.len())),
            ]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        },
        Tile {
            name: "feature matrix",
            value: format!("{} × {}", thousands(input.info.rows), thousands(input.info.features)),
            note: format!("rows × features, {} labels", input.info.labels.len()),
        },
    ]
}

fn shown(example: &Assignment, input: &Input) -> Example {
    let by_id: HashMap<&str, &Track> = input.tracks.iter().map(|track| (track.id.as_str(), track)).collect();
    let (title, artists) = match by_id.get(example.track_id.as_str()) {
        Some(track) => {
            let artists: Vec<&str> = track.artists.iter().map(|artist| artist.name.as_str()).collect();
            (track.name.clone(), artists.join(", "))
        }
        None => (example.track_id.clone(), String::new()),
    };
    let truth = example.truth.clone().unwrap_or_default();
    let assigned = example.assigned.iter().map(|label| {
        let right = if truth.contains(label) { "hit" } else { "wrong" };
        (right, label.clone())
    });
    let missed = truth.iter().filter(|label| !example.assigned.contains(label)).map(|label| ("missed", label.clone()));
    let mut probabilities: Vec<(String, u32)> = input
        .model
        .label_names
        .iter()
        .zip(&example.probabilities)
        .map(|(label, p)| (label.clone(), (p * 100.0).round() as u32))
        .filter(|(_, percent)| *percent > 0)
        .collect();
    probabilities.sort_by_key(|(_, percent)| std::cmp::Reverse(*percent));
    probabilities.truncate(4);
    Example { title, artists, genres: assigned.chain(missed).collect(), probabilities }
}

fn steps(input: &Input) -> Vec<(String, String)> {
    let mut steps = Vec::new();
    if let Some(c) = input.collection {
        let source =
            if input.info.stand_in == Some(StandIn::Table) { "rows in the table" } else { "rows in the playlists" };
        steps.push((source.to_owned(), c.rows));
        steps.push(("tracks".to_owned(), c.tracks_collected));
        steps.push(("with tags".to_owned(), c.tracks_tagged));
        steps.push(("with audio features".to_owned(), c.tracks_with_features));
        steps.push(("with pitches".to_owned(), c.tracks_with_pitches));
    }
    steps.push(("rows in the feature matrix".to_owned(), input.info.rows));
    steps.push(("training rows".to_owned(), input.dataset.rows_in(Split::Train).len()));
    steps.push(("held-out rows".to_owned(), input.dataset.rows_in(Split::Test).len()));
    steps.into_iter().map(|(name, n)| (name, thousands(n))).collect()
}

fn skipped(input: &Input) -> Vec<(String, String)> {
    let rows = input.collection.iter().flat_map(|c| c.rows_skipped.iter());
    let pitches = input.collection.iter().flat_map(|c| c.pitches_rejected.iter());
    let counted = |(name, n): (&String, &usize)| (reason(name, input.info).into_owned(), thousands(*n));
    let dropped = input.info.dropped.iter().filter(|(name, _)| !name.starts_with("pitches"));
    rows.chain(pitches).chain(dropped).map(counted).collect()
}

/// What this app may not ask Spotify for; a table that stood in for it has no audio analyses to begin with.
fn refused(input: &Input) -> Vec<(String, String)> {
    let is_table = input.info.stand_in == Some(StandIn::Table);
    input.collection.iter().filter(|_| !is_table).flat_map(|c| c.refused.clone()).collect()
}

fn tags_before(input: &Input, words: &Words) -> Option<String> {
    let tags: Vec<(String, usize)> = input.info.tags_before.iter().take(MAX_TAGS).cloned().collect();
    let kept = |tag: &str| input.info.labels.iter().any(|label| label == tag);
    (!tags.is_empty()).then(|| bars(&format!("{} by tag", words.rows), &tags, |tag| !kept(tag)))
}

/// Average pitches of each label that has rows; nothing where the matrix does not have all pitch columns side by side.
fn pitch_means(input: &Input) -> Vec<(String, Vec<f64>)> {
    let steps = pitch_columns();
    let steps = &steps[..PITCH_CLASSES.len() * STEPS];
    let first = input.dataset.feature_names.windows(steps.len()).position(|names| names == steps);
    let labels = input.dataset.label_names.iter().enumerate();
    let mean = |first, label| mean_of_label(input.dataset, first, PITCH_CLASSES.len() * STEPS, label);
    first.map_or_else(Vec::new, |first| {
        labels.filter_map(|(i, label)| mean(first, i).map(|means| (label.clone(), means))).collect()
    })
}

fn pitch_scale(pitches: &[(String, Vec<f64>)]) -> (f64, f64) {
    let values = || pitches.iter().flat_map(|(_, means)| means.iter().copied());
    (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
}

fn heat_figure(label: &str, means: &[f64], scale: (f64, f64)) -> Figure {
    Figure { name: label.to_owned(), svg: heatmap(&format!("average pitches of {label}"), means, scale) }
}

/// Box plots of the scalars; of a matrix from elsewhere, of its first columns.
fn feature_figures(input: &Input, words: &Words) -> Vec<Figure> {
    let names = &input.dataset.feature_names;
    let scalars: Vec<usize> = (0..names.len()).filter(|&i| SCALARS.contains(&names[i].as_str())).collect();
    let columns = if scalars.is_empty() { (0..names.len().min(SCALARS.len())).collect() } else { scalars };
    let figure = |column: usize| {
        let row = |(i, label): (usize, &String)| BoxRow {
            name: label.clone(),
            five_numbers: five_numbers(column_of_label(input.dataset, column, i)),
        };
        let rows: Vec<BoxRow> = input.dataset.label_names.iter().enumerate().map(row).collect();
        let name = names[column].replace('_', " ");
        Figure { svg: boxes(&format!("{name} by {}", words.label), &rows), name }
    };
    columns.into_iter().map(figure).collect()
}

fn leader(i: usize, row: &Ranked, input: &Input) -> Leader {
    let candidate = &input.search.settings[row.setting as usize];
    Leader {
        rank: i + 1,
        family: candidate.family.clone(),
        params: row.error.clone().unwrap_or_else(|| varied_params(input, candidate)),
        accuracy: format!("{:.4}", row.mean_accuracy),
        spread: format!("{:.4}", row.std_accuracy),
        f1_micro: format!("{:.3}", row.mean_f1_micro),
        f1_macro: format!("{:.3}", row.mean_f1_macro),
        fit_seconds: format!("{:.3}", row.fit_seconds),
    }
}

/// The parameters that tell a candidate from others of its family.
fn varied_params(input: &Input, candidate: &Candidate) -> String {
    let is_shown = |(name, _): &(&String, &Value)| is_varied(input, &candidate.family, name);
    params(candidate.params.iter().filter(is_shown))
}

fn params<'p>(params: impl Iterator<Item = (&'p String, &'p Value)>) -> String {
    params.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(", ")
}

/// Whether the grid has more than one value of a family's parameter: constant parameters are not shown.
fn is_varied(input: &Input, family: &str, name: &str) -> bool {
    let mut values =
        input.search.settings.iter().filter(|s| s.family == family).map(|setting| setting.params.get(name));
    let first = values.next();
    values.any(|value| Some(value) != first)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fold_scores(input: &Input) -> String {
    let rows: Vec<BoxRow> = input
        .leaderboard
        .iter()
        .take(MAX_FOLD_SCORE_ROWS)
        .enumerate()
        .map(|(i, row)| {
            let name = format!("{}. {}", i + 1, input.search.settings[row.setting as usize].family);
            BoxRow { name, five_numbers: five_numbers(row.fold_accuracies.clone()) }
        })
        .collect();
    boxes("subset accuracy over the folds", &rows)
}

fn scores(evaluation: &Evaluation) -> Vec<Score> {
    type Measure = fn(&Scores) -> f64;
    let measures: [(&'static str, Measure); 13] = [
        ("subset accuracy", |scores| scores.accuracy),
        ("F1 micro", |scores| scores.f1.micro),
        ("F1 macro", |scores| scores.f1.macro_),
        ("F1 weighted", |scores| scores.f1.weighted),
        ("F1 samples", |scores| scores.f1.samples),
        ("precision micro", |scores| scores.precision.micro),
        ("precision macro", |scores| scores.precision.macro_),
        ("precision weighted", |scores| scores.precision.weighted),
        ("precision samples", |scores| scores.precision.samples),
        ("recall micro", |scores| scores.recall.micro),
        ("recall macro", |scores| scores.recall.macro_),
        ("recall weighted", |scores| scores.recall.weighted),
        ("recall samples", |scores| scores.recall.samples),
    ];
    let shown = |value: f64| format!("{value:.3}");
    let score = |(name, measure): (&'static str, Measure)| Score {
        name,
        winner: shown(measure(&evaluation.heldout)),
        tuned: evaluation.tuned.as_ref().map(|tuned| shown(measure(&tuned.heldout))),
        baseline: shown(measure(&evaluation.baseline)),
        better: measure(&evaluation.heldout) > measure(&evaluation.baseline),
    };
    measures.into_iter().map(score).collect()
}

fn importance_figure(importances: &Importances, words: &Words) -> ImportanceFigure {
    let Importances { rows, repeats, scores, baseline, groups, features_left_out } = importances;
    let mut how = format!(
        "How far F1 micro falls when the features of a group are permuted among {} held-out {}: mean ± SD of {repeats} \
         permutations. Without permutation it is {:.3}, for the baseline {:.3}.",
        thousands(*rows as usize),
        words.rows,
        scores.f1.micro,
        baseline.f1.micro
    );
    if groups.len() > MAX_IMPORTANCE_GROUPS {
        how +=
            &format!(" These are {MAX_IMPORTANCE_GROUPS} of {} groups; the others are in summary.json.", groups.len());
    }
    if groups.iter().any(|group| group.group.starts_with("part ")) {
        how += " Pitches are grouped by pitch class and by tenth of the track: part 1 of 10 is its start.";
    }
    if *features_left_out > 0 {
        how += &format!(" {} other features were not evaluated.", thousands(*features_left_out as usize));
    }
    let drawn = groups.iter().take(MAX_IMPORTANCE_GROUPS).map(|group| (group.group.replace('_', " "), group.f1_micro));
    ImportanceFigure {
        how,
        svg: losses("loss of F1 micro when a group of features is permuted", &drawn.collect::<Vec<_>>()),
    }
}

fn confusions(input: &Input) -> Vec<Figure> {
    let pairs = input.model.label_names.iter().zip(&input.model.evaluation.confusion);
    pairs.map(|(label, matrix)| Figure { name: label.clone(), svg: confusion(label, matrix) }).collect()
}

fn facts(input: &Input) -> Vec<(String, String)> {
    let winner = &input.model.winner;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("winner", format!("{}: {}", winner.family, params(winner.params.iter()))),
        fact("mean subset accuracy over the folds", format!("{:.4}", input.model.mean_accuracy)),
        fact("folds", format!("{}, not shuffled: each is a run of consecutive training rows", input.search.folds)),
        fact("model seed", input.search.seed.to_string()),
        fact("dataset ID", input.info.id.clone()),
        fact("search ID", input.search.id.clone()),
    ]
}

/// What the families of a search are, as far as their names do not say it.
fn families(input: &Input) -> String {
    const MEANINGS: [(&str, &str); 5] = [
        ("knn", "k nearest neighbours"),
        ("tree", "decision tree"),
        ("mlp", "neural network"),
        ("radius", "neighbours within a radius"),
        ("ridge", "ridge regression"),
    ];
    let is_searched = |family: &str| input.search.settings.iter().any(|candidate| candidate.family == family);
    let searched = MEANINGS.into_iter().filter(|(family, _)| is_searched(family));
    searched.map(|(family, meaning)| format!("{family} ({meaning})")).collect::<Vec<_>>().join(", ")
}
