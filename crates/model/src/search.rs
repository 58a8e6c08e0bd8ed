//! A grid search: settings, blocks, trials, the winner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

/// Parameters of one model, by scikit-learn's names; JSON null is Python's `None`.
pub type Params = BTreeMap<String, Value>;

/// One point of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Family: `knn`, `tree`.
    pub family: String,
    /// Its parameters, complete: those the grid left out have scikit-learn's defaults.
    pub params: Params,
}

/// Work of one `search.block` job: settings × folds that are fitted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Indices into [`Search::settings`].
    pub settings: Vec<u32>,
    /// Folds, counted from 0.
    pub folds: Vec<u32>,
}

/// A grid search over one dataset. Natural key: `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Unique.
    pub id: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Grid order: ties for the best score go to the first.
    pub settings: Vec<Setting>,
    /// Jobs.
    pub blocks: Vec<Block>,
    /// Number of folds.
    pub folds: u32,
    /// Seed of the models' own randomness.
    pub seed: u64,
    /// The arithmetic that its scores come from, to the last bit; who has another cannot take part.
    pub kernel: String,
    /// When it was started.
    pub created_at: Timestamp,
}

impl Search {
    /// Trials of the finished search: settings × folds.
    pub fn trials(&self) -> usize {
        self.settings.len() * self.folds as usize
    }
}

/// What is known of a stored search without its settings and blocks, which may be many megabytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchInfo {
    /// Unique.
    pub id: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Number of settings.
    pub settings: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Number of folds.
    pub folds: u32,
    /// When it was started.
    pub created_at: Timestamp,
    /// Since when its jobs do nothing; `None`: they do.
    pub cancelled_at: Option<Timestamp>,
}

impl SearchInfo {
    /// Trials of the finished search: settings × folds.
    pub fn trials(&self) -> usize {
        self.settings * self.folds as usize
    }
}

/// One setting fitted and scored on one fold. Natural key: (`search`, `setting`, `fold`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Search id.
    pub search: String,
    /// Index into [`Search::settings`].
    pub setting: u32,
    /// Fold, counted from 0.
    pub fold: u32,
    /// Scores on the fold's validation rows, or why the setting cannot be fitted on this data.
    pub outcome: Result<Scores, String>,
    /// Wall time of fit and predict, in seconds.
    pub fit_seconds: f64,
}

/// Multi-label scores, by scikit-learn's definitions with `zero_division=0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Subset accuracy: rows with every label right.
    pub accuracy: f64,
    /// Precision.
    pub precision: Averages,
    /// Recall.
    pub recall: Averages,
    /// F1.
    pub f1: Averages,
}

/// One measure averaged in four ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    /// Over all decisions.
    pub micro: f64,
    /// Over labels.
    #[serde(rename = "macro")]
    pub macro_: f64,
    /// Over labels, weighted by their rows.
    pub weighted: f64,
    /// Over rows.
    pub samples: f64,
}

/// Decisions on one label, scikit-learn's `multilabel_confusion_matrix`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Rightly not assigned.
    pub true_negative: u32,
    /// Wrongly assigned.
    pub false_positive: u32,
    /// Missed.
    pub false_negative: u32,
    /// Rightly assigned.
    pub true_positive: u32,
}

/// The winner's one look at the held-out rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Scores on the test rows.
    pub heldout: Scores,
    /// Scores of assigning the most frequent label set of the training rows to every test row (of equally frequent ones
    /// the smallest): the constant answer with the best subset accuracy.
    pub baseline: Scores,
    /// One matrix a label, in the order of the labels.
    pub confusion: Vec<Confusion>,
    /// Some held-out rows with what was assigned to them.
    pub examples: Vec<Assignment>,
}

/// Labels assigned to one track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Track id.
    pub track_id: String,
    /// True labels, where they are known.
    pub truth: Option<Vec<String>>,
    /// Assigned labels.
    pub assigned: Vec<String>,
    /// Probability of each label, in the order of the labels.
    pub probabilities: Vec<f64>,
}

/// A fitted winner. Natural key: `search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The search that chose it.
    pub search: String,
    /// Index of the winning setting.
    pub setting: u32,
    /// Family and parameters.
    pub winner: Setting,
    /// Mean validation subset accuracy.
    pub mean_accuracy: f64,
    /// Feature columns it expects, in order.
    pub feature_names: Vec<String>,
    /// Labels it assigns, in order.
    pub label_names: Vec<String>,
    /// Its one look at the test rows.
    pub evaluation: Evaluation,
    /// When it was fitted.
    pub created_at: Timestamp,
}

/// A setting's place on the leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Index into [`Search::settings`].
    pub setting: u32,
    /// Subset accuracy of each fold; empty where the setting cannot be fitted.
    pub fold_accuracies: Vec<f64>,
    /// Their mean.
    pub mean_accuracy: f64,
    /// Their standard deviation (numpy's, with n in the denominator).
    pub std_accuracy: f64,
    /// Mean over folds.
    pub mean_f1_micro: f64,
    /// Mean over folds.
    pub mean_f1_macro: f64,
    /// Mean over folds of the wall time of fit and predict, in seconds.
    pub fit_seconds: f64,
    /// Why it cannot be fitted on this data.
    pub error: Option<String>,
}
