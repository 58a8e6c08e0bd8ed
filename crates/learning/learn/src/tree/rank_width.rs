//! Buffers for 16-bit and 32-bit ranks, chosen by type.

use super::compact::CompactRows;
use super::ordinal::Ordinal;
use super::rank_sort::RankSorter;

/// The compact copy of a small branch: its ranks in either width, or the keys of its values.
#[derive(Default)]
pub(super) struct CopiesByWidth {
    narrow: CompactRows<u16>,
    wide: CompactRows<u32>,
    pub(super) keys: CompactRows<i32>,
}

/// A sorter for each width of ranks.
#[derive(Default)]
pub(super) struct SortersByWidth {
    narrow: RankSorter<u16>,
    wide: RankSorter<u32>,
}

/// The width of a rank, and the buffers for ranks of this width.
pub(super) trait RankWidth: Ordinal {
    fn compact(copies: &mut CopiesByWidth) -> &mut CompactRows<Self>;
    fn sorter(sorters: &mut SortersByWidth) -> &mut RankSorter<Self>;
}

impl RankWidth for u16 {
    #[inline(always)]
    fn compact(copies: &mut CopiesByWidth) -> &mut CompactRows<Self> {
        &mut copies.narrow
    }

    #[inline(always)]
    fn sorter(sorters: &mut SortersByWidth) -> &mut RankSorter<Self> {
        &mut sorters.narrow
    }
}

impl RankWidth for u32 {
    #[inline(always)]
    fn compact(copies: &mut CopiesByWidth) -> &mut CompactRows<Self> {
        &mut copies.wide
    }

    #[inline(always)]
    fn sorter(sorters: &mut SortersByWidth) -> &mut RankSorter<Self> {
        &mut sorters.wide
    }
}
