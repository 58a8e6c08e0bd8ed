//! A catalogue from a table of real tracks, as Exportify and its kin write it.

use std::collections::HashMap;

use crate::catalogue::{Artist, Catalogue, Form, Listing, Playlist, Row, Song};
use crate::random::Random;
use crate::sample::tags::with_counts;

/// Why a table cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Columns that a catalogue cannot do without: all that are missing.
    #[error("the table has no column {}; it has: {found}", quoted(columns))]
    MissingColumns {
        /// The columns' names.
        columns: Vec<&'static str>,
        /// The columns that there are.
        found: String,
    },
    /// A value that is none of the kind that its column holds.
    #[error("row {row}, column {column:?}: {value:?} is not {expected}")]
    BadValue {
        /// Row of the data, counted from 1.
        row: usize,
        /// Column.
        column: String,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// A header without rows.
    #[error("the table has no rows")]
    Empty,
    /// Nothing that labels could be made of.
    #[error("no row of the table has genres (column {column:?}): there is no label to learn")]
    NoGenres {
        /// The column of genres.
        column: String,
    },
    /// Nothing to learn from.
    #[error("no row of the table has audio features (columns {})", quoted(&SCALAR_COLUMNS))]
    NoFeatures,
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// The columns of a table that hold the scalars, in the order of [`model::audio::SCALARS`].
pub const SCALAR_COLUMNS: [&str; 13] = [
    "Duration (ms)",
    "Danceability",
    "Energy",
    "Key",
    "Loudness",
    "Mode",
    "Speechiness",
    "Acousticness",
    "Instrumentalness",
    "Liveness",
    "Valence",
    "Tempo",
    "Time Signature",
];

/// A column of a table: its name and its texts, empty where there is nothing.
pub type Column = (String, Vec<String>);

impl Catalogue {
    /// Makes a catalogue of a table in either layout of Exportify: that of exportify.net (`Genres`, `Duration (ms)`) and that
    /// of watsonbox (`Artist Genres`, `Track Duration (ms)`). Names are compared without case, blanks and signs, and without
    /// what stands in brackets. With it come sentences about columns that the catalogue does without.
    ///
    /// `Genres` become last.fm tags in their order; none means a page without tags. A row without a URI has no id on
    /// Spotify either, one with `spotify:local:` or `spotify:episode:` is a local file or an episode, one without a name
    /// has none. A row without any scalar has no audio features; one that lacks some has the others. Several artists are
    /// separated by `;`, or by `,` in files that have no `;`, for then there is no telling.
    ///
    /// # Errors
    /// One line; values with their row and column.
    pub fn from_table(columns: &[Column]) -> Result<(Self, Vec<String>), TableError> {
        let columns = Columns::find(columns)?;
        let rows = columns.uri.texts.len();
        if rows == 0 {
            return Err(TableError::Empty);
        }
        if columns.genres.filled() == 0 {
            return Err(TableError::NoGenres { column: columns.genres.name.to_owned() });
        }
        if columns.scalars[1..].iter().flatten().all(|column| column.filled() == 0) {
            return Err(TableError::NoFeatures);
        }
        let credits_by_semicolon = columns.artists.texts.iter().any(|credit| credit.contains(';'));
        let mut table = Table { separator: if credits_by_semicolon { ';' } else { ',' }, ..Table::default() };
        (0..rows).try_for_each(|row| table.add(&columns, row))?;
        let id = Random::new(rows as u64, "table").id();
        let playlist = Playlist { id, name: "The table".into(), rows: table.rows, counted: true };
        Ok((Catalogue::new(vec![playlist], table.songs, table.artists, false), columns.gaps()))
    }
}

/// A column that is used.
#[derive(Clone, Copy)]
struct Used<'a> {
    name: &'a str,
    texts: &'a [String],
}

impl Used<'_> {
    /// Rows that have something there.
    fn filled(&self) -> usize {
        self.texts.iter().filter(|text| !text.trim().is_empty()).count()
    }

    fn text(&self, row: usize) -> &str {
        self.texts[row].trim()
    }

    /// The number in a cell, `None` where it is empty.
    fn number(&self, row: usize) -> Result<Option<f64>, TableError> {
        let text = self.text(row);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(self.bad_value(row, "a number")),
        }
    }

    fn bad_value(&self, row: usize, expected: &'static str) -> TableError {
        TableError::BadValue { row: row + 1, column: self.name.to_owned(), value: self.text(row).to_owned(), expected }
    }
}

/// What is used of a table.
struct Columns<'a> {
    uri: Used<'a>,
    title: Used<'a>,
    artists: Used<'a>,
    genres: Used<'a>,
    album: Option<Used<'a>>,
    release_date: Option<Used<'a>>,
    popularity: Option<Used<'a>>,
    scalars: [Option<Used<'a>>; 13],
}

