//! Whether a model is worth anything, in plain words: what a person has to read before any score.

use model::dataset::DatasetInfo;
use model::search::{Assigned, ModelInfo, Scores, Search};
use serde::Serialize;

use crate::words::{Words, listed, thousands};

/// The share of rows from which on a label, or none, says too little.
const MAX_SHARE: f64 = 0.5;

/// Labels with fewer rows than this in the whole dataset are called rare.
const RARE_LABEL_ROWS: usize = 50;

/// Candidates from which a grid counts as large.
const LARGE_GRID_CANDIDATES: usize = 1_000;

/// What there is to say against a model. It is part of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether more held-out rows have every label right than with the most frequent label set for every row.
    pub beats_baseline: bool,
    /// Labels that the dataset has and that the model assigns to no held-out row.
    pub never_assigned: Vec<String>,
    /// What is wrong, a sentence each; nothing where nothing is.
    pub problems: Vec<String>,
    /// What may help, where something is wrong.
    pub advice: Vec<String>,
}

impl Verdict {
    /// On the model that a search over this dataset found. Advice repeats `command`, the command line that made the search,
    /// where it is known.
    pub fn of(info: &DatasetInfo, search: &Search, model: &ModelInfo, command: Option<&str>) -> Self {
        let evaluation = &model.evaluation;
        let words = Words::of(info);
        // With the thresholds that the model decides by.
        let heldout = evaluation.tuned.as_ref().map_or(&evaluation.heldout, |tuned| &tuned.heldout);
        let beats_baseline = heldout.accuracy > evaluation.baseline.accuracy;
        let never_assigned = evaluation.assigned.as_ref().map_or(Vec::new(), |counts| never(info, model, counts));
        let mut problems = Vec::new();
        if !beats_baseline {
            problems.push(worse(heldout, &evaluation.baseline, info, model, &words));
        }
        if !never_assigned.is_empty() {
            problems.push(format!(
                "{} of {} {} {} never assigned to a held-out {}: {}.",
                never_assigned.len(),
                model.label_names.len(),
                words.labels,
                if never_assigned.len() == 1 { "is" } else { "are" },
                words.row,
                listed(&never_assigned)
            ));
        }
        if let Some(counts) = &evaluation.assigned {
            problems.extend(misc(info, model, counts, &words));
            problems.extend(nothing(counts, &words));
        }
        let advice = if problems.is_empty() { Vec::new() } else { advice(info, search, model, command, &words) };
        Self { beats_baseline, never_assigned, problems, advice }
    }
}

/// Labels that some row of the dataset has and no held-out row is given.
fn never(info: &DatasetInfo, model: &ModelInfo, counts: &Assigned) -> Vec<String> {
    let exists = |label: &String| info.tags_after.iter().any(|(name, rows)| name == label && *rows > 0);
    let never = model.label_names.iter().zip(&counts.by_label).filter(|(label, rows)| **rows == 0 && exists(label));
    never.map(|(label, _)| label.clone()).collect()
}

fn worse(heldout: &Scores, baseline: &Scores, info: &DatasetInfo, model: &ModelInfo, words: &Words) -> String {
    let how = if heldout.accuracy < baseline.accuracy { "worse than" } else { "no better than" };
    let mut sentence = format!(
        "This model is {how} assigning the most frequent set of {} to every {}: it gets all of them right for {:.1} % of \
         the held-out {}, the most frequent set for {:.1} %.",
        words.labels,
        words.row,
        heldout.accuracy * 100.0,
        words.rows,
        baseline.accuracy * 100.0
    );
    if info.training.is_some_and(|training| model.mean_accuracy <= training.baseline) {
        sentence += " No candidate did better in cross-validation either.";
    }
    sentence
}

/// Most rows get the label for everything else.
fn misc(info: &DatasetInfo, model: &ModelInfo, counts: &Assigned, words: &Words) -> Option<String> {
    let misc = info.label_selection.as_ref().map_or("misc", |label_selection| label_selection.misc.as_str());
    let at = model.label_names.iter().position(|label| label == misc)?;
    let share = f64::from(*counts.by_label.get(at)?) / f64::from(counts.rows.max(1));
    let confusion = model.evaluation.confusion.get(at)?;
    let truly = f64::from(confusion.true_positive + confusion.false_negative) / f64::from(counts.rows.max(1));
    (share > MAX_SHARE).then(|| {
        format!(
            "{:.0} % of the held-out {} are assigned `{misc}`, which says nothing about them; {:.0} % really have it.",
            share * 100.0,
            words.rows,
            truly * 100.0
        )
    })
}

/// Most rows get no label at all, although they have some.
fn nothing(counts: &Assigned, words: &Words) -> Option<String> {
    let share = |rows: u32| f64::from(rows) / f64::from(counts.rows.max(1));
    (share(counts.without) - share(counts.truly_without) > MAX_SHARE).then(|| {
        format!(
            "{:.0} % of the held-out {} are assigned no {}; {:.0} % really have none.",
            share(counts.without) * 100.0,
            words.rows,
            words.label,
            share(counts.truly_without) * 100.0
        )
    })
}

fn advice(info: &DatasetInfo, search: &Search, model: &ModelInfo, command: Option<&str>, words: &Words) -> Vec<String> {
    let mut advice = Vec::new();
    if model.evaluation.tuned.is_none() && !search.thresholds {
        let how = command.map_or_else(
            || "the same search with `--thresholds`".to_owned(),
            |command| format!("`{command} --thresholds`"),
        );
        advice.push(format!(
            "Run {how}: each {} gets a threshold of its own, so that rare ones are assigned.",
            words.label
        ));
    }
    advice.push(match search.settings.len() < LARGE_GRID_CANDIDATES {
        true => {
            "Try another grid: `--grid study` has 11,274 candidates, `--grid small` three more families.".to_owned()
        }
        false => "Try another grid: `--grid small` has three more families, and your own file can have any candidates."
            .to_owned(),
    });
    let rare: Vec<String> =
        info.tags_after.iter().filter(|(_, rows)| *rows < RARE_LABEL_ROWS).map(|(label, _)| label.clone()).collect();
    if !rare.is_empty() && rare.len() < info.labels.len() {
        let how = if info.label_selection.is_some() { "`dataset.cut.top` in spotifai.toml" } else { "`--labels`" };
        advice.push(format!(
            "Use fewer {} ({how}): fewer than {RARE_LABEL_ROWS} {} have {}.",
            words.labels,
            words.rows,
            listed(&rare)
        ));
    }
    let rows = info.training.map_or(info.rows, |training| training.rows);
    advice.push(format!("Use more {}: the model was fitted on {}.", words.rows, thousands(rows)));
    advice
}
