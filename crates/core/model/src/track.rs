//! Tracks, artists and the pages of a playlist.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A track as a playlist lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Spotify id, 22 base-62 characters.
    pub id: String,
    /// Title, never empty.
    pub name: String,
    /// Credited artists, in the order of the credit.
    pub artists: Vec<ArtistRef>,
    /// Album title.
    pub album: Option<String>,
    /// Length in milliseconds (a float in some real answers).
    pub duration_ms: Option<f64>,
    /// International Standard Recording Code.
    pub isrc: Option<String>,
}

/// An artist as a track credits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtistRef {
    /// Spotify id; local artists have none.
    pub id: Option<String>,
    /// Name as credited.
    pub name: String,
}

/// An artist with the genres that Spotify lists for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artist {
    /// Spotify id.
    pub id: String,
    /// Name; empty where Spotify does not know the artist any more.
    pub name: String,
    /// Genres; empty where Spotify lists none or does not know the artist any more.
    pub genres: Vec<String>,
}

/// Why a row of a playlist did not become a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// `item`/`track` is null: removed from the catalogue.
    Removed,
    /// A local file of the playlist's owner, unknown to Spotify.
    Local,
    /// A podcast episode.
    Episode,
    /// A track without an id.
    NoId,
    /// A track whose id is not a valid Spotify id.
    #[serde(rename = "odd_id")]
    InvalidId,
    /// A track without a title, which no tag page can be found for.
    NoName,
    /// A track without a named artist, which no tag page can be found for.
    NoArtist,
    /// A row of unknown form.
    Unreadable,
    /// A track that occurred earlier in the run.
    Duplicate,
}

impl SkipReason {
    /// The name used in reports and in `summary.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Local => "local",
            Self::Episode => "episode",
            Self::NoId => "no_id",
            Self::InvalidId => "odd_id",
            Self::NoName => "no_name",
            Self::NoArtist => "no_artist",
            Self::Unreadable => "unreadable",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The content of one page of a playlist. `rows == track_ids.len() + skipped.values().sum()`.
///
/// Natural key: (`run`, `playlist`, `offset`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaylistPage {
    /// The run that requested it.
    pub run: String,
    /// Playlist id.
    pub playlist: String,
    /// Index of the page's first row in the playlist.
    pub offset: u32,
    /// Rows of the whole playlist, if the page says so.
    pub total: Option<u32>,
    /// Whether the page names a next one, or states neither that nor a total: then only an empty page is the last one.
    pub has_next: bool,
    /// Rows on this page.
    pub rows: u32,
    /// Ids of the page's tracks, in order; an id may occur twice.
    pub track_ids: Vec<String>,
    /// Rows that are not tracks, by reason (except [`SkipReason::Duplicate`], which only a whole run can count).
    pub skipped: BTreeMap<SkipReason, u32>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

/// Spotify's limit on the rows of a page, and the size of the blocks that a playlist is read in.
pub const PAGE_ROWS: u32 = 50;

/// Limit on the rows that are read of a playlist, far above Spotify's own limit of 11,000.
pub const MAX_PLAYLIST_ROWS: u32 = 100_000;

impl PlaylistPage {
    /// The number of rows to request at an offset: up to the end of its block, so that no row is on two pages, even if pages
    /// are shorter than requested.
    pub fn rows_to_request(offset: u32) -> u32 {
        PAGE_ROWS - offset % PAGE_ROWS
    }

