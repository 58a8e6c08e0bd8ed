//! Training settings together: one growth for all that share it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use ndarray::{Array2, ArrayView2};
use pulp::Arch;
use rayon::prelude::*;

use super::TreeValidParams;
use super::columns::{Columns, Layouts};
use super::cut::{Cut, normalise};
use super::fitted::{Forest, as_f32};
use super::forests::{self, Wanted};
use super::grow::{Ends, Grower, Grown};
use super::levels;
use super::params::Splitter;
use super::rows::{Labels, Weights};
use super::split::{Limits, Search, VARIANTS};
use crate::Cancel;
use crate::family::FitResult;
use crate::random::RandomKey;

/// Trees that are grown before they are cut for each setting and forgotten.
const TOGETHER: u32 = 32;

/// Most rows that all of these have: what is known of their nodes takes some 30 bytes a row, and a grown tree some 200.
const ROWS_TOGETHER: usize = 1 << 22;

/// Rows that can be found in a tile by 32 bits.
const MOST_ROWS: usize = 1 << 26;

/// Training rows, made ready for trees.
pub(super) struct Rows {
    columns: Columns,
    labels: Labels,
}

impl Rows {
    /// What these settings need.
    pub(super) fn new(
        records: ArrayView2<'_, f64>,
        labels: ArrayView2<'_, bool>,
        settings: &[&TreeValidParams],
        cancel: &Cancel,
    ) -> Self {
        let features = records.ncols();
        let wanted = Layouts {
            values: settings.iter().any(|of| !of.goes_by_levels(features)),
            tiles: settings.iter().any(|of| of.goes_by_levels(features)),
            keys: settings.iter().any(|of| of.splitter == Splitter::Random && !of.goes_by_levels(features)),
            ranks: settings.iter().any(|of| of.splitter == Splitter::Best && !of.takes_all(features)),
        };
        Self { columns: Columns::new(records, wanted, cancel), labels: Labels::new(labels) }
    }
}

/// Fits one setting.
pub(super) fn fit(
    params: &TreeValidParams,
    rows: &Rows,
    labels: ArrayView2<'_, bool>,
    cancel: &Cancel,
) -> Result<Forest, String> {
    let growth = Growth::new(&[params], rows, labels, cancel)?;
    let cut = growth.cut(params);
    let trees = growth.each_tree(params.n_estimators, |grown| cut.of(grown))?;
    Ok(Forest { labels: labels.ncols(), trees })
}

/// What each feature contributes to the trees of one setting: the mean over those that split, normalised.
pub(super) fn importances(
    params: &TreeValidParams,
    rows: &Rows,
    labels: ArrayView2<'_, bool>,
    cancel: &Cancel,
) -> Result<Vec<f64>, String> {
    let growth = Growth::new(&[params], rows, labels, cancel)?;
    let (cut, features) = (growth.cut(params), rows.columns.features());
    let mut sums = vec![0.0; features];
    for of_tree in growth.each_tree(params.n_estimators, |grown| cut.importances(grown, features))? {
        sums.iter_mut().zip(of_tree).for_each(|(sum, of_tree)| *sum += of_tree);
    }
    normalise(&mut sums);
    Ok(sums)
}

/// Settings that share a growth.
struct Growth<'a> {
    first: &'a TreeValidParams,
    rows: &'a Rows,
    /// By class weights.
    of_rows: Vec<f64>,
    /// What a leaf must have: rows, and a share of all weight.
    variants: Vec<(usize, f64)>,
    ends: Ends,
    cancel: &'a Cancel,
}

