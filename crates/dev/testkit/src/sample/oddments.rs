//! Every odd song and row that the real services are known for.

use super::analysis::Document;
use super::names::ODD_TITLES;
use super::{Sample, Song};
use crate::catalogue::{Listing, Row};

impl Sample {
    /// Makes songs odd, each in one way, at places that the seed decides.
    pub(super) fn make_odd(&mut self) {
        let mut order: Vec<usize> = (0..self.songs.len()).collect();
        self.random.shuffle(&mut order);
        let mut places = order.into_iter();
        let mut next = || places.next().expect("more songs than oddities");
        for title in ODD_TITLES {
            self.songs[next()].title = (*title).to_owned();
        }
        for form in [Document::Short, Document::Integers, Document::Wrapped] {
            if let Some(sound) = &mut self.songs[next()].analysis {
                sound.form = form;
            }
        }
        self.songs[next()].analysis = None;
        self.songs[next()].features = None;
        let float = &mut self.songs[next()];
        float.float_duration = true;
        float.duration_ms += 0.5;
        let joined = &mut self.songs[next()];
        joined.listing = Listing::JoinedCredit;
        let first = joined.artists[0];
        joined.artists = vec![first, (first + 1) % self.artists.len()];
        // What last.fm lacks is not rare.
        for _ in 0..self.songs.len().div_ceil(100) {
            self.songs[next()].tags.clear();
            self.songs[next()].listing = Listing::Nowhere;
        }
    }

    /// Rows that are no tracks, and rows that come again, to be put among `rows`.
    pub(super) fn odd_rows(&mut self, rows: &[Row]) -> Vec<Row> {
        let mut odd = Vec::new();
        for _ in 0..rows.len().div_ceil(200) {
            odd.push(Row::Removed);
            odd.push(Row::Local(self.stray("", 0)));
            odd.push(Row::NoId(self.stray("", 1)));
            odd.push(Row::Episode(self.stray("episode", 0)));
            odd.push(Row::NoName(self.stray("nameless", 1)));
            odd.push(rows[self.random.below(rows.len())]);
        }
        odd
    }

    /// A song that is only a row: with an id where `kind` is given, and so many artists.
    fn stray(&mut self, kind: &str, artists: usize) -> usize {
        let mut song = Song { title: self.names.title(&mut self.random), ..Song::default() };
        song.artists.extend(0..artists);
        song.duration_ms = 348_000.0;
        if !kind.is_empty() {
            song.id = self.random.id();
        }
        self.songs.push(song);
        self.songs.len() - 1
    }
}
