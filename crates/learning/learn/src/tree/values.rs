//! Feature values as trees read them: in `f32`, or as integer keys in the same order.

/// Values that differ by no more than this count as equal (scikit-learn's `FEATURE_THRESHOLD`).
pub(super) const FEATURE_THRESHOLD: f32 = 1e-7;

/// Features of a tile, which lie side by side and are processed together: four vectors of 16 lanes, four cache lines.
pub(super) const TILE_FEATURES: usize = 64;

/// A value as trees read it. Adding zero turns -0.0 into 0.0, so that bits are in the order of values.
#[inline(always)]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32 + 0.0
}

/// The smallest and the largest of the values.
#[inline(always)]
pub(super) fn range(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// An integer in the order of the values, none of which is -0.0 or NaN: the bits of the value, inverted below the sign for
/// negative ones. Integers compare faster than floats, since none is unordered.
#[inline(always)]
pub(super) fn key(value: f32) -> i32 {
    flip_negative(value.to_bits() as i32)
}

/// The value of a key.
#[inline(always)]
pub(super) fn from_key(key: i32) -> f32 {
    f32::from_bits(flip_negative(key) as u32)
}

#[inline(always)]
fn flip_negative(bits: i32) -> i32 {
    bits ^ (bits >> 31 & i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_with_values_and_give_them_back() {
        let values = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(values.iter().all(|&value| from_key(key(value)) == value));
    }
}
