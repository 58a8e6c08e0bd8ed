//! The plan: which settings share their work, and a search cut into blocks of roughly equal cost.

use std::cmp::Ordering;
use std::collections::HashSet;

use model::search::{Block, Candidate, Search};

use crate::family::{CostEstimate, FitSize};
use crate::pipeline::Pipeline;

/// Seconds a block should take on one core at most, so that a lost worker loses little. Work that is shared is not cut, and
/// blocks of networks that learn beside each other may take half as much again.
const LONGEST: f64 = 60.0;

/// Seconds a block should take at least: each copies the rows of its fold and looks at the store.
const SHORTEST: f64 = 1.0;

/// Blocks that a search should have, so that no worker has to wait long for the last one of another.
const BLOCKS: f64 = 100.0;

/// A family's part of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyPlan {
    /// Name.
    pub family: String,
    /// Settings of the grid.
    pub settings: usize,
    /// Different ones: parameters that change nothing make no difference.
    pub distinct: usize,
    /// Pieces of work that each serve all settings which share it: growths, passes over distances, networks.
    pub shared: usize,
    /// Estimated seconds of all folds on one core.
    pub seconds: f64,
}

/// The size of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Training rows, which the folds are cut from.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// Labels.
    pub labels: usize,
}

/// Cuts a search into blocks, each of one fold. Settings that share work lie in one block, in the order of the grid. The
/// longest blocks come first: what workers wait for at the end is then a short one. How a search is cut never changes a
/// score.
pub fn blocks(settings: &[Candidate], folds: u32, shape: Shape) -> Vec<Block> {
    let groups = groups(settings, folds, shape);
    let whole = f64::from(folds) * groups.iter().map(Group::seconds).sum::<f64>();
    let mut chunks = chunks(groups, (whole / BLOCKS).clamp(SHORTEST, LONGEST));
    chunks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let of_chunk = |(_, settings): (f64, Vec<u32>)| {
        (0..folds).map(move |fold| Block { settings: settings.clone(), folds: vec![fold] })
    };
    chunks.into_iter().flat_map(of_chunk).collect()
}

/// Estimated seconds of a block of a search on one core.
pub fn seconds(search: &Search, block: &Block, shape: Shape) -> f64 {
    let settings: Vec<_> = block.settings.iter().filter_map(|&at| search.settings.get(at as usize)).cloned().collect();
    block.folds.len() as f64 * groups(&settings, search.folds, shape).iter().map(Group::seconds).sum::<f64>()
}

/// Estimated seconds of one fold of the dearest setting of a search, on one core; a refit's are about the same.
pub fn dearest_seconds(search: &Search, shape: Shape) -> f64 {
    let settings = search.settings.iter().map(std::slice::from_ref);
    let seconds = settings.map(|setting| groups(setting, search.folds, shape).iter().map(Group::seconds).sum());
    seconds.fold(0.0, f64::max)
}

/// What a search would cost, family by family, in the order of the grid.
pub fn summary(settings: &[Candidate], folds: u32, shape: Shape) -> Vec<FamilyPlan> {
    let mut plans: Vec<FamilyPlan> = Vec::new();
    for group in groups(settings, folds, shape) {
        let family = &settings[group.settings[0] as usize].family;
        let at = plans.iter().position(|plan| plan.family == *family).unwrap_or_else(|| {
            plans.push(FamilyPlan { family: family.clone(), settings: 0, distinct: 0, shared: 0, seconds: 0.0 });
            plans.len() - 1
        });
        let different = group.settings.iter().map(|&setting| match Pipeline::new(&settings[setting as usize], 0) {
            Ok(pipeline) => format!("{:?}", pipeline.canonical()),
            Err(error) => error.to_string(),
        });
        plans[at].distinct += different.collect::<HashSet<String>>().len();
        plans[at].settings += group.settings.len();
        plans[at].shared += 1;
        plans[at].seconds += f64::from(folds) * group.seconds();
    }
    plans
}

/// Settings that share their work.
struct Group {
    first: Option<Pipeline>,
    settings: Vec<u32>,
    /// What all share: the most that any of them needs.
    shared: f64,
    /// What a setting adds to that at most, and how many do. Who adds less is taken for a part of one that adds more, as a
    /// forest of the first trees of another is.
    own: (f64, u32),
}

impl Group {
    fn new(first: Option<Pipeline>) -> Self {
        Self { first, settings: Vec::new(), shared: 0.0, own: (0.0, 0) }
    }

