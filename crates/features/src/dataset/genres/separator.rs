//! What is between the genres of a cell.

use std::str::FromStr;

use super::cell::{inside, is_missing, list};
use crate::DatasetError;
use crate::dataset::error::shown;
use crate::dataset::place::Place;

/// What may be between genres, in the order of preference where several are in equally many cells.
const CANDIDATES: [&str; 9] = ["|", ";", ",", "\n", "；", "，", "、", "•", "·"];

/// What may be between genres and is part of the names of many, such as `Hip-Hop/Rap` and `drum & bass`: never taken unless
/// it is named.
const AMBIGUOUS: [&str; 4] = ["/", "\\", " & ", " and "];

/// Of so many cells at least one has a separator that is not doubtful.
const RARE: usize = 10;

/// Genres that a note shows.
const SHOWN: usize = 3;

/// What is between genres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Separator {
    /// Nothing: a cell is one genre.
    None,
    /// This text.
    Text(String),
}

impl FromStr for Separator {
    type Err = String;

    /// `none`, or the text itself; `\t` and `\n` as escapes.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("it is empty: name what is between genres, or `none` where a cell is one genre".into()),
            "none" => Ok(Self::None),
            "\\t" => Ok(Self::Text("\t".into())),
            "\\n" => Ok(Self::Text("\n".into())),
            text => Ok(Self::Text(text.to_owned())),
        }
    }
}

/// The genres of each cell, and what has to be said about how they were read.
pub(super) fn genres(
    column: &str,
    cells: &[Option<String>],
    places: &[Place],
    separator: Option<&Separator>,
) -> Result<(Vec<Vec<String>>, Vec<String>), DatasetError> {
    let texts = cells.iter().map(|cell| cell.as_deref().map(str::trim).filter(|text| !is_missing(text)));
    let texts: Vec<Option<&str>> = texts.collect();
    let plain = Plain(texts.iter().zip(places).filter_map(|(text, place)| Some((*place, (*text)?))).collect());
    let plain = Plain(plain.0.into_iter().filter(|(_, text)| inside(text).is_none()).collect());
    let (separator, note) = match separator {
        Some(Separator::None) => (None, None),
        Some(Separator::Text(named)) => (Some(named.as_str()), plain.check(column, named)),
        None => plain.find(column),
    };
    let read = |(text, place): (&Option<&str>, &Place)| match text {
        None => Ok(Vec::new()),
        Some(text) => match inside(text) {
            Some(inside) => list(inside).ok_or_else(|| no_list(column, *place, text)),
            None if text.starts_with('[') => Err(no_list(column, *place, text)),
            None => Ok(parts(text, separator)),
        },
    };
    let genres: Result<_, _> = texts.iter().zip(places).map(read).collect();
    Ok((genres?, note.into_iter().collect()))
}

fn no_list(column: &str, place: Place, text: &str) -> DatasetError {
    DatasetError::Genres { column: column.to_owned(), place, text: shown(text) }
}

fn parts(text: &str, separator: Option<&str>) -> Vec<String> {
    let parts: Vec<&str> = separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
    parts.into_iter().map(str::trim).filter(|part| !is_missing(part)).map(str::to_owned).collect()
}

/// Places and texts of the cells that are no lists.
struct Plain<'a>(Vec<(Place, &'a str)>);

impl Plain<'_> {
    fn having(&self, separator: &str) -> usize {
        self.0.iter().filter(|(_, text)| text.contains(separator)).count()
    }

    /// The separator that is in most cells, and what is doubtful about it.
    fn find(&self, column: &str) -> (Option<&'static str>, Option<String>) {
        let counts = CANDIDATES.iter().rev().map(|candidate| (self.having(candidate), *candidate));
        // Of equally frequent ones the last is taken, so the first of all.
        let (count, found) = counts.max_by_key(|(count, _)| *count).unwrap_or_default();
        let rivals = CANDIDATES.iter().chain(&AMBIGUOUS).filter(|rival| count == 0 || **rival != found);
        let rivals: Vec<String> = rivals
            .map(|rival| (self.having(rival), rival))
            .filter(|(count, _)| *count > 0)
            .map(|(count, rival)| format!("{} in {count}", name(rival)))
            .collect();
        if count == 0 {
            let ambiguous = AMBIGUOUS.into_iter().find(|separator| self.having(separator) > 0);
            return (None, ambiguous.map(|separator| self.note(column, None, separator, &rivals)));
        }
        let is_doubtful = found != "," || !rivals.is_empty() || count * RARE < self.0.len();
        (Some(found), is_doubtful.then(|| self.note(column, Some(found), found, &rivals)))
    }

    /// What is doubtful about a separator that was named.
    fn check(&self, column: &str, named: &str) -> Option<String> {
        if self.having(named) > 0 {
            return None;
        }
        // One that has another separator says most.
        let other = CANDIDATES.iter().chain(&AMBIGUOUS).find(|other| self.having(other) > 0);
        let telling = self.0.iter().find(|(_, text)| other.is_some_and(|other| text.contains(other)));
        let how = match telling.or(self.0.first()) {
            Some((place, text)) => format!("each was read as one genre, such as {} in {place}", shown(text)),
            None => "they are lists already, or empty".to_owned(),
        };
        Some(format!("no cell of `{column}` has {}: {how}", name(named)))
    }

    /// How cells were read, with the first row that has this text.
    fn note(&self, column: &str, separator: Option<&str>, text: &str, rivals: &[String]) -> String {
        let how =
            separator.map_or_else(|| "one genre a cell".to_owned(), |found| format!("{} between genres", name(found)));
        let first = self.0.iter().find(|(_, cell)| cell.contains(text));
        let first = first.map_or_else(String::new, |(place, cell)| {
            let parts = parts(cell, separator);
            let more = if parts.len() > SHOWN { ", …" } else { "" };
            let parts: Vec<String> = parts.iter().take(SHOWN).map(|part| shown(part)).collect();
            format!(": {place} has {}{more}", parts.join(", "))
        });
        let rivals = match rivals {
            [] => String::new(),
            rivals => format!(" (there is also {} of {} cells)", rivals.join(", "), self.0.len()),
        };
        format!(
            "`{column}` was read with {how}{first}{rivals}; `--genre-separator` says otherwise, `none` where a cell is one genre"
        )
    }
}

/// A separator in words.
fn name(separator: &str) -> String {
    match separator {
        "," => "a comma".to_owned(),
        ";" => "a semicolon".to_owned(),
        "\t" => "a tab".to_owned(),
        "\n" => "a line end".to_owned(),
        other => shown(other),
    }
}