impl<'a> Growth<'a> {
    fn new(
        settings: &[&'a TreeValidParams],
        rows: &'a Rows,
        labels: ArrayView2<'_, bool>,
        cancel: &'a Cancel,
    ) -> Result<Self, String> {
        if labels.is_empty() {
            return Err("there are no rows to fit on".into());
        }
        if labels.nrows() >= MOST_ROWS {
            return Err(format!("{} rows are too many for a tree: it takes fewer than {MOST_ROWS}", labels.nrows()));
        }
        let first = settings[0];
        let of_rows = match &first.class_weight {
            None => vec![1.0; labels.nrows()],
            Some(weight) => weight.of_rows(labels)?,
        };
        let n = labels.nrows();
        let max_depth = settings.iter().map(|of| of.max_depth);
        let ends = Ends {
            max_depth: max_depth.reduce(|a, b| Some(a?.max(b?))).flatten(),
            min_samples_split: settings.iter().map(|of| of.min_samples_split.of(n)).min().unwrap_or(2),
            min_impurity_decrease: settings.iter().map(|of| of.min_impurity_decrease).fold(f64::INFINITY, f64::min),
        };
        let mut growth = Self { first, rows, of_rows, variants: Vec::new(), ends, cancel };
        for variant in settings.iter().map(|of| growth.variant(of)).collect::<Vec<_>>() {
            if !growth.variants.contains(&variant) {
                growth.variants.push(variant);
            }
        }
        Ok(growth)
    }

    /// What a setting wants of a leaf; a share that the lightest row reaches is none.
    fn variant(&self, params: &TreeValidParams) -> (usize, f64) {
        let share = params.min_weight_fraction_leaf;
        let heaviest = self.of_rows.iter().copied().fold(0.0, f64::max);
        let lightest = self.of_rows.iter().copied().filter(|&weight| weight > 0.0).fold(f64::INFINITY, f64::min);
        let bites = share * heaviest * self.of_rows.len() as f64 >= lightest;
        (params.min_samples_leaf.of(self.of_rows.len()), if bites { share } else { 0.0 })
    }

    fn cut(&self, params: &TreeValidParams) -> Cut {
        let variant = self.variant(params);
        Cut {
            variant: self.variants.iter().position(|of| *of == variant).expect("every setting's variant is known"),
            max_depth: params.max_depth,
            min_samples_split: params.min_samples_split.of(self.of_rows.len()),
            max_leaf_nodes: params.max_leaf_nodes,
            min_impurity_decrease: params.min_impurity_decrease,
            ccp_alpha: params.ccp_alpha,
        }
    }

    /// The different cuts of its trees, with the settings that want each.
    fn wanted(&self, settings: &[&TreeValidParams]) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        for (index, of) in settings.iter().enumerate() {
            let cut = self.cut(of);
            let at = all.iter().position(|wanted| wanted.cut == cut).unwrap_or_else(|| {
                all.push(Wanted { cut, settings: BTreeMap::new() });
                all.len() - 1
            });
            all[at].settings.entry(of.n_estimators).or_default().push(index);
        }
        all
    }

    /// What some trees from number 0 on come to.
    fn each_tree<T: Send>(&self, trees: u32, of: impl Fn(&Grown) -> T + Sync) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        for some in self.batches(trees) {
            all.par_extend(self.grow(some)?.par_iter().map(&of));
        }
        Ok(all)
    }

    /// Trees from number 0 on in batches that are grown at once, of about the same size.
    fn batches(&self, trees: u32) -> impl Iterator<Item = Range<u32>> {
        let most = TOGETHER.min((ROWS_TOGETHER / self.of_rows.len()).max(1) as u32);
        let size = trees.div_ceil(trees.div_ceil(most).max(1)).max(1);
        (0..trees).step_by(size as usize).map(move |first| first..trees.min(first.saturating_add(size)))
    }

    /// Grows the trees of these numbers.
    fn grow(&self, trees: Range<u32>) -> Result<Vec<Grown>, String> {
        self.cancel.check()?;
        let roots: Vec<RandomKey> = trees.map(|tree| RandomKey::root(self.first.seed, u64::from(tree))).collect();
        // As scikit-learn has it since 1.9: class weights decide how often a row is drawn, and how often it was is what it
        // counts for.
        let drawn = |root: &RandomKey| root.bootstrap(&self.of_rows).into_iter().map(f64::from).collect();
        let of_trees: Vec<Vec<f64>> = match self.first.bootstrap {
            true => roots.par_iter().map(drawn).collect(),
            false => vec![self.of_rows.clone()],
        };
        let weights = of_trees.into_iter().map(|of_rows| Weights::new(of_rows, self.rows.labels.count()));
        let limits = |weights: &Weights| -> Vec<Limits> {
            self.variants.iter().map(|&(rows, share)| Limits { rows, weight: share * weights.total }).collect()
        };
        let weights: Vec<(Vec<Limits>, Weights)> = weights.map(|of| (limits(&of), of)).collect();
        let searches = weights.iter().cycle().map(|(variants, weights)| self.search(weights, variants));
        let growers: Vec<Grower<'_>> =
            searches.take(roots.len()).map(|search| Grower { search, ends: self.ends }).collect();
        if self.first.goes_by_levels(self.rows.columns.features()) {
            return levels::grow(&growers, &roots);
        }
        let grown = growers.par_iter().zip(roots).map(|(grower, root)| grower.grow(root)).collect();
        self.cancel.check()?;
        grown
    }

    fn search<'s>(&'s self, weights: &'s Weights, variants: &'s [Limits]) -> Search<'s> {
        Search {
            arch: Arch::new(),
            columns: &self.rows.columns,
            labels: &self.rows.labels,
            weights,
            criterion: self.first.criterion.canonical(),
            splitter: self.first.splitter,
            drawn: self.first.drawn(self.rows.columns.features()),
            variants,
            cancel: self.cancel.clone(),
        }
    }
}