    fn add(&mut self, setting: u32, CostEstimate { shared, own }: CostEstimate) {
        self.settings.push(setting);
        self.shared = self.shared.max(shared);
        match own.total_cmp(&self.own.0) {
            Ordering::Less => {}
            Ordering::Equal => self.own.1 += 1,
            Ordering::Greater => self.own = (own, 1),
        }
    }

    fn learns_in_lockstep_with(&self, other: &Self) -> bool {
        matches!((&self.first, &other.first), (Some(a), Some(b)) if a.learns_in_lockstep_with(b))
    }

    /// Of one fold.
    fn seconds(&self) -> f64 {
        self.shared + self.own.0 * f64::from(self.own.1)
    }
}

/// Seconds and settings of a block of one fold.
type Chunk = (f64, Vec<u32>);

/// Groups of settings merged until they are worth a block of `worth` seconds.
fn chunks(groups: Vec<Group>, worth: f64) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for (seconds, settings) in companies(groups).into_iter().flat_map(cut) {
        match chunks.last_mut() {
            Some((sum, chunk)) if *sum + seconds <= worth => {
                *sum += seconds;
                chunk.extend(settings);
            }
            _ => chunks.push((seconds, settings)),
        }
    }
    chunks
}

/// Groups that learn beside each other, in the order of their first; the others by themselves.
fn companies(groups: Vec<Group>) -> Vec<Vec<Group>> {
    let mut companies: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        match companies.iter_mut().find(|company| company[0].learns_in_lockstep_with(&group)) {
            Some(company) => company.push(group),
            None => companies.push(vec![group]),
        }
    }
    companies
}

/// Cuts a company into equal chunks of about [`LONGEST`] seconds, as few as may be.
fn cut(company: Vec<Group>) -> impl Iterator<Item = Chunk> {
    let whole: f64 = company.iter().map(Group::seconds).sum();
    let count = ((whole / LONGEST).round() as usize).clamp(1, company.len());
    let (mut chunks, mut before) = (vec![(0.0, Vec::new()); count], 0.0);
    for group in company {
        let seconds = group.seconds();
        // Where its middle lies.
        let at = if whole > 0.0 { (before + 0.5 * seconds) / whole * count as f64 } else { 0.0 };
        let (sum, settings): &mut Chunk = &mut chunks[(at as usize).min(count - 1)];
        *sum += seconds;
        settings.extend(group.settings);
        before += seconds;
    }
    chunks.into_iter().filter(|(_, settings)| !settings.is_empty())
}

