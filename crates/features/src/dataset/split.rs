//! Which rows are trained on, and in what order.

use std::collections::HashMap;

use model::dataset::Split;
use model::settings::SplitSettings;

use super::DatasetError;
use super::permutation::permutation;

/// The order of a dataset's rows: training rows first.
pub(super) struct Order {
    /// Indices of source rows.
    pub(super) rows: Vec<usize>,
    train: usize,
}

impl Order {
    /// The order of the protocol, as `train_test_split(test_size, random_state=seed)` makes it: the first
    /// ⌈test_size × n⌉ of the permutation are the test rows. With `by_artist` the artists are permuted instead of the
    /// rows, and the first of them go to the test side with all their rows until it has that many.
    pub(super) fn drawn(artists: &[String], settings: &SplitSettings) -> Result<Self, DatasetError> {
        let n = artists.len();
        let wanted = (settings.test_size * n as f64).ceil() as usize;
        let (mut rows, test) = if settings.by_artist {
            whole_artists(artists, wanted, settings.seed)
        } else {
            (permutation(n, settings.seed), wanted.min(n))
        };
        rows.rotate_left(test);
        Self { rows, train: n - test }.checked()
    }

    /// The order of rows whose sides are known: that of the source within each side.
    pub(super) fn given(sides: &[Split]) -> Result<Self, DatasetError> {
        let of = |side| (0..sides.len()).filter(move |&i| sides[i] == side);
        let rows: Vec<usize> = of(Split::Train).chain(of(Split::Test)).collect();
        Self { rows, train: of(Split::Train).count() }.checked()
    }

    /// Indices of the source rows that are trained on.
    pub(super) fn training_rows(&self) -> &[usize] {
        &self.rows[..self.train]
    }

    /// The side of each row, in this order.
    pub(super) fn sides(&self) -> Vec<Split> {
        (0..self.rows.len()).map(|i| if i < self.train { Split::Train } else { Split::Test }).collect()
    }

    fn checked(self) -> Result<Self, DatasetError> {
        let rows = self.rows.len();
        match self.train {
            0 => Err(DatasetError::OneSided { rows, side: "test" }),
            train if train == rows => Err(DatasetError::OneSided { rows, side: "train" }),
            _ => Ok(self),
        }
    }
}

/// Test rows, then training rows, and the number of the former. Artists are numbered by their first row; rows that name
/// no artist stand for themselves.
fn whole_artists(artists: &[String], wanted: usize, seed: u32) -> (Vec<usize>, usize) {
    let mut rows_of: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (row, artist) in artists.iter().enumerate() {
        match known.get(artist.as_str()) {
            Some(&number) => rows_of[number].push(row),
            None => {
                if !artist.is_empty() {
                    known.insert(artist, rows_of.len());
                }
                rows_of.push(vec![row]);
            }
        }
    }
    let mut rows = Vec::with_capacity(artists.len());
    let mut test = 0;
    for number in permutation(rows_of.len(), seed) {
        rows.extend(&rows_of[number]);
        if test < wanted {
            test = rows.len();
        }
    }
    (rows, test)
}