/// Fits every setting on the same rows, predicts the same others, and judges their probabilities. What settings share is
/// grown once; the results are those of each on its own, to the last bit.
pub(crate) fn train_all<T: Clone + Send>(
    settings: &[&TreeValidParams],
    train: &crate::Labelled,
    queries: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<FitResult<T>> {
    let rows = Rows::new(train.records.view(), train.targets.view(), settings, cancel);
    let queries = as_f32(queries);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, of) in settings.iter().enumerate() {
        match groups.iter_mut().find(|group| settings[group[0]].shares_work_with(of, train.records.ncols())) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    let of_group = |group: &Vec<usize>| {
        let started = Instant::now();
        let of: Vec<&TreeValidParams> = group.iter().map(|&index| settings[index]).collect();
        let results = train_group(&of, &rows, train.targets.view(), &queries, judge, cancel);
        let seconds = started.elapsed().as_secs_f64() / group.len() as f64;
        let trained = results.into_iter().map(move |outcome| FitResult { outcome, seconds });
        group.iter().copied().zip(trained).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, FitResult<T>)> = groups.par_iter().flat_map_iter(of_group).collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, trained)| trained).collect()
}

/// Outcomes of the settings of one growth, in their order.
fn train_group<T: Clone + Send>(
    settings: &[&TreeValidParams],
    rows: &Rows,
    labels: ArrayView2<'_, bool>,
    queries: &Array2<f32>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<Result<T, String>> {
    let growth = match Growth::new(settings, rows, labels, cancel) {
        Ok(growth) => growth,
        Err(reason) => return vec![Err(reason); settings.len()],
    };
    if growth.variants.len() > VARIANTS {
        let (some, others) = settings.split_at(settings.len() / 2);
        return [some, others].map(|of| train_group(of, rows, labels, queries, judge, cancel)).concat();
    }
    let (mut truncations, mut others) = forests::sort(growth.wanted(settings), queries.nrows(), labels.ncols());
    let trees = settings.iter().map(|of| of.n_estimators).max().unwrap_or(0);
    for some in growth.batches(trees) {
        let first = some.start;
        let grown = match growth.grow(some) {
            Ok(grown) => grown,
            Err(reason) => return vec![Err(reason); settings.len()],
        };
        truncations.iter_mut().for_each(|of| of.take(first, &grown, queries, labels.ncols(), judge, cancel));
        others.par_iter_mut().for_each(|of| of.take(first, &grown, queries, labels.ncols(), judge, cancel));
    }
    if let Err(cancelled) = cancel.check() {
        return vec![Err(cancelled.into()); settings.len()];
    }
    let of_truncations = truncations.into_iter().flat_map(|of| of.results);
    let mut results: Vec<(usize, T)> = of_truncations.chain(others.into_iter().flat_map(|of| of.results)).collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| Ok(result)).collect()
}
