//! The rows of a node as random thresholds part them: what each counts for with each label, several sums in one word, so that
//! one addition is enough for all of them.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use pulp::Simd;

use super::rows::LANES;
use super::values::{TILE, key};

/// Words that a row may take: with vectors, their sums stay in registers. More are better found by the list of its
/// labels.
const MOST: usize = 4;

/// Rows of more than this weight are not counted in bytes, which would overflow every few rows.
const MOST_IN_BYTES: i32 = 15;

/// How it is written what a row counts for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// As many words for each row, of as many fields each: its weight, then the same again for each label that it has. Sums
    /// of more rows than this may overflow.
    ParamReader { words: usize, per_word: usize, rows: usize },
    /// Of rows that count alike, one after another: how many, the weight of each, how many labels they have, and which.
    Groups,
}

impl Form {
    /// The shortest for rows with so many labels, the heaviest of which weighs so much.
    pub(super) fn of(labels: usize, heaviest: i32) -> Self {
        let fields = |per_word: usize, rows| {
            let words = (1 + labels).div_ceil(per_word);
            (words <= MOST).then_some(Self::ParamReader { words, per_word, rows })
        };
        let bytes = if heaviest <= MOST_IN_BYTES { fields(4, (255 / heaviest) as usize) } else { None };
        bytes.or_else(|| fields(1, usize::MAX)).unwrap_or(Self::Groups)
    }

    /// Writes a row.
    #[inline(always)]
    pub(super) fn write(self, weight: i32, labels: impl Iterator<Item = u32>, into: &mut Vec<u32>) {
        let first = into.len();
        let Self::ParamReader { words, per_word, .. } = self else {
            return Self::write_group(1, weight, labels, into);
        };
        into.resize(first + words, 0);
        into[first] = weight as u32;
        for field in labels.map(|label| 1 + label as usize) {
            into[first + field / per_word] |= (weight as u32) << shift(field, per_word);
        }
    }

    /// Writes so many rows that count alike.
    #[inline(always)]
    pub(super) fn write_group(rows: u32, weight: i32, labels: impl Iterator<Item = u32>, into: &mut Vec<u32>) {
        into.extend([rows, weight as u32, 0]);
        let first = into.len();
        into.extend(labels);
        into[first - 1] = (into.len() - first) as u32;
    }
}

/// Bits below a field in its word.
#[inline(always)]
fn shift(field: usize, per_word: usize) -> u32 {
    (field % per_word * 8) as u32
}

/// The rows of a node.
pub(super) struct Members<'a> {
    /// Where each begins in a tile.
    pub(super) places: &'a [u32],
    pub(super) form: Form,
    /// One row or group after another, as the form says.
    pub(super) counts: &'a [u32],
}

