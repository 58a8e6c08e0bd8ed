//! What the stand-ins serve: playlists, songs, artists and the pages of last.fm.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::audio::AudioFeatures;
use model::tag::{Tag, TagsOutcome};
use model::track::{ArtistRef, SkipReason, Track};

use crate::sample::analysis::Sound;

/// Playlists with all that Spotify and last.fm know of their tracks.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub(crate) playlists: Vec<Playlist>,
    pub(crate) songs: Vec<Song>,
    pub(crate) artists: Vec<Artist>,
    /// Whether there is any audio analysis; a table has none, and the capability then answers 403.
    pub(crate) has_analysis: bool,
    song_by_id: HashMap<String, usize>,
    artist_by_id: HashMap<String, usize>,
    /// (artist as in the address, title) → song.
    pages: HashMap<(String, String), usize>,
    expected: Expected,
}

#[derive(Debug, Clone)]
pub(crate) struct Playlist {
    pub id: String,
    pub name: String,
    pub rows: Vec<Row>,
    /// Whether its pages say `total`, `next`, `offset` …; some real pages hold `items` alone.
    pub counted: bool,
}

/// A row of a playlist; the number is a song's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row {
    Track(usize, Form),
    Removed,
    Local(usize),
    Episode(usize),
    NoId(usize),
    NoName(usize),
}

/// Where a row keeps its track.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// In `item`, as since 2026.
    Item,
    /// In `track`, as before.
    Track,
    /// In both, as some pages of the transition.
    Both,
}

/// A song, or what a local file or an episode says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Song {
    /// Empty for what Spotify does not know.
    pub id: String,
    pub title: String,
    /// Indices of its artists, in the order of the credit.
    pub artists: Vec<usize>,
    pub album: String,
    pub release_date: String,
    pub duration_ms: f64,
    /// Answered as `182000.5` rather than `182000`.
    pub float_duration: bool,
    pub popularity: u32,
    /// In the order of [`model::audio::SCALARS`].
    pub features: Option<[Option<f64>; 13]>,
    pub analysis: Option<Sound>,
    pub tags: Vec<(String, u32)>,
    pub listing: Listing,
}

/// Under which artist last.fm has a page for a song.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Listing {
    #[default]
    FirstArtist,
    /// Only under all its artists, joined as in the credit.
    JoinedCredit,
    Nowhere,
}

#[derive(Debug, Clone)]
pub(crate) struct Artist {
    pub id: String,
    pub name: String,
    pub genres: Vec<String>,
}

/// What a perfect collector finds in all playlists together.
///
/// `rows == tracks + skipped.values().sum()`, `tracks == tagged + no_tags + unknown_tracks`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rows of all playlists.
    pub rows: usize,
    /// Pages of all playlists, of fifty rows at most.
    pub pages: usize,
    /// Different tracks.
    pub tracks: usize,
    /// Rows that are no tracks, or tracks again, by reason.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// Different artists of the tracks.
    pub artists: usize,
    /// Tracks with at least one tag.
    pub tagged: usize,
    /// Tracks that last.fm knows and nobody tagged.
    pub no_tags: usize,
    /// Tracks that last.fm does not know.
    pub unknown_tracks: usize,
    /// Tracks that last.fm has only under all their artists together; part of `tagged`.
    pub joined_credits: usize,
    /// Tracks without audio features.
    pub without_features: usize,
    /// Tracks without audio analysis: 404, or 403 for all tracks where the catalogue has none at all.
    pub without_analysis: usize,
    /// Tracks whose analysis has fewer than a hundred bins.
    pub short_analyses: usize,
    /// Tracks that all 1,224 pitch columns can be made of.
    pub with_pitches: usize,
}

impl Catalogue {
    pub(crate) fn new(playlists: Vec<Playlist>, songs: Vec<Song>, artists: Vec<Artist>, has_analysis: bool) -> Self {
        let known = songs.iter().enumerate().filter(|(_, song)| !song.id.is_empty());
        let song_by_id = known.map(|(index, song)| (song.id.clone(), index)).collect();
        let artist_by_id = artists.iter().enumerate().map(|(index, artist)| (artist.id.clone(), index)).collect();
        let mut catalogue = Self {
            playlists,
            songs,
            artists,
            has_analysis,
            song_by_id,
            artist_by_id,
            pages: HashMap::new(),
            expected: Expected::default(),
        };
        catalogue.pages = catalogue.list_pages();
        catalogue.expected = catalogue.count();
        catalogue
    }

    /// What a perfect collector finds.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// What last.fm says of every track of the playlists, by id.
    pub fn tags(&self) -> BTreeMap<String, TagsOutcome> {
        let outcome = |song: &Song| match self.page_of(song) {
            None => TagsOutcome::UnknownTrack,
            Some(page) if page.tags.is_empty() => TagsOutcome::NoTags,
            Some(page) => {
                TagsOutcome::Tags(page.tags.iter().map(|(name, _)| Tag { name: name.clone(), count: None }).collect())
            }
        };
        self.tracks_of_playlists().into_iter().map(|(id, song)| (id.to_owned(), outcome(song))).collect()
    }

