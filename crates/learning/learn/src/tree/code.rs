//! Ranks and rows in 16 or 32 bits.

/// A rank or a row.
pub(super) trait Code: Copy + Default + Ord + Send + Sync {
    fn of(number: u32) -> Self;
    fn number(self) -> u32;
    /// One more, if so.
    fn plus(self, more: bool) -> Self;
}

impl Code for u16 {
    #[inline(always)]
    fn of(number: u32) -> Self {
        number as Self
    }

    #[inline(always)]
    fn number(self) -> u32 {
        u32::from(self)
    }

    #[inline(always)]
    fn plus(self, more: bool) -> Self {
        self + Self::from(more)
    }
}

impl Code for u32 {
    #[inline(always)]
    fn of(number: u32) -> Self {
        number
    }

    #[inline(always)]
    fn number(self) -> u32 {
        self
    }

    #[inline(always)]
    fn plus(self, more: bool) -> Self {
        self + Self::from(more)
    }
}
