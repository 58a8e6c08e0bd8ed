//! Small non-negative numbers (ranks, places of rows) in 16 bits where they fit, which halves what loops read.

/// A rank, or the place of a row in a node, in 16 or 32 bits.
pub(super) trait Ordinal: Copy + Default + Ord + Send + Sync {
    fn from_u32(number: u32) -> Self;
    fn to_u32(self) -> u32;
    /// The next number if `increment`, else the same.
    fn plus(self, increment: bool) -> Self;
}

impl Ordinal for u16 {
    #[inline(always)]
    fn from_u32(number: u32) -> Self {
        number as Self
    }

    #[inline(always)]
    fn to_u32(self) -> u32 {
        u32::from(self)
    }

    #[inline(always)]
    fn plus(self, increment: bool) -> Self {
        self + Self::from(increment)
    }
}

impl Ordinal for u32 {
    #[inline(always)]
    fn from_u32(number: u32) -> Self {
        number
    }

    #[inline(always)]
    fn to_u32(self) -> u32 {
        self
    }

    #[inline(always)]
    fn plus(self, increment: bool) -> Self {
        self + Self::from(increment)
    }
}