impl<'a> Columns<'a> {
    fn find(columns: &'a [Column]) -> Result<Self, TableError> {
        let find = |name: &str| {
            let mut columns = columns.iter();
            columns.find(|(column, _)| folded(column) == folded(name)).map(|(name, texts)| Used { name, texts })
        };
        // exportify.net's name of a column, then watsonbox's.
        let either = |name: &str, other: &str| find(name).or_else(|| find(other));
        let genres = either("Genres", "Artist Genres");
        let needed = [("Track URI", find("Track URI")), ("Track Name", find("Track Name"))];
        let needed = [needed[0], needed[1], ("Artist Name(s)", find("Artist Name(s)")), ("Genres", genres)];
        let missing: Vec<&str> = needed.iter().filter(|(_, column)| column.is_none()).map(|(name, _)| *name).collect();
        let [(_, Some(uri)), (_, Some(title)), (_, Some(artists)), (_, Some(genres))] = needed else {
            let found: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            return Err(TableError::MissingColumns { columns: missing, found: found.join(", ") });
        };
        let mut scalars = SCALAR_COLUMNS.map(find);
        scalars[0] = scalars[0].or_else(|| find("Track Duration (ms)"));
        Ok(Self {
            uri,
            title,
            artists,
            genres,
            album: find("Album Name"),
            release_date: either("Release Date", "Album Release Date"),
            popularity: find("Popularity"),
            scalars,
        })
    }

    /// Sentences about audio features that are not there for all rows.
    fn gaps(&self) -> Vec<String> {
        let rows = self.uri.texts.len();
        let named = SCALAR_COLUMNS.iter().zip(&self.scalars);
        let missing: Vec<&str> = named.filter(|(_, column)| column.is_none()).map(|(name, _)| *name).collect();
        let mut gaps = Vec::new();
        if !missing.is_empty() {
            gaps.push(format!("the table has no column {}; the other features are used", quoted(&missing)));
        }
        let lacking = self.scalars.iter().flatten().map(|column| (column.name, rows - column.filled()));
        if let Some((name, lacking)) = lacking.filter(|(_, lacking)| *lacking > 0).max_by_key(|(_, lacking)| *lacking) {
            gaps.push(format!(
                "up to {lacking} of {rows} rows lack an audio feature, most of them {name:?}; they become no rows of the matrix"
            ));
        }
        gaps
    }
}

/// The name in small letters, without blanks and signs, and without what stands in brackets.
fn folded(name: &str) -> String {
    let bare = name.split_once('(').map_or(name, |(bare, _)| bare);
    bare.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A catalogue in the making.
#[derive(Default)]
struct Table {
    separator: char,
    rows: Vec<Row>,
    songs: Vec<Song>,
    artists: Vec<Artist>,
    artist_by_name: HashMap<String, usize>,
    song_by_id: HashMap<String, usize>,
}

impl Table {
    fn add(&mut self, columns: &Columns, row: usize) -> Result<(), TableError> {
        let uri = columns.uri.text(row);
        let mut song = self.song(columns, row)?;
        let index = self.songs.len();
        let row = match uri.strip_prefix("spotify:").and_then(|rest| rest.split_once(':')) {
            None if uri.is_empty() => Row::NoId(index),
            Some(("local", _)) => Row::Local(index),
            Some(("episode", id)) => {
                song.id = id.to_owned();
                Row::Episode(index)
            }
            Some(("track", id)) if id.len() == 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                // What comes again is the same song, whatever else its row says.
                if let Some(earlier) = self.song_by_id.get(id) {
                    self.rows.push(Row::Track(*earlier, Form::Item));
                    return Ok(());
                }
                song.id = id.to_owned();
                if song.title.is_empty() {
                    Row::NoName(index)
                } else {
                    self.song_by_id.insert(id.to_owned(), index);
                    Row::Track(index, Form::Item)
                }
            }
            _ => return Err(columns.uri.bad_value(row, "a Spotify track URI")),
        };
        self.rows.push(row);
        self.songs.push(song);
        Ok(())
    }

    fn song(&mut self, columns: &Columns, row: usize) -> Result<Song, TableError> {
        let mut scalars = [None; 13];
        for (scalar, column) in scalars.iter_mut().zip(columns.scalars) {
            *scalar = column.map_or(Ok(None), |column| column.number(row))?;
        }
        let popularity = columns.popularity.map_or(Ok(None), |column| column.number(row))?;
        let text = |column: Option<Used>| column.map_or_else(String::new, |column| column.text(row).to_owned());
        let genres = columns.genres.text(row).split(',').map(str::trim).filter(|genre| !genre.is_empty());
        let mut song = Song {
            title: columns.title.text(row).to_owned(),
            album: text(columns.album),
            release_date: text(columns.release_date),
            duration_ms: scalars[0].unwrap_or_default(),
            popularity: popularity.unwrap_or_default() as u32,
            // A duration alone is what a playlist says of a track.
            features: scalars[1..].iter().any(Option::is_some).then_some(scalars),
            tags: with_counts(genres.map(str::to_owned).collect()),
            listing: Listing::FirstArtist,
            ..Song::default()
        };
        let credit = columns.artists.text(row).split(self.separator).map(str::trim).filter(|name| !name.is_empty());
        song.artists = credit.map(|name| self.artist(name.to_owned())).collect();
        Ok(song)
    }

    /// The artist of this name, with an id that only the name decides.
    fn artist(&mut self, name: String) -> usize {
        *self.artist_by_name.entry(name).or_insert_with_key(|name| {
            let id = Random::new(0, name).id();
            self.artists.push(Artist { id, name: name.clone(), genres: Vec::new() });
            self.artists.len() - 1
        })
    }
}
