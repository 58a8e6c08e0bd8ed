//! Randomness as a function of a key, not of the order of calls: a node of a tree draws the same numbers whichever thread
//! builds it, whatever was built before it, and however deep the tree may become.

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A 32-bit mixer of low bias (Wellons 2018, `lowbias32`); unlike a 64-bit one, it vectorises.
#[inline(always)]
const fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// The key that random numbers are derived from: for a tree, the seed and the path from the root to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RandomKey(u64);

/// What a feature draws at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Draw {
    /// In [0, 1), a multiple of 2⁻²⁴.
    pub(crate) uniform: f32,
    /// Of equally good features the one with the highest priority is taken.
    pub(crate) priority: u32,
}

impl RandomKey {
    /// The root of tree number `tree` of a model.
    pub(crate) fn root(seed: u64, tree: u64) -> Self {
        Self(mix(mix(seed) ^ tree))
    }

    pub(crate) fn left(self) -> Self {
        Self(mix(self.0 ^ 1))
    }

    pub(crate) fn right(self) -> Self {
        Self(mix(self.0 ^ 2))
    }

    /// The numbers of a feature at this node.
    #[inline(always)]
    pub(crate) fn draw(self, feature: u32) -> Draw {
        let first = mix32(feature.wrapping_mul(0x9e37_79b9) ^ self.0 as u32);
        Draw { uniform: (first >> 8) as f32 * (1.0 / (1 << 24) as f32), priority: mix32(first ^ (self.0 >> 32) as u32) }
    }

    /// How often each row is drawn in a bootstrap: as many draws as there are rows, with replacement, each row with a
    /// probability proportional to its weight. If all weights are 0, no row is drawn.
    pub(crate) fn bootstrap(self, weights: &[f64]) -> Vec<u32> {
        let mut total = 0.0;
        let accumulate = |weight: &f64| {
            total += weight;
            total
        };
        let cumulative: Vec<f64> = weights.iter().map(accumulate).collect();
        let mut counts = vec![0; weights.len()];
        let mut state = mix(self.0 ^ 5);
        for _ in weights {
            state = mix(state);
            let point = (state >> 11) as f64 / (1_u64 << 53) as f64 * total;
            if let Some(count) = counts.get_mut(cumulative.partition_point(|&sum| sum <= point)) {
                *count += 1;
            }
        }
        counts
    }
}

/// A number below `bound`: the high word of the product is uniform to within 2⁻⁶⁴ (Lemire 2019).
fn below(random: u64, bound: usize) -> usize {
    ((u128::from(random) * bound as u128) >> 64) as usize
}

/// Draws the indices below a bound one by one without replacement (Fisher and Yates). It is reused for one key after
/// another without being rebuilt.
pub(crate) struct IndexSampler {
    indices: Vec<u32>,
    /// The position that each draw swapped its index with.
    swaps: Vec<u32>,
    state: u64,
}

impl IndexSampler {
    /// A sampler of the indices below `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self { indices: (0..bound as u32).collect(), swaps: Vec::new(), state: 0 }
    }

    /// Starts the draws of a key.
    pub(crate) fn begin(&mut self, key: RandomKey) {
        // Undoing the swaps of the previous key makes the draws a function of the key alone.
        while let Some(swap) = self.swaps.pop() {
            self.indices.swap(self.swaps.len(), swap as usize);
        }
        self.state = mix(key.0 ^ 4);
    }

    /// The next index, until all are drawn.
    pub(crate) fn next(&mut self) -> Option<u32> {
        let drawn = self.swaps.len();
        if drawn == self.indices.len() {
            return None;
        }
        self.state = mix(self.state);
        let swap = drawn + below(self.state, self.indices.len() - drawn);
        self.indices.swap(drawn, swap);
        self.swaps.push(swap as u32);
        Some(self.indices[drawn])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(sampler: &mut IndexSampler, key: RandomKey) -> Vec<u32> {
        sampler.begin(key);
        std::iter::from_fn(|| sampler.next()).collect()
    }

    #[test]
    fn a_sampler_draws_every_index_once_and_each_first_equally_often_whatever_was_drawn_before() {
        let mut sampler = IndexSampler::new(7);
        let mut firsts = [0; 7];
        for tree in 0..7_000 {
            let order = drawn(&mut sampler, RandomKey::root(5, tree));
            assert_eq!(order, drawn(&mut IndexSampler::new(7), RandomKey::root(5, tree)));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..7).collect::<Vec<_>>());
            firsts[order[0] as usize] += 1;
        }
        assert!(firsts.iter().all(|&n| (850..1_150).contains(&n)), "{firsts:?}");
    }

    #[test]
    fn siblings_and_features_draw_different_numbers_in_the_unit_interval() {
        let root = RandomKey::root(0, 0);
        assert_ne!(root.left(), root.right());
        let drawn: Vec<Draw> = (0..1_000).map(|feature| root.left().draw(feature)).collect();
        assert!(drawn.iter().all(|draw| (0.0..1.0).contains(&draw.uniform)));
        let mean = drawn.iter().map(|draw| draw.uniform).sum::<f32>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.04, "{mean}");
        // The priority is independent of the number it is drawn with.
        let high: Vec<f32> = drawn.iter().filter(|draw| draw.priority >> 31 == 1).map(|draw| draw.uniform).collect();
        let mean = high.iter().sum::<f32>() / high.len() as f32;
        assert!((400..600).contains(&high.len()) && (mean - 0.5).abs() < 0.06, "{} {mean}", high.len());
    }

    #[test]
    fn a_bootstrap_leaves_out_a_third_of_the_rows() {
        let counts = RandomKey::root(1, 2).bootstrap(&[1.0; 10_000]);
        assert_eq!(counts.iter().sum::<u32>(), 10_000);
        let left_out = counts.iter().filter(|&&count| count == 0).count();
        assert!((3_500..3_860).contains(&left_out), "{left_out}");
    }

    #[test]
    fn a_bootstrap_draws_rows_by_their_weight() {
        let weights = [0.0, 0.5, 0.0, 1.5, 2.0, 0.0].repeat(1_000);
        let counts = RandomKey::root(1, 2).bootstrap(&weights);
        let draws_of = |weight: f64| -> u32 {
            weights.iter().zip(&counts).filter(|(other, _)| **other == weight).map(|(_, count)| count).sum()
        };
        assert_eq!((draws_of(0.0), counts.iter().sum()), (0, 6_000));
        assert!((650..850).contains(&draws_of(0.5)), "{}", draws_of(0.5));
        assert!((2_850..3_150).contains(&draws_of(2.0)), "{}", draws_of(2.0));
        assert_eq!(RandomKey::root(1, 2).bootstrap(&[0.0; 3]), [0; 3]);
    }
}
