//! Buffers that the nodes of a tree use one after another, so that a split allocates nothing.

use super::node_statistics::NodeStatistics;
use super::rank_width::{CopiesByWidth, SortersByWidth};
use super::split_costs::SplitCosts;
use super::split_record::SplitRecord;
use super::splitter::NodeSplitter;
use super::subset_costs::SubsetCosts;
use super::values::TILE_FEATURES;
use crate::random::IndexSampler;

/// The buffers of one thread.
pub(super) struct SplitScratch {
    /// The result: the best split for each variant.
    pub(super) best: Vec<SplitRecord>,
    pub(super) statistics: NodeStatistics,
    pub(super) costs: SplitCosts,
    /// Features in random order.
    pub(super) pool: IndexSampler,
    pub(super) sorters: SortersByWidth,
    pub(super) subsets: SubsetCosts,
    /// Left sums of a tile's thresholds: the weight of all rows, then that of the rows with each label.
    pub(super) sums: Vec<[i32; TILE_FEATURES]>,
    /// The rows of the current small branch.
    pub(super) compact: CopiesByWidth,
    pub(super) tile: Vec<i32>,
    /// Where each row of the node starts in a tile.
    pub(super) places: Vec<u32>,
    /// The encoded counts of the node's rows.
    pub(super) counts: Vec<u32>,
}

impl SplitScratch {
    pub(super) fn new(splitter: &NodeSplitter<'_>) -> Self {
        Self {
            best: Vec::new(),
            statistics: NodeStatistics::default(),
            costs: SplitCosts::default(),
            pool: IndexSampler::new(splitter.columns.features()),
            sorters: SortersByWidth::default(),
            subsets: SubsetCosts::default(),
            sums: vec![[0; TILE_FEATURES]; 1 + splitter.labels.count()],
            compact: CopiesByWidth::default(),
            tile: Vec::new(),
            places: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Draws `count` features; the lanes after them hold none.
    pub(super) fn draw_features<const WIDTH: usize>(&mut self, count: usize) -> [u32; WIDTH] {
        let mut features = [u32::MAX; WIDTH];
        let next = || self.pool.next().expect("no more features are drawn than there are");
        features[..count].fill_with(next);
        features
    }
}
