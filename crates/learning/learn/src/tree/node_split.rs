//! Splitting a node: chooses the search that fits the parameters, the machine and the size of the node.

use pulp::{Simd, WithSimd};

use super::criterion::Criterion;
use super::lanes::VECTOR_LANES;
use super::ordinal::Ordinal;
use super::params::Splitter;
use super::presorted::{Presorted, SortedOrders};
use super::random_small_node::SMALL_NODE_ROWS;
use super::rank_width::RankWidth;
use super::ranks::Ranks;
use super::scratch::SplitScratch;
use super::split_record::SplitRecord;
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::TILE_FEATURES;

impl NodeSplitter<'_> {
    /// Copies the rows of a small branch. All its nodes must be split before another branch is copied.
    pub(super) fn copy_branch(&self, rows: &[u32], scratch: &mut SplitScratch) {
        let (columns, compact) = (self.columns, &mut scratch.compact);
        let features = columns.features();
        match self.splitter {
            Splitter::Random if self.uses_all_features() => {
                compact.keys.copy_tiles(columns.tiles(), columns.rows(), rows);
            }
            Splitter::Random => compact.keys.copy_rows(columns.keys(), features, rows),
            Splitter::Best => match columns.ranks() {
                Ranks::Narrow(ranks) => u16::compact(compact).copy_rows(ranks.row_by_row(), features, rows),
                Ranks::Wide(ranks) => u32::compact(compact).copy_rows(ranks.row_by_row(), features, rows),
            },
        }
    }

    /// Writes the best split for each variant into `scratch.best`. The best thresholds of all features need the node's orders,
    /// `presorted`. Of equally good splits a random one is taken, so that over many seeds none is preferred.
    pub(super) fn split(&self, node: &SplitRequest<'_>, presorted: Option<&Presorted>, scratch: &mut SplitScratch) {
        scratch.best.clear();
        scratch.best.resize(self.variants.len(), SplitRecord::NONE);
        scratch.statistics.fill(node.rows, node.weight, self.weights, self.labels);
        scratch.costs.gains.clear();
        match (self.criterion, presorted) {
            (_, Some(Presorted::Narrow(orders))) => self.split_presorted(node, orders, scratch),
            (_, Some(Presorted::Wide(orders))) => self.split_presorted(node, orders, scratch),
            (Criterion::Gini, None) => self.arch.dispatch(SplitDispatch::<false> { splitter: self, node, scratch }),
            (_, None) => self.arch.dispatch(SplitDispatch::<true> { splitter: self, node, scratch }),
        }
    }

    fn split_presorted<C: Ordinal>(
        &self,
        node: &SplitRequest<'_>,
        orders: &SortedOrders<C>,
        scratch: &mut SplitScratch,
    ) {
        match self.criterion {
            Criterion::Gini => self.best_split_presorted::<false, C>(node, orders, scratch),
            _ => self.best_split_presorted::<true, C>(node, orders, scratch),
        }
    }

    #[inline(always)]
    fn split_unsorted<S: Simd, const ENTROPY: bool>(
        &self,
        simd: S,
        node: &SplitRequest<'_>,
        scratch: &mut SplitScratch,
    ) {
        /// Between a vector and a tile: forests of √d features have no more up to 2,400 features.
        const MEDIUM_WIDTH: usize = 48;
        match self.splitter {
            Splitter::Random if node.rows.len() <= SMALL_NODE_ROWS => {
                self.random_split_small_node::<ENTROPY>(node, scratch);
            }
            Splitter::Random if self.uses_all_features() && node.is_compact => {
                self.random_split_all::<S, ENTROPY>(simd, node, scratch);
            }
            Splitter::Random if self.max_features <= VECTOR_LANES => {
                self.random_split_drawn::<S, ENTROPY, VECTOR_LANES>(simd, node, scratch);
            }
            Splitter::Random if self.max_features <= MEDIUM_WIDTH => {
                self.random_split_drawn::<S, ENTROPY, MEDIUM_WIDTH>(simd, node, scratch);
            }
            Splitter::Random => self.random_split_drawn::<S, ENTROPY, TILE_FEATURES>(simd, node, scratch),
            Splitter::Best => match self.columns.ranks() {
                Ranks::Narrow(ranks) => self.best_split_ranked::<ENTROPY, u16>(node, ranks, scratch),
                Ranks::Wide(ranks) => self.best_split_ranked::<ENTROPY, u32>(node, ranks, scratch),
            },
        }
    }
}

/// A split to be compiled for the widest vectors of the machine, which a closure would not be.
struct SplitDispatch<'a, const ENTROPY: bool> {
    splitter: &'a NodeSplitter<'a>,
    node: &'a SplitRequest<'a>,
    scratch: &'a mut SplitScratch,
}

impl<const ENTROPY: bool> WithSimd for SplitDispatch<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.splitter.split_unsorted::<S, ENTROPY>(simd, self.node, self.scratch);
    }
}

#[cfg(test)]
mod tests;
