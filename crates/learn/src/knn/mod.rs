//! k nearest neighbours, scikit-learn's `KNeighborsClassifier` for several labels.
//!
//! Distances are sums of exact differences in f64 (scikit-learn's trees do the same; its brute force over euclidean
//! distances expands the square and differs in the last digits). **Of equally distant training rows the first is the
//! nearer one**; scikit-learn leaves their order open.

mod distance;
mod neighbours;
mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use distance::Distance;
pub use params::{Algorithm, KnnParams, KnnValidParams, Metric, PARAMETERS, Weights};

use crate::family::{Trained, decide};
use crate::{Labelled, LearnError};
use neighbours::Neighbours;

/// The fitted model: the training rows themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knn {
    neighbours: usize,
    weights: Weights,
    distance: Distance,
    records: Array2<f64>,
    labels: Array2<bool>,
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for KnnValidParams {
    type Object = Knn;

    fn fit(&self, dataset: &Labelled) -> Result<Knn, LearnError> {
        fits(self, dataset.records.nrows()).map_err(LearnError::Unfittable)?;
        Ok(Knn {
            neighbours: self.n_neighbors as usize,
            weights: self.weights,
            distance: self.distance(),
            records: dataset.records.clone(),
            labels: dataset.targets.clone(),
        })
    }
}

impl Knn {
    /// The neighbours' share of the vote for each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let found = neighbours::nearest(self.distance, self.records.view(), rows, self.neighbours);
        vote(&found, self.neighbours, self.weights, self.labels.view())
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Knn {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.labels.ncols()))
    }
}

/// Fits every setting on the same rows, predicts the same others, and judges the probabilities. Settings of one distance
/// share a pass: the `k` nearest are the first `k` of the largest number asked for.
pub(crate) fn train_all<T>(
    settings: &[&KnnValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &impl Fn(ArrayView2<'_, f64>) -> T,
) -> Vec<Trained<T>> {
    let n = train.records.nrows();
    let mut trained: Vec<Option<Trained<T>>> = settings.iter().map(|_| None).collect();
    for first in 0..settings.len() {
        if trained[first].is_some() {
            continue;
        }
        let started = Instant::now();
        let distance = settings[first].distance();
        let alike: Vec<usize> = (first..settings.len()).filter(|&at| settings[at].distance() == distance).collect();
        let asked = alike.iter().map(|&at| settings[at]).filter(|of| fits(of, n).is_ok());
        let most = asked.map(|of| of.n_neighbors as usize).max();
        let found = most.map(|k| neighbours::nearest(distance, train.records.view(), rows, k));
        let shared = started.elapsed().as_secs_f64() / alike.len() as f64;
        for at in alike {
            let (started, of) = (Instant::now(), settings[at]);
            let outcome = fits(of, n).map(|()| {
                let found = found.as_ref().expect("a setting that fits has made the pass");
                judge(vote(found, of.n_neighbors as usize, of.weights, train.targets.view()).view())
            });
            trained[at] = Some(Trained { outcome, seconds: shared + started.elapsed().as_secs_f64() });
        }
    }
    trained.into_iter().map(|result| result.expect("every setting has a distance")).collect()
}

/// The checks that scikit-learn makes when it fits.
fn fits(params: &KnnValidParams, rows: usize) -> Result<(), String> {
    let in_tree = matches!(params.algorithm, Algorithm::BallTree | Algorithm::KdTree);
    match params.distance() {
        Distance::Cosine if in_tree => {
            return Err("metric cosine is no distance that a tree can search: use algorithm brute or auto".into());
        }
        Distance::Minkowski(p) if in_tree && p < 1.0 => {
            return Err(format!("minkowski with p = {p} is no distance that a tree can search: use algorithm brute"));
        }
        _ => {}
    }
    if params.n_neighbors as usize > rows {
        return Err(format!("n_neighbors is {} and there are {rows} rows to fit on", params.n_neighbors));
    }
    Ok(())
}

/// Votes of the first `k` neighbours of each row. With [`Weights::Distance`] a vote weighs 1/distance, and rows at
/// distance 0 outvote all others.
fn vote(found: &Neighbours, k: usize, weights: Weights, labels: ArrayView2<'_, bool>) -> Array2<f64> {
    let mut shares = Array2::zeros((found.len(), labels.ncols()));
    for (query, mut shares) in shares.rows_mut().into_iter().enumerate() {
        let nearest = &found.of(query)[..k];
        let hit = nearest.iter().any(|n| n.distance.recip().is_infinite());
        let mut total = 0.0;
        for neighbour in nearest {
            let weight = match (weights, hit) {
                (Weights::Uniform, _) => 1.0,
                (Weights::Distance, false) => neighbour.distance.recip(),
                (Weights::Distance, true) => f64::from(u8::from(neighbour.distance.recip().is_infinite())),
            };
            total += weight;
            let voted = labels.row(neighbour.row as usize);
            shares.iter_mut().zip(voted).for_each(|(share, has)| *share += if *has { weight } else { 0.0 });
        }
        shares.mapv_inplace(|share| share / total);
    }
    shares
}
