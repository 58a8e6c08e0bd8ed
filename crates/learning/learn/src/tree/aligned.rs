//! A vector whose first element starts a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line on the machines in use (x86-64; some ARM cores have 128, for which it is only slower).
pub(super) const CACHE_LINE_BYTES: usize = 64;

/// A vector whose first element starts a cache line. A tile's row of 64 numbers then lies in four lines instead of five.
pub(super) struct AlignedVec<T> {
    padded: Vec<T>,
    first: usize,
    len: usize,
}

impl<T: Copy + Default> AlignedVec<T> {
    pub(super) fn new(len: usize) -> Self {
        let slack = CACHE_LINE_BYTES / size_of::<T>();
        let padded = vec![T::default(); len + slack];
        let first = padded.as_ptr().align_offset(CACHE_LINE_BYTES).min(slack);
        Self { padded, first, len }
    }
}

impl<T> Deref for AlignedVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.padded[self.first..][..self.len]
    }
}

impl<T> DerefMut for AlignedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.padded[self.first..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_a_cache_line<T: Copy + Default + PartialEq + std::fmt::Debug>(element: T) {
        for len in [0, 1, 31, 1_000] {
            let mut aligned = AlignedVec::new(len);
            assert_eq!((aligned.len(), aligned.as_ptr() as usize % CACHE_LINE_BYTES), (len, 0));
            aligned.fill(element);
            assert_eq!(*aligned, *vec![element; len]);
        }
    }

    #[test]
    fn elements_of_any_width_start_a_cache_line() {
        starts_a_cache_line(1_u16);
        starts_a_cache_line(1_i32);
        starts_a_cache_line(1_u32);
    }
}