impl Members<'_> {
    /// Adds up the rows at or below each threshold: what they weigh, and with each label.
    #[inline(always)]
    pub(super) fn sum_left<S: Simd, const W: usize>(
        &self,
        simd: S,
        tile: &[i32],
        thresholds: &[f32; W],
        sums: &mut [[i32; TILE]],
    ) {
        let thresholds = thresholds.map(key);
        if self.form == Form::Groups {
            return self.sum_groups(tile, &thresholds, sums);
        }
        let (lanes, _) = thresholds.as_chunks::<LANES>();
        for (number, thresholds) in lanes.iter().enumerate() {
            // As many vectors as hold 16 lanes.
            match S::I32_LANES {
                16 => self.sum_fields::<S, 1>(simd, tile, thresholds, number * LANES, sums),
                8 => self.sum_fields::<S, 2>(simd, tile, thresholds, number * LANES, sums),
                4 => self.sum_fields::<S, 4>(simd, tile, thresholds, number * LANES, sums),
                _ => self.sum_fields::<S, 16>(simd, tile, thresholds, number * LANES, sums),
            }
        }
    }

    #[inline(always)]
    fn sum_groups<const W: usize>(&self, tile: &[i32], thresholds: &[i32; W], sums: &mut [[i32; TILE]]) {
        let (of_all, of_labels) = sums.split_first_mut().expect("what all rows weigh comes first");
        of_labels.iter_mut().for_each(|sums| sums[..W].fill(0));
        let (mut weights, mut places, mut left) = ([0; W], self.places, self.counts);
        while let [rows, weight, count, ref others @ ..] = *left {
            let (of_group, after) = places.split_at(rows as usize);
            let (labels, others) = others.split_at(count as usize);
            (places, left) = (after, others);
            let mut part = [0; W];
            for &place in of_group {
                let keys = at::<W>(tile, place as usize);
                for j in 0..W {
                    part[j] += i32::from(keys[j] <= thresholds[j]);
                }
            }
            for j in 0..W {
                part[j] *= weight as i32;
                weights[j] += part[j];
            }
            for &label in labels {
                let sums = &mut of_labels[label as usize][..W];
                for j in 0..W {
                    sums[j] += part[j];
                }
            }
        }
        debug_assert!(places.is_empty() && left.is_empty(), "each place is in a group");
        of_all[..W].copy_from_slice(&weights);
    }

    /// For the features of 16 lanes from `first` on.
    #[inline(always)]
    fn sum_fields<S: Simd, const V: usize>(
        &self,
        simd: S,
        tile: &[i32],
        thresholds: &[i32; LANES],
        first: usize,
        sums: &mut [[i32; TILE]],
    ) {
        let Form::ParamReader { words, per_word, rows } = self.form else {
            unreachable!("groups have sums of their own")
        };
        let rows = rows.min(self.places.len());
        let stretches = self.places.chunks(rows).zip(self.counts.chunks(rows.saturating_mul(words)));
        for (stretch, (places, counts)) in stretches.enumerate() {
            let keys = places.iter().map(|&place| at::<LANES>(tile, place as usize + first));
            let rows = keys.zip(counts.chunks_exact(words));
            let found = match words {
                1 => add_up::<S, V, 1>(simd, rows, thresholds),
                2 => add_up::<S, V, 2>(simd, rows, thresholds),
                3 => add_up::<S, V, 3>(simd, rows, thresholds),
                _ => add_up::<S, V, MOST>(simd, rows, thresholds),
            };
            for (field, sums) in sums.iter_mut().enumerate() {
                let (found, shift) = (&found[field / per_word], shift(field, per_word));
                let mask = if per_word == 1 { u32::MAX } else { 255 };
                let into = at_mut(sums, first);
                for j in 0..LANES {
                    let sum = (found[j] >> shift & mask) as i32;
                    into[j] = if stretch == 0 { sum } else { into[j] + sum };
                }
            }
        }
    }
}

/// Adds up the K words of the rows whose keys are at most the thresholds.
#[inline(always)]
fn add_up<'a, S: Simd, const V: usize, const K: usize>(
    simd: S,
    rows: impl Iterator<Item = (&'a [i32; LANES], &'a [u32])>,
    thresholds: &[i32; LANES],
) -> [[u32; LANES]; MOST] {
    let thresholds = vectors::<S, V>(thresholds);
    let zero = simd.splat_u32s(0);
    let mut sums = [[zero; V]; K];
    for (keys, words) in rows {
        let (keys, words) = (vectors::<S, V>(keys), words.first_chunk::<K>().expect("as many words"));
        for v in 0..V {
            let is_left = simd.less_than_or_equal_i32s(keys[v], thresholds[v]);
            for k in 0..K {
                let part = simd.select_u32s(is_left, simd.splat_u32s(words[k]), zero);
                sums[k][v] = simd.add_u32s(sums[k][v], part);
            }
        }
    }
    let mut found = [[0; LANES]; MOST];
    for k in 0..K {
        S::as_mut_simd_u32s(&mut found[k]).0.copy_from_slice(&sums[k]);
    }
    found
}

/// 16 lanes in V vectors.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(lanes: &[i32; LANES]) -> [S::i32s; V] {
    *S::as_simd_i32s(lanes).0.first_chunk().expect("V vectors hold 16 lanes")
}

/// W numbers from a place on.
#[inline(always)]
fn at<const W: usize>(tile: &[i32], place: usize) -> &[i32; W] {
    tile[place..].first_chunk().expect("a tile has its width at every place")
}

