//! The order of a node's rows along a feature, where it is not kept from node to node.

use super::columns::{Columns, key};

/// No place in the node.
const NOWHERE: u32 = u32::MAX;

/// Nodes with more than this share of all rows pick theirs from the order of all, which is quicker than sorting.
const SHARE: usize = 8;

/// Sorts the rows of one node after another.
pub(super) struct Sorter {
    /// Where each row is in the node.
    places: Vec<u32>,
    keys: Vec<u64>,
}

impl Sorter {
    pub(super) fn new(rows: usize) -> Self {
        Self { places: vec![NOWHERE; rows], keys: Vec::new() }
    }

    /// Makes ready for the node of these rows.
    pub(super) fn begin(&mut self, rows: &[u32]) {
        if self.is_large(rows) {
            rows.iter().zip(0..).for_each(|(&row, place)| self.places[row as usize] = place);
        }
    }

    /// Forgets the node.
    pub(super) fn end(&mut self, rows: &[u32]) {
        if self.is_large(rows) {
            rows.iter().for_each(|&row| self.places[row as usize] = NOWHERE);
        }
    }

    fn is_large(&self, rows: &[u32]) -> bool {
        rows.len() * SHARE > self.places.len()
    }

    /// Writes the places of the node's rows by their value of a feature, then by row, into `order`; the smallest and the
    /// largest value.
    #[inline(always)]
    pub(super) fn sort(&mut self, rows: &[u32], value: impl Fn(u32) -> f32, order: &mut Vec<u32>) -> (f32, f32) {
        self.keys.clear();
        self.keys.extend(rows.iter().zip(0..).map(|(&row, place)| key(value(row), place)));
        self.keys.sort_unstable();
        order.clear();
        order.extend(self.keys.iter().map(|&key| key as u32));
        (value(rows[order[0] as usize]), value(rows[order[rows.len() - 1] as usize]))
    }

    /// The same for a node that was begun with.
    #[inline(always)]
    pub(super) fn sort_many(
        &mut self,
        columns: &Columns,
        feature: u32,
        rows: &[u32],
        order: &mut Vec<u32>,
    ) -> (f32, f32) {
        let column = columns.column(feature);
        let value = |row: u32| column[row as usize];
        if !self.is_large(rows) {
            return self.sort(rows, value, order);
        }
        order.resize(rows.len() + 1, 0);
        let mut found = 0;
        for &row in &columns.order(feature).rows {
            // Written in any case and kept if it counts: quicker than a branch that is hard to foresee. The last of the
            // node's rows may have others after it, so there is room for one more.
            let place = self.places[row as usize];
            order[found] = place;
            found += usize::from(place != NOWHERE);
        }
        order.truncate(rows.len());
        (value(rows[order[0] as usize]), value(rows[order[rows.len() - 1] as usize]))
    }
}
