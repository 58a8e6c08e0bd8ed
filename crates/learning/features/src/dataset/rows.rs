//! The rows of a table before they are put in order.

use model::dataset::Split;
use model::settings::SplitSettings;

use super::genres::Genres;
use super::place::Place;
use super::split::RowOrder;
use super::{DatasetError, copies};

/// Rows in the order of the table.
pub(super) struct TableRows {
    /// Of a track with several rows the first one's.
    pub(super) places: Vec<Place>,
    pub(super) track_ids: Vec<String>,
    pub(super) artists: Vec<String>,
    /// Where the table says it.
    pub(super) sides: Option<Vec<Split>>,
    /// By column; NaN is missing.
    pub(super) features: Vec<Vec<f64>>,
    /// Sorted.
    pub(super) label_names: Vec<String>,
    /// By label, 0 or 1.
    pub(super) labels: Vec<Vec<u8>>,
}

impl TableRows {
    /// Refuses sides that part the rows of a track.
    pub(super) fn check_sides(&self) -> Result<(), DatasetError> {
        match &self.sides {
            Some(sides) => copies::check_sides(&self.track_ids, &self.places, sides),
            None => Ok(()),
        }
    }

    /// The rows of tracks with genres, one each.
    pub(super) fn of_tracks(self, genres: &Genres) -> Self {
        let firsts: Vec<usize> = genres.rows.iter().map(|rows| rows[0]).collect();
        let texts = |texts: &[String]| firsts.iter().map(|&row| texts[row].clone()).collect();
        let mut label_names: Vec<String> = genres.labels.iter().flatten().cloned().collect();
        label_names.sort();
        label_names.dedup();
        let bits = |name: &String| genres.labels.iter().map(|labels| u8::from(labels.contains(name))).collect();
        Self {
            track_ids: texts(&self.track_ids),
            artists: texts(&self.artists),
            sides: self.sides.map(|sides| firsts.iter().map(|&row| sides[row]).collect()),
            features: self.features.iter().map(|values| genres.values(values)).collect(),
            labels: label_names.iter().map(bits).collect(),
            label_names,
            places: firsts.iter().map(|&row| self.places[row]).collect(),
        }
    }

    /// Training rows, then test rows.
    pub(super) fn order(&self, split: &SplitSettings) -> Result<RowOrder, DatasetError> {
        match &self.sides {
            Some(sides) => RowOrder::preset(sides, &self.track_ids, &self.places),
            None => RowOrder::shuffled(&self.track_ids, &self.artists, split),
        }
    }
}