/// Settings that share their work, in the order of their first; the others by themselves.
fn groups(settings: &[Candidate], folds: u32, shape: Shape) -> Vec<Group> {
    let Shape { rows, features, labels } = shape;
    let queries = rows / folds.max(1) as usize;
    let size = FitSize { rows: rows - queries, queries, features, labels };
    let mut groups: Vec<Group> = Vec::new();
    for (index, setting) in settings.iter().enumerate() {
        let first = Pipeline::new(setting, 0).ok();
        // Whoever runs the block of a setting that cannot be read says so; it costs nothing.
        let seconds = first.as_ref().map_or(CostEstimate::default(), |of| of.seconds(size));
        let shared = groups.iter_mut().find(|group| match (&group.first, &first) {
            (Some(of), Some(pipeline)) => of.shares_work_with(pipeline, features),
            _ => false,
        });
        match shared {
            Some(group) => group.add(index as u32, seconds),
            None => {
                let mut group = Group::new(first);
                group.add(index as u32, seconds);
                groups.push(group);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid;

    const FEATURES: usize = 1_241;

    fn shape(rows: usize, features: usize) -> Shape {
        Shape { rows, features, labels: 10 }
    }

    fn sorted(blocks: &[Block]) -> Vec<(u32, u32)> {
        let trials = blocks.iter().flat_map(|b| b.folds.iter().flat_map(|&f| b.settings.iter().map(move |&s| (s, f))));
        let mut trials: Vec<_> = trials.collect();
        trials.sort_unstable();
        trials
    }

    #[test]
    fn every_trial_is_in_exactly_one_block_however_large_the_data() {
        let settings = grid::read(grid::STUDY, &[]).unwrap();
        let all: Vec<_> = (0..settings.len() as u32).flat_map(|s| (0..5).map(move |f| (s, f))).collect();
        for (rows, features) in [(0, 1), (30, 2), (700, FEATURES), (200_000, FEATURES)] {
            assert_eq!(sorted(&blocks(&settings, 5, shape(rows, features))), all);
        }
        assert_eq!(blocks(&settings[..72], 5, shape(100, 13)).len(), 5, "small data: a block a fold");
    }

    #[test]
    fn the_study_is_a_few_dozen_pieces_of_work() {
        let settings = grid::read(grid::STUDY, &[]).unwrap();
        let plans = summary(&settings, 5, shape(7_000, FEATURES));
        let of = |plan: &FamilyPlan| (plan.family.clone(), plan.settings, plan.distinct, plan.shared);
        let expected = [
            ("knn", 72, 8, 3),
            ("tree", 9_720, 9_720, 6),
            ("extra_trees", 1_350, 900, 12),
            ("random_forest", 96, 96, 2),
            ("mlp", 36, 24, 24),
        ];
        let expected =
            expected.map(|(family, settings, distinct, shared)| (family.to_owned(), settings, distinct, shared));
        assert_eq!(plans.iter().map(of).collect::<Vec<_>>(), expected);
        assert!(plans.iter().all(|plan| plan.seconds > 0.0));
    }

    #[test]
    fn settings_that_select_differently_share_nothing_and_cost_what_is_left() {
        let text = "[knn]\nn_neighbors = [3, 5]\nselect = ['none', { method = 'anova', k = 100 }, { method = 'anova', k = 200 }]";
        let settings = grid::read(text, &[]).unwrap();
        let plan = &summary(&settings, 5, shape(7_000, FEATURES))[0];
        assert_eq!((plan.settings, plan.distinct, plan.shared), (6, 6, 3));
        let seconds = |index: usize| summary(&settings[index..=index], 5, shape(7_000, FEATURES))[0].seconds;
        assert!(seconds(1) < seconds(2) && seconds(2) < seconds(0));
    }

    #[test]
    fn the_longest_blocks_come_first() {
        let settings = grid::read(grid::STUDY, &["tree".into(), "extra_trees".into()]).unwrap();
        let blocks = blocks(&settings, 5, shape(7_000, FEATURES));
        let first = &settings[blocks[0].settings[0] as usize];
        assert_eq!((first.family.as_str(), &first.params["max_features"]), ("extra_trees", &serde_json::Value::Null));
        assert!((30..=100).contains(&blocks.len()), "{}", blocks.len());
    }

    #[test]
    fn networks_that_draw_the_same_minibatches_as_often_lie_in_few_equal_blocks() {
        let settings = grid::read(grid::STUDY, &["mlp".into()]).unwrap();
        for (rows, most) in [(100, 1), (7_000, 2), (100_000, 6)] {
            let blocks = blocks(&settings, 1, shape(rows, FEATURES));
            let of = |at: u32| {
                (&settings[at as usize].params["solver"], &settings[at as usize].params["learning_rate_init"])
            };
            let slow: Vec<usize> = blocks
                .iter()
                .map(|block| block.settings.iter().filter(|&&at| of(at) == (&"adam".into(), &1e-4.into())).count())
                .filter(|count| *count > 0)
                .collect();
            assert_eq!(slow.iter().sum::<usize>(), 6);
            assert!(slow.len() <= most && slow.iter().all(|count| *count == slow[0]), "{rows}: {slow:?}");
        }
    }

    #[test]
    fn companies_of_all_costs_are_cut_into_whole_groups() {
        let group = |seconds: f64| Group { shared: seconds, settings: vec![0], ..Group::new(None) };
        let cuts = |seconds: &[f64]| {
            cut(seconds.iter().map(|&of| group(of)).collect()).map(|of| of.1.len()).collect::<Vec<_>>()
        };
        assert_eq!(cuts(&[0.0, 0.0]), [2]);
        assert_eq!(cuts(&[20.0; 4]), [4], "80 s are about a minute");
        assert_eq!(cuts(&[20.0; 6]), [3, 3]);
        assert_eq!(cuts(&[1e12]), [1]);
        assert_eq!(cuts(&[1e17, 1e-3]), [2]);
        assert_eq!(cuts(&[1e-3, f64::INFINITY]), [2]);
    }

    #[test]
    fn settings_that_share_work_stay_together() {
        let settings = grid::read("[knn]\nmetric = ['euclidean', 'manhattan', 'cosine']\nn_neighbors = [1, 3, 5]", &[]);
        let blocks = blocks(&settings.unwrap(), 2, shape(10_000_000, 1_000));
        assert_eq!(blocks.len(), 6);
        assert!(blocks.iter().all(|block| block.settings.len() == 3));
    }
}
