//! The sample catalogue: artists of every genre, their songs, and two playlists.

pub(crate) mod analysis;
mod genre;
mod names;
mod oddments;
mod scalars;
pub(crate) mod tags;

use analysis::{Document, Sound};
use genre::{GENRES, Genre, genre};
use names::Names;

use crate::catalogue::{Artist, Catalogue, Form, Listing, Playlist, Row, Song};
use crate::random::Random;

/// Fewer tracks could not carry every odd title, document and page.
const FEWEST: usize = 60;

/// Tracks of the second playlist, whose pages hold `items` alone.
const SMALL_PLAYLIST: usize = 6;

impl Catalogue {
    /// Invents `tracks` different tracks (at least 60) of some fourteen genres, and adds every odd row to their
    /// playlists. The same arguments give the same bytes on every machine.
    pub fn sample(tracks: usize, seed: u64) -> Self {
        let mut sample = Sample::new(seed);
        sample.invent(tracks.max(FEWEST));
        sample.make_odd();
        let playlists = sample.playlists();
        Catalogue::new(playlists, sample.songs, sample.artists, true)
    }
}

/// A catalogue in the making.
struct Sample {
    random: Random,
    names: Names,
    songs: Vec<Song>,
    artists: Vec<Artist>,
    /// The genres of each artist, in the order of `artists`.
    genres: Vec<Vec<&'static Genre>>,
}

impl Sample {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed, "catalogue");
        Self { random, names: Names::default(), songs: Vec::new(), artists: Vec::new(), genres: Vec::new() }
    }

    /// Artist by artist, with one to eight songs each.
    fn invent(&mut self, tracks: usize) {
        while self.songs.len() < tracks {
            let artist = self.add_artist();
            let songs = (1 + self.random.below(8)).min(tracks - self.songs.len());
            for _ in 0..songs {
                let song = self.song(artist);
                self.songs.push(song);
            }
        }
    }

    fn add_artist(&mut self) -> usize {
        let odd = names::ODD_ARTISTS.get(self.artists.len()).map(|name| (*name).to_owned());
        let name = odd.unwrap_or_else(|| self.names.artist(&mut self.random));
        let genres = self.blend();
        let listed = genres.iter().map(|genre| genre.name.to_owned()).collect();
        self.artists.push(Artist { id: self.random.id(), name, genres: listed });
        self.genres.push(genres);
        self.artists.len() - 1
    }

    /// A genre by its share, alone or blended with one or two of its kin; rock alone more often than others.
    fn blend(&mut self) -> Vec<&'static Genre> {
        let random = &mut self.random;
        let main = &GENRES[random.weighted(GENRES.iter().map(|genre| genre.share))];
        let others = match random.uniform() {
            chance if chance < 0.62 => 0,
            chance if chance < 0.92 => 1,
            _ => 2,
        };
        let mut genres = vec![main];
        for _ in 0..others {
            let other = genre(random.pick::<&str>(main.kin));
            if !genres.iter().any(|known| known.name == other.name) {
                genres.push(other);
            }
        }
        genres
    }

    fn song(&mut self, artist: usize) -> Song {
        let title = self.names.title(&mut self.random);
        let album = match self.random.chance(0.3) {
            true => title.clone(),
            false => format!("{} LP", self.artists[artist].name),
        };
        // Most songs are of their artist's genres; some leave one out.
        let mut genres = self.genres[artist].clone();
        if self.random.chance(0.25) {
            genres.truncate(1);
        }
        let year = 1962 + self.random.below(63);
        let scalars = scalars::scalars(&genres, &mut self.random);
        let tags = tags::tags(&genres, &self.artists[artist].name, year, &mut self.random);
        let seed = self.random.below(usize::MAX) as u64;
        Song {
            id: self.random.id(),
            title,
            artists: self.credit(artist),
            album,
            release_date: format!("{year}-{:02}-{:02}", 1 + self.random.below(12), 1 + self.random.below(28)),
            duration_ms: scalars[0],
            float_duration: false,
            popularity: self.random.below(90) as u32,
            features: Some(scalars.map(Some)),
            analysis: Some(Sound { seed, genres, scalars, form: Document::Plain }),
            tags,
            listing: Listing::FirstArtist,
        }
    }

    /// The artist, on every seventh song or so with one or two guests.
    fn credit(&mut self, artist: usize) -> Vec<usize> {
        let guests = match self.random.uniform() {
            chance if chance < 0.86 => 0,
            chance if chance < 0.97 => 1,
            _ => 2,
        };
        let mut credit = vec![artist];
        for _ in 0..guests {
            let guest = self.random.below(self.artists.len());
            if !credit.contains(&guest) {
                credit.push(guest);
            }
        }
        credit
    }

    /// All songs in two playlists, with the odd rows among them.
    fn playlists(&mut self) -> Vec<Playlist> {
        let mut order: Vec<usize> = (0..self.songs.len()).collect();
        self.random.shuffle(&mut order);
        let mut rows: Vec<Row> = order.into_iter().map(|song| Row::Track(song, self.form())).collect();
        let mut small: Vec<Row> = rows.split_off(rows.len() - SMALL_PLAYLIST);
        // What both playlists hold is collected once.
        small.push(rows[0]);
        small.push(Row::Removed);
        for row in self.odd_rows(&rows) {
            let place = 1 + self.random.below(rows.len());
            rows.insert(place, row);
        }
        let ids = [self.random.id(), self.random.id()];
        let [everything, scraps] = ids;
        vec![
            Playlist { id: everything, name: "Everything, all at once".into(), rows, counted: true },
            Playlist { id: scraps, name: "Scraps".into(), rows: small, counted: false },
        ]
    }

    fn form(&mut self) -> Form {
        match self.random.uniform() {
            chance if chance < 0.70 => Form::Item,
            chance if chance < 0.95 => Form::Track,
            _ => Form::Both,
        }
    }
}
