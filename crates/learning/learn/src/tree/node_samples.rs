//! Sums of a node's rows on the left of random thresholds, for all features of a tile at once.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use pulp::Simd;

use super::count_encoding::{CountEncoding, MAX_ROW_WORDS, field_shift};
use super::lanes::VECTOR_LANES;
use super::values::{TILE_FEATURES, key};

/// The rows of a node as their left sums are computed.
pub(super) struct NodeSamples<'a> {
    /// Where each row starts in a tile.
    pub(super) places: &'a [u32],
    pub(super) encoding: CountEncoding,
    /// The encoded rows, one after another.
    pub(super) counts: &'a [u32],
}

impl NodeSamples<'_> {
    /// Sums the rows at or below each threshold: `sums[0]` gets their weight, `sums[1 + q]` that of those with label q.
    #[inline(always)]
    pub(super) fn sum_left<S: Simd, const WIDTH: usize>(
        &self,
        simd: S,
        tile: &[i32],
        thresholds: &[f32; WIDTH],
        sums: &mut [[i32; TILE_FEATURES]],
    ) {
        let thresholds = thresholds.map(key);
        if self.encoding == CountEncoding::Groups {
            return self.sum_groups(tile, &thresholds, sums);
        }
        let (chunks, _) = thresholds.as_chunks::<VECTOR_LANES>();
        for (vector, thresholds) in chunks.iter().enumerate() {
            // As many registers as hold 16 lanes.
            match S::I32_LANES {
                16 => self.sum_fields::<S, 1>(simd, tile, thresholds, vector * VECTOR_LANES, sums),
                8 => self.sum_fields::<S, 2>(simd, tile, thresholds, vector * VECTOR_LANES, sums),
                4 => self.sum_fields::<S, 4>(simd, tile, thresholds, vector * VECTOR_LANES, sums),
                _ => self.sum_fields::<S, 16>(simd, tile, thresholds, vector * VECTOR_LANES, sums),
            }
        }
    }

    #[inline(always)]
    fn sum_groups<const WIDTH: usize>(
        &self,
        tile: &[i32],
        thresholds: &[i32; WIDTH],
        sums: &mut [[i32; TILE_FEATURES]],
    ) {
        let (left_weights, label_sums) = sums.split_first_mut().expect("the weight of all rows comes first");
        label_sums.iter_mut().for_each(|sums| sums[..WIDTH].fill(0));
        let (mut weights, mut places, mut counts) = ([0; WIDTH], self.places, self.counts);
        while let [rows, weight, label_count, ref rest @ ..] = *counts {
            let (group, other_places) = places.split_at(rows as usize);
            let (labels, other_counts) = rest.split_at(label_count as usize);
            (places, counts) = (other_places, other_counts);
            let mut group_weights = [0; WIDTH];
            for &place in group {
                let keys = keys_at::<WIDTH>(tile, place as usize);
                for j in 0..WIDTH {
                    group_weights[j] += i32::from(keys[j] <= thresholds[j]);
                }
            }
            for j in 0..WIDTH {
                group_weights[j] *= weight as i32;
                weights[j] += group_weights[j];
            }
            for &label in labels {
                let sums = &mut label_sums[label as usize][..WIDTH];
                for j in 0..WIDTH {
                    sums[j] += group_weights[j];
                }
            }
        }
        debug_assert!(places.is_empty() && counts.is_empty(), "each place is in a group");
        left_weights[..WIDTH].copy_from_slice(&weights);
    }

    /// Sums for the 16 features from `first` on.
    #[inline(always)]
    fn sum_fields<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        tile: &[i32],
        thresholds: &[i32; VECTOR_LANES],
        first: usize,
        sums: &mut [[i32; TILE_FEATURES]],
    ) {
        let CountEncoding::Fields { words, per_word, rows } = self.encoding else {
            unreachable!("groups have sums of their own")
        };
        let rows = rows.min(self.places.len());
        let batches = self.places.chunks(rows).zip(self.counts.chunks(rows.saturating_mul(words)));
        for (batch, (places, counts)) in batches.enumerate() {
            let keys = places.iter().map(|&place| keys_at::<VECTOR_LANES>(tile, place as usize + first));
            let rows = keys.zip(counts.chunks_exact(words));
            let packed = match words {
                1 => sum_words::<S, VECTORS, 1>(simd, rows, thresholds),
                2 => sum_words::<S, VECTORS, 2>(simd, rows, thresholds),
                3 => sum_words::<S, VECTORS, 3>(simd, rows, thresholds),
                _ => sum_words::<S, VECTORS, MAX_ROW_WORDS>(simd, rows, thresholds),
            };
            for (field, sums) in sums.iter_mut().enumerate() {
                let (packed, shift) = (&packed[field / per_word], field_shift(field, per_word));
                let mask = if per_word == 1 { u32::MAX } else { 255 };
                let sums = sums_at(sums, first);
                for j in 0..VECTOR_LANES {
                    let sum = (packed[j] >> shift & mask) as i32;
                    sums[j] = if batch == 0 { sum } else { sums[j] + sum };
                }
            }
        }
    }
}

