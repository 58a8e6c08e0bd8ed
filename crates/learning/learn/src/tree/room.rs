//! Room for ranks of either width, which nodes use one after another.

use super::code::Code;
use super::near::Near;
use super::sort::Sorter;

/// Copies of small branches: of ranks in either width, or of the keys of values.
#[derive(Default)]
pub(super) struct Nears {
    narrow: Near<u16>,
    wide: Near<u32>,
    pub(super) keys: Near<i32>,
}

/// Room to sort ranks of either width.
#[derive(Default)]
pub(super) struct Sorters {
    narrow: Sorter<u16>,
    wide: Sorter<u32>,
}

/// A code, and where there is room for many of its kind.
pub(super) trait InRoom: Code {
    fn near(near: &mut Nears) -> &mut Near<Self>;
    fn sorter(sorters: &mut Sorters) -> &mut Sorter<Self>;
}

impl InRoom for u16 {
    #[inline(always)]
    fn near(near: &mut Nears) -> &mut Near<Self> {
        &mut near.narrow
    }

    #[inline(always)]
    fn sorter(sorters: &mut Sorters) -> &mut Sorter<Self> {
        &mut sorters.narrow
    }
}

impl InRoom for u32 {
    #[inline(always)]
    fn near(near: &mut Nears) -> &mut Near<Self> {
        &mut near.wide
    }

    #[inline(always)]
    fn sorter(sorters: &mut Sorters) -> &mut Sorter<Self> {
        &mut sorters.wide
    }
}
