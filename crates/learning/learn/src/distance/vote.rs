//! What neighbours say about labels.

use ndarray::{ArrayView2, ArrayViewMut1};

use super::{Neighbour, Weights};

/// Fills `shares`, one a label, with the neighbours' shares of the vote. With [`Weights::Distance`] a vote weighs
/// 1/distance, and rows at distance 0 outvote all others. There is at least one neighbour.
pub(crate) fn vote(
    neighbours: &[Neighbour],
    weights: Weights,
    labels: ArrayView2<'_, bool>,
    mut shares: ArrayViewMut1<'_, f64>,
) {
    let hit = neighbours.iter().any(|n| n.distance.recip().is_infinite());
    let mut total = 0.0;
    shares.fill(0.0);
    for neighbour in neighbours {
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
