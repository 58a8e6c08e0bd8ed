//! A grid search: settings, blocks, trials, the winner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

/// Parameters of one model, by scikit-learn's names; JSON null is Python's `None`.
pub type Params = BTreeMap<String, Value>;

/// One point of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
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
    pub settings: Vec<Candidate>,
    /// Jobs.
    pub blocks: Vec<Block>,
    /// Number of folds.
    pub folds: u32,
    /// Seed of the models' own randomness.
    pub seed: u64,
    /// The arithmetic that its scores come from, to the last bit; who has another cannot take part.
    pub kernel: String,
    /// Whether the winner gets a threshold for each label in place of one half.
    #[serde(default)]
    pub thresholds: bool,
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
    /// Scores on the test rows, where labels above one half are assigned.
    pub heldout: Scores,
    /// Scores of assigning the most frequent label set of the training rows to every test row (of equally frequent ones
    /// the smallest): the constant answer with the best subset accuracy.
    pub baseline: Scores,
    /// One matrix a label, in the order of the labels, for the decisions of [`Evaluation::heldout`].
    pub confusion: Vec<Confusion>,
    /// Some held-out rows with what the model assigns to them.
    pub examples: Vec<Assignment>,
    /// Thresholds in place of one half, where the search asked for them: the model's.
    #[serde(default)]
    pub tuned: Option<Tuned>,
    /// What the model's decisions rest on; none where it predicts too slowly for that.
    #[serde(default)]
    pub importances: Option<Importances>,
    /// How often the model, with its thresholds, assigns each label; not known of older models.
    #[serde(default)]
    pub assigned: Option<Assigned>,
}

/// What a model assigns to the test rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Test rows.
    pub rows: u32,
    /// Rows that each label is assigned to, in the order of the labels.
    pub by_label: Vec<u32>,
    /// Rows that no label is assigned to.
    pub without: u32,
    /// Rows that have no label.
    pub truly_without: u32,
}

/// A threshold for each label, tuned for F1 on training rows that the setting had not seen: those left out of each fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// In the order of the labels: what is above it is assigned.
    pub thresholds: Vec<f64>,
    /// Scores on the test rows with them.
    pub heldout: Scores,
    /// Scores on the training rows with them, each row left out of the fit: somewhat too good, for they were tuned here.
    pub out_of_fold: Scores,
    /// The same at one half.
    pub out_of_fold_at_half: Scores,
}

/// How much of the scores on test rows is lost when features are permuted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importances {
    /// Test rows that were looked at, the first ones.
    pub rows: u32,
    /// Permutations of each group.
    pub repeats: u32,
    /// Scores on these rows with nothing permuted.
    pub scores: Scores,
    /// Scores on these rows of the constant answer that is [`Evaluation::baseline`].
    pub baseline: Scores,
    /// Groups of features, the greatest loss of micro F1 first.
    pub groups: Vec<Importance>,
    /// Features that are in no group.
    pub features_left_out: u32,
}

/// What is lost when the features of a group are permuted together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// `pitch C#`, `part 3 of 10` of the song, `extremes of C#`, or the name of a single feature.
    pub group: String,
    /// Features in it.
    pub features: u32,
    /// Of micro F1.
    pub f1_micro: Loss,
    /// Of subset accuracy.
    pub accuracy: Loss,
}

/// What a score loses, over permutations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Mean.
    pub mean: f64,
    /// Standard deviation (numpy's, with n in the denominator).
    pub std: f64,
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
    pub winner: Candidate,
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
