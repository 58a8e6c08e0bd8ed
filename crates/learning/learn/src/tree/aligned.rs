//! Numbers that begin at a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// Some numbers, the first of which is the first of a cache line: a row of a tile, 64 numbers, then lies in four lines where it
/// would touch five.
pub(super) struct Aligned<T> {
    all: Vec<T>,
    first: usize,
    count: usize,
}

impl<T: Copy + Default> Aligned<T> {
    pub(super) fn new(count: usize) -> Self {
        let slack = LINE / size_of::<T>();
        let all = vec![T::default(); count + slack];
        let first = all.as_ptr().align_offset(LINE).min(slack);
        Self { all, first, count }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all[self.first..][..self.count]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all[self.first..][..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin_a_line<T: Copy + Default + PartialEq + std::fmt::Debug>(one: T) {
        for count in [0, 1, 31, 1_000] {
            let mut of = Aligned::new(count);
            assert_eq!((of.len(), of.as_ptr() as usize % LINE), (count, 0));
            of.fill(one);
            assert_eq!(*of, *vec![one; count]);
        }
    }

    #[test]
    fn numbers_of_any_width_begin_a_cache_line() {
        begin_a_line(1_u16);
        begin_a_line(1_i32);
        begin_a_line(1_u32);
    }
}
