//! The neighbours' vote on labels.

use ndarray::{ArrayView2, ArrayViewMut1};

use super::{Neighbour, VoteWeights};

/// Fills `shares`, one per label, with the neighbours' shares of the vote. With [`VoteWeights::Distance`] a vote weighs
/// 1/distance, and neighbours at distance 0 outvote all others. There is at least one neighbour.
pub(crate) fn vote(
    neighbours: &[Neighbour],
    weights: VoteWeights,
    labels: ArrayView2<'_, bool>,
    mut shares: ArrayViewMut1<'_, f64>,
) {
    let has_exact_match = neighbours.iter().any(|neighbour| neighbour.distance.recip().is_infinite());
    let mut total = 0.0;
    shares.fill(0.0);
    for neighbour in neighbours {
        let weight = match (weights, has_exact_match) {
            (VoteWeights::Uniform, _) => 1.0,
            (VoteWeights::Distance, false) => neighbour.distance.recip(),
            (VoteWeights::Distance, true) => f64::from(u8::from(neighbour.distance.recip().is_infinite())),
        };
        total += weight;
        let voted = labels.row(neighbour.row as usize);
        shares.iter_mut().zip(voted).for_each(|(share, has)| *share += if *has { weight } else { 0.0 });
    }
    shares.mapv_inplace(|share| share / total);
}
