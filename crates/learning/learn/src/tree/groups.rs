//! The rows of a large node by their sets of labels: what is known of the rows of one set is added up once for all of them.

use super::rows::Labels;
use super::sort::starts;

/// Rows of one set, on average, from which on that pays; twice or half as many make no difference.
const LEAST: usize = 6;

/// The rows of a node by their set of labels; kept and filled again for the next node.
#[derive(Default)]
pub(super) struct Groups {
    are_sorted: bool,
    /// Of each set, where its rows end.
    ends: Vec<u32>,
    /// What each row of a set weighs.
    weights: Vec<i32>,
    rows: Vec<u32>,
}

impl Groups {
    /// Takes the rows as not sorted.
    pub(super) fn forget(&mut self) {
        self.are_sorted = false;
    }

    /// Puts the rows in the order of their sets, if that pays and rows of one set weigh the same.
    pub(super) fn sort(&mut self, rows: &[u32], weights: &[i32], labels: &Labels) {
        self.forget();
        if labels.sets() > rows.len() {
            return;
        }
        self.ends.clear();
        self.ends.resize(labels.sets(), 0);
        self.weights.resize(labels.sets(), 0);
        let (mut sets, mut differ) = (0, false);
        for (&row, &weight) in rows.iter().zip(weights) {
            let set = labels.set(row);
            if self.ends[set] == 0 {
                self.weights[set] = weight;
                sets += 1;
            }
            self.ends[set] += 1;
            differ |= self.weights[set] != weight;
        }
        if differ || rows.len() < LEAST * sets {
            return;
        }
        starts(&mut self.ends);
        self.rows.resize(rows.len(), 0);
        for &row in rows {
            let next = &mut self.ends[labels.set(row)];
            self.rows[*next as usize] = row;
            *next += 1;
        }
        self.are_sorted = true;
    }

    /// The rows in that order, if they were sorted.
    pub(super) fn rows(&self) -> Option<&[u32]> {
        self.are_sorted.then_some(&self.rows)
    }

    /// The rows of each set that has any, and what each of them weighs; if they were sorted.
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

    use super::super::members::{Form, Members};
    use super::super::rows::{Local, Weights};
    use super::super::values::{TILE, key};
    use super::*;
    use crate::random::RandomKey;

    const ROWS: usize = 300;
    const LABELS: usize = 3;

    fn draw(place: usize) -> u32 {
        RandomKey::root(13, 0).draw(place as u32).priority
    }

    /// Writes some of the rows, which weigh what their set of labels and their number say; the form, after a look at the
    /// sums.
    fn form_of_right_sums(local: &mut Local, rows: &[u32], parts: u32, weight: impl Fn(usize, usize) -> i32) -> Form {
        let targets =
            Array2::from_shape_fn((ROWS, LABELS), |(row, label)| draw(row << 4 | label).is_multiple_of(parts));
        let set = |row: usize| (0..LABELS).map(|label| usize::from(targets[[row, label]]) << label).sum::<usize>();
        let labels = Labels::new(targets.view());
        let of_rows: Vec<i32> = (0..ROWS).map(|row| weight(set(row), row)).collect();
        let weights = Weights::new(of_rows.iter().map(|&weight| f64::from(weight)).collect(), LABELS);
        let mut counts = Vec::new();
        local.fill(rows, rows.iter().map(|&row| weights.of_rows[row as usize]).sum(), &weights, &labels);
        let form = local.write(rows, &labels, &mut counts);
        let in_order = local.in_order(rows);
        let mut sorted = in_order.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, rows);

        let tile: Vec<i32> = (0..ROWS * TILE).map(|place| key((draw(1 << 20 | place) % 90) as f32)).collect();
        let thresholds: [f32; TILE] = std::array::from_fn(|j| 1.5 * j as f32);
        let places: Vec<u32> = in_order.iter().map(|&row| row * TILE as u32).collect();
        // Labels that all or none of the rows have are left out.
        let count = |label: usize| rows.iter().filter(|&&row| targets[[row as usize, label]]).count();
        let differing: Vec<usize> = (0..LABELS).filter(|&label| !count(label).is_multiple_of(rows.len())).collect();
        let mut sums = vec![[-1; TILE]; 1 + differing.len()];
        Members { places: &places, form, counts: &counts }.sum_left(Scalar::new(), &tile, &thresholds, &mut sums);
        for j in 0..TILE {
            let left = || rows.iter().map(|&row| row as usize).filter(|row| tile[row * TILE + j] <= key(thresholds[j]));
            assert_eq!(sums[0][j], left().map(|row| of_rows[row]).sum::<i32>());
            for (sums, &label) in sums[1..].iter().zip(&differing) {
                let with = left().filter(|&row| targets[[row, label]]).map(|row| of_rows[row]);
                assert_eq!(sums[j], with.sum::<i32>(), "label {label}");
            }
        }
        form
    }

    #[test]
    fn rows_of_one_set_of_labels_are_added_up_together_if_they_weigh_the_same() {
        let local = &mut Local::default();
        let all: Vec<u32> = (0..ROWS as u32).collect();
        assert_eq!(form_of_right_sums(local, &all, 2, |_, _| 1), Form::Groups);
        assert_eq!(form_of_right_sums(local, &all, 3, |set, _| 1 + set as i32), Form::Groups);
        assert_ne!(form_of_right_sums(local, &all, 2, |_, row| 1 + i32::from(row == 40)), Form::Groups);
        // Nodes after others, whose rows are fewer and do not have every set.
        let has_none = |row: u32| (0..LABELS).all(|label| !draw((row as usize) << 4 | label).is_multiple_of(3));
        let some: Vec<u32> = all.iter().copied().filter(|&row| row % 2 == 1 && !has_none(row)).collect();
        assert_eq!(form_of_right_sums(local, &some, 3, |set, _| 1 + set as i32), Form::Groups);
        assert_ne!(form_of_right_sums(local, &all[..9], 3, |_, _| 1), Form::Groups);
    }
}
