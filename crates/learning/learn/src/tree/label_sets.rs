//! The rows of a large node grouped by label set, so that labels are added once for a whole group of rows.

use super::rank_sort::starts;
use super::row_labels::RowLabels;

/// Rows per label set, on average, from which grouping pays. Half or twice as many made no difference; `cargo xtask bench
/// search --only single` measures it again (extra trees on all features).
const MIN_ROWS_PER_LABEL_SET: usize = 6;

/// The rows of a node by label set. Buffers are reused from node to node.
#[derive(Default)]
pub(super) struct LabelSetGroups {
    are_sorted: bool,
    /// Where the rows of each set end in `rows`.
    ends: Vec<u32>,
    /// The weight of each row of a set.
    weights: Vec<i32>,
    rows: Vec<u32>,
}

impl LabelSetGroups {
    /// Forgets the rows of the node before.
    pub(super) fn clear(&mut self) {
        self.are_sorted = false;
    }

    /// Sorts the rows by label set, if that pays and rows of one set have the same weight.
    pub(super) fn sort(&mut self, rows: &[u32], weights: &[i32], labels: &RowLabels) {
        self.clear();
        if labels.set_count() > rows.len() {
            return;
        }
        self.ends.clear();
        self.ends.resize(labels.set_count(), 0);
        self.weights.resize(labels.set_count(), 0);
        let (mut sets, mut weights_differ) = (0, false);
        for (&row, &weight) in rows.iter().zip(weights) {
            let set = labels.set_of_row(row);
            if self.ends[set] == 0 {
                self.weights[set] = weight;
                sets += 1;
            }
            self.ends[set] += 1;
            weights_differ |= self.weights[set] != weight;
        }
        if weights_differ || rows.len() < MIN_ROWS_PER_LABEL_SET * sets {
            return;
        }
        starts(&mut self.ends);
        self.rows.resize(rows.len(), 0);
        for &row in rows {
            let next = &mut self.ends[labels.set_of_row(row)];
            self.rows[*next as usize] = row;
            *next += 1;
        }
        self.are_sorted = true;
    }

    /// The rows by label set, if they were sorted.
    pub(super) fn rows(&self) -> Option<&[u32]> {
        self.are_sorted.then_some(&self.rows)
    }

    /// The rows of each label set that has any, with the weight of each row; `None` if they were not sorted.
    pub(super) fn iter(&self) -> Option<impl Iterator<Item = (&[u32], i32)>> {
        let mut first = 0;
        let group = move |(&end, &weight): (&u32, &i32)| {
            let rows = &self.rows[first as usize..end as usize];
            first = end;
            (!rows.is_empty()).then_some((rows, weight))
        };
        self.are_sorted.then(|| self.ends.iter().zip(&self.weights).filter_map(group))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use pulp::Scalar;

    use super::super::count_encoding::CountEncoding;
    use super::super::node_samples::NodeSamples;
    use super::super::node_statistics::NodeStatistics;
    use super::super::row_weights::RowWeights;
    use super::super::values::{TILE_FEATURES, key};
    use super::*;
    use crate::random::RandomKey;

    const ROW_COUNT: usize = 300;
    const LABELS: usize = 3;

    fn draw(place: usize) -> u32 {
        RandomKey::root(13, 0).draw(place as u32).priority
    }

    /// Encodes some of the rows, whose weight depends on their label set and their number; checks the sums and returns the
    /// encoding.
    fn encoding_with_right_sums(
        statistics: &mut NodeStatistics,
        rows: &[u32],
        parts: u32,
        weight: impl Fn(usize, usize) -> i32,
    ) -> CountEncoding {
        let targets =
            Array2::from_shape_fn((ROW_COUNT, LABELS), |(row, label)| draw(row << 4 | label).is_multiple_of(parts));
        let set = |row: usize| (0..LABELS).map(|label| usize::from(targets[[row, label]]) << label).sum::<usize>();
        let labels = RowLabels::new(targets.view());
        let row_weights: Vec<i32> = (0..ROW_COUNT).map(|row| weight(set(row), row)).collect();
        let weights = RowWeights::new(row_weights.iter().map(|&weight| f64::from(weight)).collect(), LABELS);
        let mut counts = Vec::new();
        statistics.fill(rows, rows.iter().map(|&row| weights.per_row[row as usize]).sum(), &weights, &labels);
        let encoding = statistics.encode(rows, &labels, &mut counts);
        let encoded_rows = statistics.encoded_rows(rows);
        let mut sorted = encoded_rows.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, rows);

        let tile: Vec<i32> =
            (0..ROW_COUNT * TILE_FEATURES).map(|place| key((draw(1 << 20 | place) % 90) as f32)).collect();
        let thresholds: [f32; TILE_FEATURES] = std::array::from_fn(|j| 1.5 * j as f32);
        let places: Vec<u32> = encoded_rows.iter().map(|&row| row * TILE_FEATURES as u32).collect();
        // Labels that all or none of the rows have are not encoded.
        let count = |label: usize| rows.iter().filter(|&&row| targets[[row as usize, label]]).count();
        let mixed: Vec<usize> = (0..LABELS).filter(|&label| !count(label).is_multiple_of(rows.len())).collect();
        let mut sums = vec![[-1; TILE_FEATURES]; 1 + mixed.len()];
        NodeSamples { places: &places, encoding, counts: &counts }.sum_left(
            Scalar::new(),
            &tile,
            &thresholds,
            &mut sums,
        );
        for j in 0..TILE_FEATURES {
            let left = || {
                rows.iter().map(|&row| row as usize).filter(|row| tile[row * TILE_FEATURES + j] <= key(thresholds[j]))
            };
            assert_eq!(sums[0][j], left().map(|row| row_weights[row]).sum::<i32>());
            for (sums, &label) in sums[1..].iter().zip(&mixed) {
                let with = left().filter(|&row| targets[[row, label]]).map(|row| row_weights[row]);
                assert_eq!(sums[j], with.sum::<i32>(), "label {label}");
            }
        }
        encoding
    }

    #[test]
    fn rows_of_one_set_of_labels_are_added_up_together_if_they_weigh_the_same() {
        let statistics = &mut NodeStatistics::default();
        let row_numbers: Vec<u32> = (0..ROW_COUNT as u32).collect();
        assert_eq!(encoding_with_right_sums(statistics, &row_numbers, 2, |_, _| 1), CountEncoding::Groups);
        assert_eq!(
            encoding_with_right_sums(statistics, &row_numbers, 3, |set, _| 1 + set as i32),
            CountEncoding::Groups
        );
        assert_ne!(
            encoding_with_right_sums(statistics, &row_numbers, 2, |_, row| 1 + i32::from(row == 40)),
            CountEncoding::Groups
        );
        // Later nodes, which have fewer rows and not every label set.
        let has_none = |row: u32| (0..LABELS).all(|label| !draw((row as usize) << 4 | label).is_multiple_of(3));
        let part: Vec<u32> = row_numbers.iter().copied().filter(|&row| row % 2 == 1 && !has_none(row)).collect();
        assert_eq!(encoding_with_right_sums(statistics, &part, 3, |set, _| 1 + set as i32), CountEncoding::Groups);
        assert_ne!(encoding_with_right_sums(statistics, &row_numbers[..9], 3, |_, _| 1), CountEncoding::Groups);
    }
}
