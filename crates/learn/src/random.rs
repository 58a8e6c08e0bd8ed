//! Randomness as a function of the place, not of the order of calls: the same node of the same tree draws the same
//! numbers whoever grows it, after whatever else, to whatever depth.

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The way from the root of a tree to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path(u64);

impl Path {
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

    /// A number in [0, 1) that belongs to a feature at this node.
    pub(crate) fn uniform(self, feature: u32) -> f64 {
        let bits = mix(mix(self.0 ^ 3) ^ u64::from(feature));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// All features in random order, drawn one by one (Fisher and Yates). `pool` is room for their indices.
    pub(crate) fn shuffle(self, features: usize, pool: &mut Vec<u32>) -> impl Iterator<Item = u32> {
        pool.clear();
        pool.extend(0..features as u32);
        let mut state = mix(self.0 ^ 4);
        (0..features).map(move |drawn| {
            state = mix(state);
            // The high word of a product is uniform up to 2^-64 per choice (Lemire 2019).
            let among = (features - drawn) as u128;
            pool.swap(drawn, drawn + ((u128::from(state) * among) >> 64) as usize);
            pool[drawn]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_has_every_feature_once_and_each_first_equally_often() {
        let mut pool = Vec::new();
        let mut firsts = [0; 7];
        for tree in 0..7_000 {
            let order: Vec<u32> = Path::root(5, tree).shuffle(7, &mut pool).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..7).collect::<Vec<_>>());
            firsts[order[0] as usize] += 1;
        }
        assert!(firsts.iter().all(|&n| (850..1_150).contains(&n)), "{firsts:?}");
    }

    #[test]
    fn siblings_and_features_draw_different_numbers_in_the_unit_interval() {
        let root = Path::root(0, 0);
        assert_ne!(root.left(), root.right());
        let drawn: Vec<f64> = (0..1_000).map(|feature| root.left().uniform(feature)).collect();
        assert!(drawn.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = drawn.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.04, "{mean}");
    }
}