    /// Offsets of the pages to request after this one, given the first page of its playlist, if that is known.
    ///
    /// The first page leads to the beginnings of all other blocks, if it states the total. Any page leads to the rest of its
    /// block, if it was shorter than requested, and to rows beyond the total, if it names a next page. An empty page leads to
    /// none, and neither does a repetition of the first page: that server ignores offsets.
    pub fn next_offsets(&self, first: Option<&Self>) -> Vec<u32> {
        let stated_total = first.and_then(|first| first.total).map(|total| total.min(MAX_PLAYLIST_ROWS));
        let next = self.offset.saturating_add(self.rows);
        let mut offsets: Vec<u32> = match (self.offset, stated_total) {
            (0, Some(total)) => (PAGE_ROWS..total).step_by(PAGE_ROWS as usize).collect(),
            _ => Vec::new(),
        };
        let is_full = self.rows >= Self::rows_to_request(self.offset);
        let is_first_again = first.is_some_and(|first| {
            self.offset > first.offset && !self.track_ids.is_empty() && self.track_ids == first.track_ids
        });
        let continues = match stated_total {
            // The first page led to the next block.
            Some(total) if next < total => !is_full,
            Some(_) => self.has_next && !is_first_again,
            None => (is_full || self.has_next) && !is_first_again,
        };
        if continues && self.rows > 0 && next < MAX_PLAYLIST_ROWS {
            offsets.insert(0, next);
        }
        offsets
    }
}

/// Offsets of all pages that a playlist is known to have, judged by those of its pages that a run has read.
pub fn expected_offsets(pages: &[&PlaylistPage]) -> BTreeSet<u32> {
    let first = pages.iter().find(|page| page.offset == 0).copied();
    let brought = pages.iter().flat_map(|page| page.next_offsets(first));
    brought.chain([0]).chain(pages.iter().map(|page| page.offset)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// A simulated server of a playlist with so many rows.
    #[derive(Debug, Clone)]
    struct Server {
        rows: u32,
        /// The largest page that it returns.
        max_page_rows: u32,
        /// The total that it states.
        total: Option<u32>,
        states_next: bool,
    }

    impl Server {
        fn page(&self, offset: u32) -> PlaylistPage {
            let asked = PlaylistPage::rows_to_request(offset).min(self.max_page_rows);
            let rows = offset..self.rows.min(offset + asked).max(offset);
            let has_next =
                if self.states_next { rows.end < self.rows } else { self.total.is_none() && !rows.is_empty() };
            PlaylistPage {
                run: "r".into(),
                playlist: "p".into(),
                offset,
                total: self.total,
                has_next,
                rows: rows.len() as u32,
                track_ids: rows.map(|row| row.to_string()).collect(),
                skipped: BTreeMap::new(),
                fetched_at: Timestamp(0),
            }
        }

        /// The rows that came, in the order of their pages, and how many pages there were.
        fn collect(&self) -> (Vec<u32>, usize) {
            let first = self.page(0);
            let (mut pages, mut waiting) = (BTreeMap::new(), VecDeque::from([0]));
            while let Some(offset) = waiting.pop_front() {
                assert!(!pages.contains_key(&offset), "asked for page {offset} twice");
                let page = self.page(offset);
                waiting.extend(page.next_offsets(Some(&first)));
                pages.insert(offset, page);
                let so_far = expected_offsets(&pages.values().collect::<Vec<_>>());
                assert_eq!(so_far, pages.keys().chain(&waiting).copied().collect());
            }
            let rows = pages.values().flat_map(|page| &page.track_ids).map(|row| row.parse().unwrap());
            (rows.collect(), pages.len())
        }
    }

    proptest! {
        #[test]
        fn every_row_comes_once_however_few_a_page_has(
            rows in 0u32..400,
            max_page_rows in 1u32..120,
            total in prop_oneof![Just(None), (-60i64..60).prop_map(Some), Just(Some(0))],
            states_next in any::<bool>(),
        ) {
            // `next` makes up for a wrong total; without it, a superfluous page does.
            let total = total.map(|wrong_by| (i64::from(rows) + if states_next { wrong_by } else { wrong_by.max(0) }).max(0) as u32);
            let server = Server { rows, max_page_rows, total, states_next };
            let (came, pages) = server.collect();
            prop_assert_eq!(came, (0..rows).collect::<Vec<_>>());
            prop_assert!(pages as u32 <= 3 + (rows + 60).div_ceil(PAGE_ROWS) * (1 + PAGE_ROWS.div_ceil(max_page_rows.min(PAGE_ROWS))));
        }
    }

    #[test]
    fn a_full_first_page_brings_all_blocks_at_once() {
        let server = Server { rows: 151, max_page_rows: 50, total: Some(151), states_next: true };
        assert_eq!(server.page(0).next_offsets(Some(&server.page(0))), [50, 100, 150]);
        assert_eq!(server.collect().1, 4);
        let truncate_reason = Server { max_page_rows: 20, rows: 60, total: Some(60), ..server };
        assert_eq!(truncate_reason.page(0).next_offsets(Some(&truncate_reason.page(0))), [20, 50]);
        assert_eq!(truncate_reason.page(20).next_offsets(Some(&truncate_reason.page(0))), [40]);
        assert_eq!(truncate_reason.collect().1, 4);
    }

    #[test]
    fn no_server_is_asked_for_ever() {
        let empty = Server { rows: 0, max_page_rows: 50, total: Some(151), states_next: false };
        assert_eq!(empty.collect(), (vec![], 4));
        let boundless = Server { rows: u32::MAX, max_page_rows: 50, total: Some(u32::MAX), states_next: true };
        assert_eq!(boundless.page(0).next_offsets(Some(&boundless.page(0))).len(), 1_999);
        assert_eq!(boundless.page(MAX_PLAYLIST_ROWS - 50).next_offsets(Some(&boundless.page(0))), [0; 0]);
        let first = PlaylistPage { total: None, has_next: true, ..boundless.page(0) };
        assert_eq!(first.next_offsets(Some(&first)), [50]);
        let again = PlaylistPage { offset: 50, ..first.clone() };
        assert_eq!(again.next_offsets(Some(&first)), [0; 0], "it does not heed the offset");
    }
}
