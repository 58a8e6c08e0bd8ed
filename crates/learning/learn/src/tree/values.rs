//! Values as trees read them, in f32, and whole numbers in their order.

/// Values that differ by no more than this are one value (scikit-learn's `FEATURE_THRESHOLD`).
pub(super) const SAME: f32 = 1e-7;

/// Features that lie side by side in a tile, and are worked on together.
pub(super) const TILE: usize = 64;

/// A value as trees read it. Adding zero makes 0.0 of -0.0, so that the order of bits is that of values.
#[inline(always)]
pub(super) fn read(value: f64) -> f32 {
    value as f32 + 0.0
}

/// Smallest and largest of some values.
#[inline(always)]
pub(super) fn range(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// A whole number that ascends with the value, which is neither -0.0 nor NaN: its bits, of negative ones turned around.
/// Comparing whole numbers takes fewer steps, since none of them is unordered.
#[inline(always)]
pub(super) fn key(value: f32) -> i32 {
    turned(value.to_bits() as i32)
}

/// The value of a key.
#[inline(always)]
pub(super) fn of_key(key: i32) -> f32 {
    f32::from_bits(turned(key) as u32)
}

#[inline(always)]
fn turned(bits: i32) -> i32 {
    bits ^ (bits >> 31 & i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_with_values_and_give_them_back() {
        let values = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(values.iter().all(|&value| of_key(key(value)) == value));
    }
}
