//! Randomness as a function of the place, not of the order of calls: the same node of the same tree draws the same
//! numbers whoever grows it, after whatever else, to whatever depth.

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A 32-bit mixer of low bias (Wellons 2018, `lowbias32`), which vectorises where a 64-bit one does not.
#[inline(always)]
const fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// The way from the root of a tree to a node.
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

    /// What belongs to a feature at this node.
    #[inline(always)]
    pub(crate) fn draw(self, feature: u32) -> Draw {
        let first = mix32(feature.wrapping_mul(0x9e37_79b9) ^ self.0 as u32);
        Draw { uniform: (first >> 8) as f32 * (1.0 / (1 << 24) as f32), priority: mix32(first ^ (self.0 >> 32) as u32) }
    }

    /// How often each row is in a sample of as many rows with replacement, where rows are drawn by their weight; never,
    /// if none has any.
    pub(crate) fn bootstrap(self, weights: &[f64]) -> Vec<u32> {
        let mut total = 0.0;
        let add = |weight: &f64| {
            total += weight;
            total
        };
        let sums: Vec<f64> = weights.iter().map(add).collect();
        let mut counts = vec![0; weights.len()];
        let mut state = mix(self.0 ^ 5);
        for _ in weights {
            state = mix(state);
            let point = (state >> 11) as f64 / (1_u64 << 53) as f64 * total;
            if let Some(count) = counts.get_mut(sums.partition_point(|&sum| sum <= point)) {
                *count += 1;
            }
        }
        counts
    }
}

/// A number below `many`: the high word of a product is uniform up to 2⁻⁶⁴ a choice (Lemire 2019).
fn below(random: u64, many: usize) -> usize {
    ((u128::from(random) * many as u128) >> 64) as usize
}

/// Draws numbers from 0 on one by one without replacement (Fisher and Yates), place after place, without making the pool
/// anew.
pub(crate) struct IndexSampler {
    numbers: Vec<u32>,
    swaps: Vec<u32>,
    state: u64,
}

impl IndexSampler {
    pub(crate) fn new(many: usize) -> Self {
        Self { numbers: (0..many as u32).collect(), swaps: Vec::new(), state: 0 }
    }

    /// Begins the draws of a place.
    pub(crate) fn begin(&mut self, path: RandomKey) {
        // Undoing the swaps of the node before makes the draws a function of the path alone.
        while let Some(swap) = self.swaps.pop() {
            self.numbers.swap(self.swaps.len(), swap as usize);
        }
        self.state = mix(path.0 ^ 4);
    }

    /// The next number, until all were drawn.
    pub(crate) fn next(&mut self) -> Option<u32> {
        let drawn = self.swaps.len();
        if drawn == self.numbers.len() {
            return None;
        }
        self.state = mix(self.state);
        let swap = drawn + below(self.state, self.numbers.len() - drawn);
        self.numbers.swap(drawn, swap);
        self.swaps.push(swap as u32);
        Some(self.numbers[drawn])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(pool: &mut IndexSampler, path: RandomKey) -> Vec<u32> {
        pool.begin(path);
        std::iter::from_fn(|| pool.next()).collect()
    }

    #[test]
    fn a_pool_draws_every_feature_once_and_each_first_equally_often_whatever_was_drawn_before() {
        let mut pool = IndexSampler::new(7);
        let mut firsts = [0; 7];
        for tree in 0..7_000 {
            let order = drawn(&mut pool, RandomKey::root(5, tree));
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
        // The priority says nothing of the number it is drawn with.
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
        let of_weight = |weight: f64| -> u32 {
            weights.iter().zip(&counts).filter(|(of, _)| **of == weight).map(|(_, count)| count).sum()
        };
        assert_eq!((of_weight(0.0), counts.iter().sum()), (0, 6_000));
        assert!((650..850).contains(&of_weight(0.5)), "{}", of_weight(0.5));
        assert!((2_850..3_150).contains(&of_weight(2.0)), "{}", of_weight(2.0));
        assert_eq!(RandomKey::root(1, 2).bootstrap(&[0.0; 3]), [0; 3]);
    }
}