#[inline(always)]
fn at_mut(sums: &mut [i32; TILE], first: usize) -> &mut [i32; LANES] {
    sums[first..].first_chunk_mut().expect("lanes are within a tile")
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::super::values::of_key;
    use super::*;
    use crate::random::RandomKey;

    /// Sums of rows in one form are those that a plain loop finds. The first lane's threshold is above all keys, the last
    /// one's below.
    fn sums_are_right<S: Simd, const W: usize>(simd: S, rows: usize, labels: usize, heaviest: i32) {
        let draw = |place: usize| RandomKey::root(rows as u64, labels as u64).draw(place as u32).priority;
        let tile: Vec<i32> = (0..rows * W).map(|place| (draw(place) % 200) as i32 - 100).collect();
        let thresholds: [f32; W] = std::array::from_fn(|j| match j {
            0 => of_key(100),
            _ if j == W - 1 => of_key(-200),
            _ => of_key(4 * j as i32 - 100),
        });
        // Most rows have the first label, and most weigh as much as the heaviest.
        let is = |place: usize, part: u32| draw(place).is_multiple_of(part);
        let has =
            |row: usize, label: u32| is(1 << 24 | row << 8 | label as usize, 3) || label == 0 && !is(1 << 21 | row, 50);
        let weight = |row: usize| match is(1 << 22 | row, 9) {
            true => 1 + (draw(1 << 20 | row) % heaviest as u32) as i32,
            false => heaviest,
        };
        let weights: Vec<i32> = (0..rows).map(weight).collect();
        let (form, mut counts) = (Form::of(labels, heaviest), Vec::new());
        for (row, &weight) in weights.iter().enumerate() {
            form.write(weight, (0..labels as u32).filter(|&label| has(row, label)), &mut counts);
        }
        // Every row but one, the last first.
        let order: Vec<usize> = (1..rows).rev().collect();
        let places: Vec<u32> = order.iter().map(|&row| (row * W) as u32).collect();
        let counts: Vec<u32> = order.iter().flat_map(|&row| counts_of(form, &counts, row).to_vec()).collect();
        let mut sums = vec![[-1; TILE]; 1 + labels];
        Members { places: &places, form, counts: &counts }.sum_left(simd, &tile, &thresholds, &mut sums);
        for j in 0..W {
            let left = || order.iter().filter(|&&row| tile[row * W + j] <= key(thresholds[j]));
            assert_eq!(sums[0][j], left().map(|&row| weights[row]).sum::<i32>(), "{form:?}");
            for label in 0..labels {
                let with = left().filter(|&&row| has(row, label as u32)).map(|&row| weights[row]);
                assert_eq!(sums[1 + label][j], with.sum::<i32>(), "{form:?}, label {label}");
            }
        }
    }

    /// What is written of a row.
    fn counts_of(form: Form, counts: &[u32], row: usize) -> &[u32] {
        if let Form::ParamReader { words, .. } = form {
            return &counts[row * words..][..words];
        }
        let next = |counts: &[u32]| 3 + counts[2] as usize;
        let first = (0..row).fold(0, |first, _| first + next(&counts[first..]));
        &counts[first..first + next(&counts[first..])]
    }

    fn all_forms<S: Simd>(simd: S) {
        // Bytes in one to four words, which overflow where all rows are on the left; whole words; row by row, for many
        // labels and for heavy rows.
        for (rows, labels, heaviest) in
            [(300, 0, 1), (600, 3, 1), (520, 4, 1), (40, 9, 15), (300, 15, 2), (50, 3, 1_000), (50, 16, 1), (50, 4, 16)]
        {
            sums_are_right::<S, 16>(simd, rows, labels, heaviest);
            sums_are_right::<S, 48>(simd, rows, labels, heaviest);
            sums_are_right::<S, TILE>(simd, rows, labels, heaviest);
        }
    }

    #[test]
    fn sums_of_every_form_are_right_with_any_vectors() {
        all_forms(Scalar::new());
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V3::try_new() {
                all_forms(simd);
            }
            if let Some(simd) = pulp::x86::V4::try_new() {
                all_forms(simd);
            }
        }
    }

    #[test]
    fn forms_are_as_short_as_they_can_be() {
        let fields = |words, per_word, rows| Form::ParamReader { words, per_word, rows };
        assert_eq!(Form::of(3, 1), fields(1, 4, 255));
        assert_eq!(Form::of(15, 15), fields(4, 4, 17));
        assert_eq!(Form::of(16, 1), Form::Groups);
        assert_eq!(Form::of(3, 16), fields(4, 1, usize::MAX));
        assert_eq!(Form::of(4, 16), Form::Groups);
    }
}
