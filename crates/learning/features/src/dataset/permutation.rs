//! numpy's `RandomState(seed).permutation(n)`, with which scikit-learn splits.

/// Words of the state of MT19937.
const STATE_WORDS: usize = 624;

/// The permutation of `0..n`: numpy's legacy Fisher-Yates shuffle, from the last position down.
pub(super) fn permutation(n: usize, seed: u32) -> Vec<usize> {
    let mut random = Mt19937::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, random.up_to(last as u32));
    }
    order
}

/// The Mersenne Twister (Matsumoto and Nishimura, 1998), seeded by its `init_genrand`.
struct Mt19937 {
    state: [u32; STATE_WORDS],
    next: usize,
}

impl Mt19937 {
    fn new(seed: u32) -> Self {
        let mut state = [seed; STATE_WORDS];
        for i in 1..STATE_WORDS {
            let before = state[i - 1];
            state[i] = 1_812_433_253u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(i as u32);
        }
        Self { state, next: STATE_WORDS }
    }

    /// A number from 0 to `max`: masked to the bits of `max`, redrawn while it is greater (numpy's `random_interval`).
    fn up_to(&mut self, max: u32) -> usize {
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let drawn = self.draw() & mask;
            if drawn <= max {
                return drawn as usize;
            }
        }
    }

    fn draw(&mut self) -> u32 {
        if self.next == STATE_WORDS {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..STATE_WORDS {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % STATE_WORDS] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + 397) % STATE_WORDS] ^ (y >> 1) ^ odd;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::permutation;

    /// numpy 2.4.6: `p = RandomState(seed).permutation(n); p[:10], sum(v * (i + 1) for i, v in enumerate(p)) % 1000003`.
    #[test]
    fn it_is_numpys() {
        let numpy: [(usize, u32, &[usize], usize); 8] = [
            (1, 0, &[0], 0),
            (2, 7, &[0, 1], 2),
            (10, 234_634_754, &[8, 5, 1, 0, 3, 6, 9, 2, 7, 4], 254),
            (10, 0, &[2, 8, 4, 9, 1, 6, 7, 3, 0, 5], 230),
            (1_000, 234_634_754, &[736, 990, 691, 481, 168, 753, 334, 292, 235, 810], 353_730),
            (7_116, 234_634_754, &[5890, 5548, 6445, 386, 88, 4677, 6073, 2521, 894, 5999], 873_543),
            (7_116, u32::MAX, &[3577, 1955, 396, 4053, 1607, 6614, 2913, 5167, 61, 952], 631_340),
            (70_000, 1, &[6670, 49567, 50796, 22310, 54037, 6869, 13601, 3271, 12647, 13931], 84_651),
        ];
        for (n, seed, first, sum) in numpy {
            let order = permutation(n, seed);
            assert_eq!(&order[..first.len()], first, "n {n}, seed {seed}");
            let weighted: usize = order.iter().enumerate().map(|(i, row)| row * (i + 1)).sum();
            assert_eq!(weighted % 1_000_003, sum, "n {n}, seed {seed}");
        }
    }
}