    /// Every track of the playlists, by id.
    pub fn tracks(&self) -> Vec<Track> {
        let track = |(id, song): (&str, &Song)| Track {
            id: id.to_owned(),
            name: song.title.clone(),
            artists: self
                .artists_of(song)
                .map(|artist| ArtistRef { id: Some(artist.id.clone()), name: artist.name.clone() })
                .collect(),
            album: Some(song.album.clone()),
            duration_ms: Some(song.duration_ms),
            isrc: None,
        };
        self.tracks_of_playlists().into_iter().map(track).collect()
    }

    /// The audio features of every track of the playlists, by id.
    pub fn features(&self) -> Vec<AudioFeatures> {
        let features = |(id, song): (&str, &Song)| AudioFeatures { track_id: id.to_owned(), values: song.features };
        self.tracks_of_playlists().into_iter().map(features).collect()
    }

    fn tracks_of_playlists(&self) -> BTreeMap<&str, &Song> {
        let songs = self.playlists.iter().flat_map(|playlist| &playlist.rows).filter_map(|row| match row {
            Row::Track(song, _) => Some(&self.songs[*song]),
            _ => None,
        });
        songs.map(|song| (song.id.as_str(), song)).collect()
    }

    /// The audio-analysis document of a track, as it is served; `None` where there is none.
    pub fn analysis(&self, track_id: &str) -> Option<String> {
        self.song(track_id)?.analysis.as_ref().map(Sound::document)
    }

    pub(crate) fn song(&self, id: &str) -> Option<&Song> {
        self.song_by_id.get(id).map(|index| &self.songs[*index])
    }

    pub(crate) fn artist(&self, id: &str) -> Option<&Artist> {
        self.artist_by_id.get(id).map(|index| &self.artists[*index])
    }

    pub(crate) fn artists_of(&self, song: &Song) -> impl Iterator<Item = &Artist> {
        song.artists.iter().map(|index| &self.artists[*index])
    }

    /// The song that last.fm has under this artist and title.
    pub(crate) fn page(&self, artist: &str, title: &str) -> Option<&Song> {
        self.pages.get(&(artist.to_owned(), title.to_owned())).map(|index| &self.songs[*index])
    }

    /// The song whose tags are on the page that a song is listed on.
    fn page_of(&self, song: &Song) -> Option<&Song> {
        self.names_of_page(song).first().and_then(|artist| self.page(artist, &song.title))
    }

    /// Both ways in which joined credits are written, where a song is listed under one.
    fn names_of_page(&self, song: &Song) -> Vec<String> {
        let names: Vec<&str> = self.artists_of(song).map(|artist| artist.name.as_str()).collect();
        match song.listing {
            Listing::FirstArtist => names.first().map(|name| (*name).to_owned()).into_iter().collect(),
            Listing::JoinedCredit => vec![names.join(", "), names.join(" & ")],
            Listing::Nowhere => Vec::new(),
        }
    }

    fn list_pages(&self) -> HashMap<(String, String), usize> {
        let mut pages: HashMap<(String, String), usize> = HashMap::new();
        for (index, song) in self.songs.iter().enumerate().filter(|(_, song)| !song.id.is_empty()) {
            for artist in self.names_of_page(song) {
                let listed = pages.entry((artist, song.title.clone())).or_insert(index);
                // Two releases of one song share a page, and with it the tags of either.
                if self.songs[*listed].tags.is_empty() {
                    *listed = index;
                }
            }
        }
        pages
    }

    fn count(&self) -> Expected {
        // One that tells neither its rows nor a next page ends with an empty one.
        let pages_of = |playlist: &Playlist| match playlist.rows.len().div_ceil(50) {
            pages if !playlist.counted && pages > 0 => pages + 1,
            pages => pages.max(1),
        };
        let pages = self.playlists.iter().map(pages_of).sum();
        let mut expected = Expected { pages, ..Expected::default() };
        let (mut seen, mut artists) = (HashSet::new(), HashSet::<usize>::new());
        for row in self.playlists.iter().flat_map(|playlist| &playlist.rows) {
            expected.rows += 1;
            let skipped = match *row {
                Row::Removed => Some(SkipReason::Removed),
                Row::Local(_) => Some(SkipReason::Local),
                Row::Episode(_) => Some(SkipReason::Episode),
                Row::NoId(_) => Some(SkipReason::NoId),
                Row::NoName(_) => Some(SkipReason::NoName),
                Row::Track(song, _) if !seen.insert(&self.songs[song].id) => Some(SkipReason::Duplicate),
                Row::Track(song, _) => {
                    artists.extend(&self.songs[song].artists);
                    self.count_track(&self.songs[song], &mut expected);
                    None
                }
            };
            if let Some(reason) = skipped {
                *expected.skipped.entry(reason).or_default() += 1;
            }
        }
        expected.artists = artists.len();
        expected
    }

    fn count_track(&self, song: &Song, expected: &mut Expected) {
        expected.tracks += 1;
        match self.page_of(song) {
            None => expected.unknown_tracks += 1,
            Some(page) if page.tags.is_empty() => expected.no_tags += 1,
            Some(_) => expected.tagged += 1,
        }
        expected.joined_credits += usize::from(song.listing == Listing::JoinedCredit);
        expected.without_features += usize::from(song.features.is_none());
        match &song.analysis {
            None => expected.without_analysis += 1,
            Some(sound) if sound.is_short() => expected.short_analyses += 1,
            Some(_) => expected.with_pitches += 1,
        }
    }
}
