//! Warnings about tables that can be used but look doubtful.

use model::dataset::Dataset;
use model::explain::join_first;
use model::terminal::escaped;

/// Rows below which a column may well look like row numbers by chance.
const MIN_ROWS: usize = 20;

/// The expected number of false alarms per table about features that give a label away.
const MAX_FALSE_ALARM_RATE: f64 = 1e-3;

/// Rows that are read before features that no longer separate a label are dropped.
const BATCH_ROWS: usize = 256;

/// Features that a sentence lists at most.
const MAX_FEATURES_LISTED: usize = 8;

/// Sentences about labels that cannot be learnt, and about features that may be row numbers or labels in disguise. `columns`
/// are the features in the order of the file.
pub(super) fn notes(dataset: &Dataset, columns: &[Vec<f64>]) -> Vec<String> {
    let mut notes: Vec<String> = constant_labels(dataset).into_iter().collect();
    notes.extend(row_numbers(&dataset.feature_names, columns));
    notes.extend(separating_features(dataset));
    notes
}

fn constant_labels(dataset: &Dataset) -> Option<String> {
    let (n, q) = (dataset.rows(), dataset.label_names.len());
    let constant = |label: usize| {
        let rows = dataset.labels.iter().skip(label).step_by(q).filter(|has| **has == 1).count();
        let value = if rows == n {
            1
        } else if rows == 0 {
            0
        } else {
            return None;
        };
        Some(format!("`{}` is always {value}", escaped(&dataset.label_names[label])))
    };
    let constant: Vec<String> = (0..q).filter_map(constant).collect();
    (!constant.is_empty())
        .then(|| format!("nothing can be learnt about labels that are the same in every row: {}", listed(&constant)))
}

fn row_numbers(names: &[String], columns: &[Vec<f64>]) -> Option<String> {
    let found = names.iter().zip(columns).filter(|(_, column)| column.len() >= MIN_ROWS && numbers_rows(column));
    let found: Vec<String> = found.map(|(name, _)| format!("`{}`", escaped(name))).collect();
    (!found.is_empty()).then(|| {
        format!(
            "a feature that numbers the rows tells how the file is sorted, not what a row is like: {}; leave it out with \
             `--ignore` unless it is measured",
            listed(&found)
        )
    })
}

/// Whether values number the rows: evenly spaced, or distinct whole numbers without gaps in any order, or with few gaps in
/// ascending or descending order. A column that the file is sorted by does not: its values repeat or are far apart.
pub(super) fn numbers_rows(values: &[f64]) -> bool {
    let [first, .., last] = values else { return false };
    let n = values.len();
    let step = (last - first) / (n - 1) as f64;
    if step == 0.0 || !step.is_finite() {
        return false;
    }
    let is_even = |(i, value): (usize, &f64)| (value - (first + step * i as f64)).abs() < 1e-6 * step.abs();
    if values.iter().enumerate().all(is_even) {
        return true;
    }
    if values.iter().any(|value| value.fract() != 0.0) {
        return false;
    }
    let (low, high) = values.iter().fold((*first, *first), |(low, high), value| (low.min(*value), high.max(*value)));
    let range = high - low;
    let is_rising = values.windows(2).all(|two| two[0] < two[1]) || values.windows(2).all(|two| two[0] > two[1]);
    if is_rising {
        return range < 4.0 * n as f64;
    }
    range == (n - 1) as f64 && {
        let mut seen = vec![false; n];
        values.iter().all(|value| !std::mem::replace(&mut seen[(value - low) as usize], true))
    }
}

/// Whether all values are whole and distinct and none is missing: so is an index, even of shuffled or sampled rows.
pub(super) fn are_different_whole_numbers(values: &[f64]) -> bool {
    values.iter().all(|value| value.fract() == 0.0) && {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.windows(2).all(|two| two[0] < two[1])
    }
}

/// Features that separate the rows with a label from all others by a single threshold, where that is not by chance.
fn separating_features(dataset: &Dataset) -> Vec<String> {
    let (width, q) = (dataset.feature_names.len(), dataset.label_names.len());
    let notes = (0..q).filter_map(|label| {
        let have = dataset.labels.iter().skip(label).step_by(q).filter(|has| **has == 1).count();
        if !is_beyond_chance(dataset.rows(), have, width * q) {
            return None;
        }
        let found = separating(dataset, label);
        let names: Vec<String> =
            found.iter().map(|&j| format!("`{}`", escaped(&dataset.feature_names[j]))).collect();
        (!names.is_empty()).then(|| {
            format!(
                "the label `{}` is known from one feature alone: {}; leave it out with `--ignore` if it was made from the \
                 label",
                escaped(&dataset.label_names[label]),
                listed(&names)
            )
        })
    });
    notes.collect()
}

/// Indices of features whose values with a label are all above, or all below, those without.
fn separating(dataset: &Dataset, label: usize) -> Vec<usize> {
    let (width, q) = (dataset.feature_names.len(), dataset.label_names.len());
    // Smallest and largest value of each feature, without the label and with it.
    let mut ranges = [vec![(f64::INFINITY, f64::NEG_INFINITY); width], vec![(f64::INFINITY, f64::NEG_INFINITY); width]];
    let separates =
        |[without, with]: &[Vec<(f64, f64)>; 2], j: usize| without[j].1 < with[j].0 || with[j].1 < without[j].0;
    // Ranges only grow: features whose ranges overlap once are dropped, which for most takes a few rows.
    let mut separating_columns: Vec<usize> = (0..width).collect();
    let mut labels = dataset.labels.iter().skip(label).step_by(q);
    for rows in dataset.features.chunks(width * BATCH_ROWS) {
        for (row, has) in rows.chunks_exact(width).zip(labels.by_ref()) {
            for &j in &separating_columns {
                let (low, high) = &mut ranges[usize::from(*has)][j];
                *low = low.min(row[j]);
                *high = high.max(row[j]);
            }
        }
        separating_columns.retain(|&j| separates(&ranges, j));
        if separating_columns.is_empty() {
            break;
        }
    }
    separating_columns
}

/// Whether a separated pair among this many pairs of unrelated features and labels would hardly occur: a random order
/// separates `have` of `rows` rows with a probability of 2 in the number of ways to choose them.
fn is_beyond_chance(rows: usize, have: usize, pairs: usize) -> bool {
    let minority = have.min(rows - have);
    let mut ways = 0.0;
    (0..minority).any(|i| {
        ways += ((rows - i) as f64 / (i + 1) as f64).ln();
        (2.0 * pairs as f64).ln() - ways < MAX_FALSE_ALARM_RATE.ln()
    })
}

fn listed(items: &[String]) -> String {
    join_first(items, MAX_FEATURES_LISTED)
}
