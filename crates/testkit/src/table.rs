//! A catalogue from a table of real tracks, as Exportify and its kin write it.

use std::collections::HashMap;
use std::io::Read;

use csv::StringRecord;

use crate::catalogue::{Artist, Catalogue, Form, Listing, Playlist, Row, Song};
use crate::random::Random;
use crate::sample::tags::with_counts;

/// Why a table cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not CSV, not UTF-8, or a row of another length than the header.
    #[error("cannot read the table as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A column that a catalogue cannot do without.
    #[error("the table has no column {column:?}; its header has: {found}")]
    MissingColumn {
        /// The column's name.
        column: &'static str,
        /// The columns that there are.
        found: String,
    },
    /// A value that is none of the kind that its column holds.
    #[error("line {line}, column {column:?}: {value:?} is not {expected}")]
    BadValue {
        /// Line of the file, counted from 1.
        line: u64,
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

impl Catalogue {
    /// Reads a table with a header. `Track URI`, `Track Name` and `Artist Name(s)` must be there; the scalars, `Genres`,
    /// `Album Name`, `Release Date` and `Popularity` may be. Column names are compared without case.
    ///
    /// `Genres` become last.fm tags in their order; none means a page without tags. A row without a URI has no id on
    /// Spotify either, one with `spotify:local:` or `spotify:episode:` is a local file or an episode, one without a name
    /// has none. A row that lacks any scalar has no audio features, since Spotify never answers with a part of them.
    /// Several artists are separated by `;`, or by `,` in files that have no `;`, for then there is no telling.
    ///
    /// # Errors
    /// One line that names the line and column of the file.
    pub fn from_csv(reader: impl Read) -> Result<Self, TableError> {
        let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let columns = Columns::find(csv.headers()?)?;
        let records = csv.records().collect::<Result<Vec<_>, _>>()?;
        if records.is_empty() {
            return Err(TableError::Empty);
        }
        let credits_by_semicolon = records.iter().any(|record| columns.text(record, columns.artists).contains(';'));
        let separator = if credits_by_semicolon { ';' } else { ',' };
        let mut table = Table { columns, separator, ..Table::default() };
        for record in &records {
            table.add(record)?;
        }
        let id = Random::new(records.len() as u64, "table").id();
        let playlist = Playlist { id, name: "The table".into(), rows: table.rows, counted: true };
        Ok(Catalogue::new(vec![playlist], table.songs, table.artists, false))
    }
}

/// Where the columns are.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    uri: Option<usize>,
    title: Option<usize>,
    artists: Option<usize>,
    album: Option<usize>,
    release_date: Option<usize>,
    popularity: Option<usize>,
    genres: Option<usize>,
    scalars: [Option<usize>; 13],
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, TableError> {
        // Excel and its kin put a byte order mark before the first name.
        let names: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let find = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
        let must = |column: &'static str| {
            let missing = || TableError::MissingColumn { column, found: names.join(", ") };
            find(column).map(Some).ok_or_else(missing)
        };
        Ok(Self {
            uri: must("Track URI")?,
            title: must("Track Name")?,
            artists: must("Artist Name(s)")?,
            album: find("Album Name"),
            release_date: find("Release Date"),
            popularity: find("Popularity"),
            genres: find("Genres"),
            scalars: SCALAR_COLUMNS.map(find),
            names,
        })
    }

    /// The text of a cell; empty where there is no such column.
    fn text<'r>(&self, record: &'r StringRecord, column: Option<usize>) -> &'r str {
        column.and_then(|column| record.get(column)).unwrap_or_default()
    }

    /// The number in a cell, `None` where it is empty.
    fn number(&self, record: &StringRecord, column: Option<usize>) -> Result<Option<f64>, TableError> {
        let text = self.text(record, column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(self.bad_value(record, column, "a number")),
        }
    }

    fn bad_value(&self, record: &StringRecord, column: Option<usize>, expected: &'static str) -> TableError {
        TableError::BadValue {
            line: record.position().map_or(0, csv::Position::line),
            column: column.map_or_else(String::new, |column| self.names[column].clone()),
            value: self.text(record, column).to_owned(),
            expected,
        }
    }
}

/// A catalogue in the making.
#[derive(Default)]
struct Table {
    columns: Columns,
    separator: char,
    rows: Vec<Row>,
    songs: Vec<Song>,
    artists: Vec<Artist>,
    artist_by_name: HashMap<String, usize>,
    song_by_id: HashMap<String, usize>,
}

impl Table {
    fn add(&mut self, record: &StringRecord) -> Result<(), TableError> {
        let uri = self.columns.text(record, self.columns.uri);
        let mut song = self.song(record)?;
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
            _ => return Err(self.columns.bad_value(record, self.columns.uri, "a Spotify track URI")),
        };
        self.rows.push(row);
        self.songs.push(song);
        Ok(())
    }

    fn song(&mut self, record: &StringRecord) -> Result<Song, TableError> {
        let columns = &self.columns;
        let mut scalars = [None; 13];
        for (scalar, column) in scalars.iter_mut().zip(columns.scalars) {
            *scalar = columns.number(record, column)?;
        }
        let popularity = columns.number(record, columns.popularity)?;
        let text = |column| columns.text(record, column);
        let genres = text(columns.genres).split(',').map(str::trim).filter(|genre| !genre.is_empty());
        let mut song = Song {
            title: text(columns.title).to_owned(),
            album: text(columns.album).to_owned(),
            release_date: text(columns.release_date).to_owned(),
            duration_ms: scalars[0].unwrap_or_default(),
            popularity: popularity.unwrap_or_default() as u32,
            features: all(scalars),
            tags: with_counts(genres.map(str::to_owned).collect()),
            listing: Listing::FirstArtist,
            ..Song::default()
        };
        let credit = text(columns.artists).split(self.separator).map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = credit.map(str::to_owned).collect();
        song.artists = names.into_iter().map(|name| self.artist(name)).collect();
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

/// All values, or `None` where one is missing.
fn all(values: [Option<f64>; 13]) -> Option<[f64; 13]> {
    values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
}
