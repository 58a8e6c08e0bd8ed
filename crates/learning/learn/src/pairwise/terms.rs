//! The terms of the sums over columns.

use pulp::Simd;
use pulp::bytemuck::cast_slice_mut;

/// A function of two values, computed for a vector of them at a time.
pub(crate) trait Term: Copy {
    /// The values of the function. Implementations are `#[inline(always)]`, so that they become part of a loop that is
    /// compiled for the vectors of one machine.
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s;
}

/// a × b.
#[derive(Clone, Copy)]
pub(crate) struct Product;

/// |a − b|.
#[derive(Clone, Copy)]
pub(crate) struct Absolute;

/// (a − b)².
#[derive(Clone, Copy)]
pub(crate) struct Square;

/// |a − b|³.
#[derive(Clone, Copy)]
pub(crate) struct Cube;

/// (a − b)⁴.
#[derive(Clone, Copy)]
pub(crate) struct Fourth;

/// |a − b|^p.
#[derive(Clone, Copy)]
pub(crate) struct Power(pub(crate) f64);

impl Term for Product {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.mul_f64s(a, b)
    }
}

impl Term for Absolute {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.abs_f64s(simd.sub_f64s(a, b))
    }
}

impl Term for Square {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        let off = simd.sub_f64s(a, b);
        simd.mul_f64s(off, off)
    }
}

impl Term for Cube {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        let off = simd.sub_f64s(a, b);
        simd.abs_f64s(simd.mul_f64s(simd.mul_f64s(off, off), off))
    }
}

impl Term for Fourth {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        let square = Square.of(simd, a, b);
        simd.mul_f64s(square, square)
    }
}

impl Term for Power {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        let mut off = Absolute.of(simd, a, b);
        let values: &mut [f64] = cast_slice_mut(std::slice::from_mut(&mut off));
        values.iter_mut().for_each(|off| *off = libm::pow(*off, self.0));
        off
    }
}