/// Sums the words of the rows whose keys are at most the thresholds, for each of 16 features.
#[inline(always)]
fn sum_words<'a, S: Simd, const VECTORS: usize, const WORDS: usize>(
    simd: S,
    rows: impl Iterator<Item = (&'a [i32; VECTOR_LANES], &'a [u32])>,
    thresholds: &[i32; VECTOR_LANES],
) -> [[u32; VECTOR_LANES]; MAX_ROW_WORDS] {
    let thresholds = vectors::<S, VECTORS>(thresholds);
    let zero = simd.splat_u32s(0);
    let mut sums = [[zero; VECTORS]; WORDS];
    for (keys, words) in rows {
        let (keys, words) = (vectors::<S, VECTORS>(keys), words.first_chunk::<WORDS>().expect("a row has its words"));
        for v in 0..VECTORS {
            let is_left = simd.less_than_or_equal_i32s(keys[v], thresholds[v]);
            for k in 0..WORDS {
                let addend = simd.select_u32s(is_left, simd.splat_u32s(words[k]), zero);
                sums[k][v] = simd.add_u32s(sums[k][v], addend);
            }
        }
    }
    let mut packed = [[0; VECTOR_LANES]; MAX_ROW_WORDS];
    for k in 0..WORDS {
        S::as_mut_simd_u32s(&mut packed[k]).0.copy_from_slice(&sums[k]);
    }
    packed
}

/// 16 lanes in as many vectors as hold them.
#[inline(always)]
fn vectors<S: Simd, const VECTORS: usize>(lanes: &[i32; VECTOR_LANES]) -> [S::i32s; VECTORS] {
    *S::as_simd_i32s(lanes).0.first_chunk().expect("the vectors hold 16 lanes")
}

/// The keys of `WIDTH` features from a place on.
#[inline(always)]
fn keys_at<const WIDTH: usize>(tile: &[i32], place: usize) -> &[i32; WIDTH] {
    tile[place..].first_chunk().expect("a tile has its width at every place")
}

/// The sums of 16 features from the feature `first` on.
#[inline(always)]
fn sums_at(sums: &mut [i32; TILE_FEATURES], first: usize) -> &mut [i32; VECTOR_LANES] {
    sums[first..].first_chunk_mut().expect("lanes are within a tile")
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::super::values::from_key;
    use super::*;
    use crate::random::RandomKey;

    /// Compares the sums with those of a plain loop. The first threshold is above all keys, the last one below.
    fn sums_are_right<S: Simd, const WIDTH: usize>(simd: S, rows: usize, labels: usize, max_weight: i32) {
        let draw = |place: usize| RandomKey::root(rows as u64, labels as u64).draw(place as u32).priority;
        let tile: Vec<i32> = (0..rows * WIDTH).map(|place| (draw(place) % 200) as i32 - 100).collect();
        let thresholds: [f32; WIDTH] = std::array::from_fn(|j| match j {
            0 => from_key(100),
            _ if j == WIDTH - 1 => from_key(-200),
            _ => from_key(4 * j as i32 - 100),
        });
        // Most rows have the first label, and most have the largest weight.
        let one_in = |place: usize, part: u32| draw(place).is_multiple_of(part);
        let has = |row: usize, label: u32| {
            one_in(1 << 24 | row << 8 | label as usize, 3) || label == 0 && !one_in(1 << 21 | row, 50)
        };
        let weight = |row: usize| match one_in(1 << 22 | row, 9) {
            true => 1 + (draw(1 << 20 | row) % max_weight as u32) as i32,
            false => max_weight,
        };
        let weights: Vec<i32> = (0..rows).map(weight).collect();
        let (encoding, mut counts) = (CountEncoding::shortest(labels, max_weight), Vec::new());
        for (row, &weight) in weights.iter().enumerate() {
            encoding.encode(weight, (0..labels as u32).filter(|&label| has(row, label)), &mut counts);
        }
        // Every row but one, the last first.
        let order: Vec<usize> = (1..rows).rev().collect();
        let places: Vec<u32> = order.iter().map(|&row| (row * WIDTH) as u32).collect();
        let counts: Vec<u32> = order.iter().flat_map(|&row| counts_of(encoding, &counts, row).to_vec()).collect();
        let mut sums = vec![[-1; TILE_FEATURES]; 1 + labels];
        NodeSamples { places: &places, encoding, counts: &counts }.sum_left(simd, &tile, &thresholds, &mut sums);
        for j in 0..WIDTH {
            let left = || order.iter().filter(|&&row| tile[row * WIDTH + j] <= key(thresholds[j]));
            assert_eq!(sums[0][j], left().map(|&row| weights[row]).sum::<i32>(), "{encoding:?}");
            for label in 0..labels {
                let with = left().filter(|&&row| has(row, label as u32)).map(|&row| weights[row]);
                assert_eq!(sums[1 + label][j], with.sum::<i32>(), "{encoding:?}, label {label}");
            }
        }
    }

    /// The encoded counts of a row.
    fn counts_of(encoding: CountEncoding, counts: &[u32], row: usize) -> &[u32] {
        if let CountEncoding::Fields { words, .. } = encoding {
            return &counts[row * words..][..words];
        }
        let next = |counts: &[u32]| 3 + counts[2] as usize;
        let first = (0..row).fold(0, |first, _| first + next(&counts[first..]));
        &counts[first..first + next(&counts[first..])]
    }

    fn every_encoding<S: Simd>(simd: S) {
        // Bytes in one to four words, with more rows than a byte can count; whole words; groups, for many labels and for
        // heavy rows.
        for (rows, labels, max_weight) in
            [(300, 0, 1), (600, 3, 1), (520, 4, 1), (40, 9, 15), (300, 15, 2), (50, 3, 1_000), (50, 16, 1), (50, 4, 16)]
        {
            sums_are_right::<S, 16>(simd, rows, labels, max_weight);
            sums_are_right::<S, 48>(simd, rows, labels, max_weight);
            sums_are_right::<S, TILE_FEATURES>(simd, rows, labels, max_weight);
        }
    }

    #[test]
    fn sums_of_every_encoding_are_right_with_any_vectors() {
        every_encoding(Scalar::new());
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V3::try_new() {
                every_encoding(simd);
            }
            if let Some(simd) = pulp::x86::V4::try_new() {
                every_encoding(simd);
            }
        }
    }
}
