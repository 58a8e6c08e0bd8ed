//! The separator between the genres of a cell.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::str::FromStr;

use model::explain::shell_quote;

use super::entities::decoded;
use super::parse_cell::{ListError, inside, is_code, is_missing, list, names, unescaped};
use crate::DatasetError;
use crate::dataset::error::shown;
use crate::dataset::place::Place;

/// Usual separators of genres, in the order of preference where several occur in equally many cells.
const USUAL_SEPARATORS: [&str; 11] = ["|", ";", ",", "\n", "\t", "；", "，", "、", "•", "·", HASH];

/// The prefix of every genre in `#jazz #dream pop`.
const HASH: &str = "#";

/// Possible separators that many names of genres contain, such as `Hip-Hop/Rap` and `drum & bass`: only used if the user
/// names them.
const AMBIGUOUS_SEPARATORS: [&str; 5] = ["/", "\\", " & ", " and ", " + "];

/// Rare separators: only used if the user names them, but reported if they are in many cells.
const UNUSUAL_SEPARATORS: [&str; 14] = ["+", " - ", " – ", " — ", "--", ">", ":", "~", "^", "=", "*", "__", " #", "  "];

/// A separator is doubtful if fewer than one in this many cells contain it.
const MIN_SEPARATED_SHARE: usize = 10;

/// Genres that a note shows at most.
const MAX_GENRES_SHOWN: usize = 3;

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
    let texts = cells.iter().map(|cell| unescaped(cell.as_deref().unwrap_or_default().trim()));
    let texts: Vec<Cow<'_, str>> = texts.collect();
    let filled = texts.iter().zip(places).filter(|(text, _)| !is_missing(text));
    let plain = filled.filter(|(text, _)| inside(text).is_none()).map(|(text, place)| (*place, text.trim()));
    let plain = PlainCells(plain.collect());
    let named = separator.map(|separator| match separator {
        Separator::None => None,
        Separator::Text(named) => Some(decoded(named)),
    });
    let (separator, note) = match &named {
        Some(None) => (None, None),
        Some(Some(named)) => (Some(&**named), plain.check(column, named)),
        None => plain.find(column),
    };
    let read = |(text, place): (&Cow<'_, str>, &Place)| match inside(text) {
        _ if is_missing(text) => Ok(Vec::new()),
        Some(inside) => list(inside).map_err(|why| no_list(column, *place, text, why)),
        None if is_code(text) => Err(no_list(column, *place, text, ListError::Other)),
        None => Ok(parts(text, separator)),
    };
    let genres: Result<_, _> = texts.iter().zip(places).map(read).collect();
    Ok((genres?, note.into_iter().collect()))
}

/// What has to be said about a separator of cells that are lists.
pub(super) fn without_use(column: &str, separator: Option<&Separator>) -> Vec<String> {
    match separator {
        Some(Separator::Text(named)) => PlainCells(Vec::new()).check(column, named).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn no_list(column: &str, place: Place, text: &str, why: ListError) -> DatasetError {
    match why {
        ListError::Shortened => DatasetError::value(
            column,
            place,
            "holds a list that was shortened, with `...` in place of genres: write it out in full (numpy: `.tolist()`, or \
             `numpy.set_printoptions(threshold=sys.maxsize)`)",
        ),
        ListError::Other => DatasetError::Genres { column: column.to_owned(), place, text: shown(text) },
    }
}

fn parts(text: &str, separator: Option<&str>) -> Vec<String> {
    match separator {
        Some(separator) => names(text.split(separator)),
        None => names(std::iter::once(text)),
    }
}

/// Whether a text has something on both sides of a separator.
fn has(text: &str, separator: &str) -> bool {
    let mut parts = text.split(separator).filter(|part| !part.trim().is_empty());
    (separator != HASH || text.starts_with(HASH)) && parts.nth(1).is_some()
}

/// Places and texts of the cells that are no lists.
struct PlainCells<'a>(Vec<(Place, &'a str)>);

impl PlainCells<'_> {
    fn having(&self, separator: &str) -> usize {
        self.0.iter().filter(|(_, text)| has(text, separator)).count()
    }

    /// The separator that is in most cells, and what is doubtful about it.
    fn find(&self, column: &str) -> (Option<&'static str>, Option<String>) {
        let counts = USUAL_SEPARATORS.iter().rev().map(|candidate| (self.having(candidate), *candidate));
        // Of equally frequent ones the last is taken, so the first of all.
        let (count, found) = counts.max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0).unwrap_or_default();
        let rivals = self.rivals(count, found);
        if count == 0 {
            return (None, rivals.first().map(|(_, rival)| self.note(column, None, rival, &rivals)));
        }
        let is_doubtful = found != "," || !rivals.is_empty() || count * MIN_SEPARATED_SHARE < self.0.len();
        (Some(found), is_doubtful.then(|| self.note(column, Some(found), found, &rivals)))
    }

    /// What else may be between genres than what was found, if anything was, and in how many cells; the likeliest first.
    fn rivals(&self, count: usize, found: &str) -> Vec<(usize, &'static str)> {
        let counted = |rival: &&'static str| (self.having(rival), *rival);
        let usual = USUAL_SEPARATORS.iter().chain(&AMBIGUOUS_SEPARATORS).map(counted);
        let mut rivals: Vec<_> = usual.filter(|(count, rival)| *count > 0 && *rival != found).collect();
        let is_frequent = |(here, _): &(usize, &str)| *here > count && here * MIN_SEPARATED_SHARE >= self.0.len();
        for rival in UNUSUAL_SEPARATORS.iter().map(counted).filter(is_frequent) {
            // Of ` + ` and `+` one is enough.
            if !rivals.iter().any(|(_, other)| other.contains(rival.1)) {
                rivals.push(rival);
            }
        }
        // Stable: of equally frequent ones the usual.
        rivals.sort_by_key(|(count, _)| Reverse(*count));
        rivals
    }

    /// What is doubtful about a separator that was named.
    fn check(&self, column: &str, named: &str) -> Option<String> {
        if self.0.iter().any(|(_, text)| text.contains(named)) {
            return None;
        }
        // One that has another separator says most.
        let other = USUAL_SEPARATORS.iter().chain(&AMBIGUOUS_SEPARATORS).find(|other| self.having(other) > 0);
        let telling = self.0.iter().find(|(_, text)| other.is_some_and(|other| has(text, other)));
        let how = match telling.or(self.0.first()) {
            Some((place, text)) => format!("each was read as one genre, such as {} in {place}", shown(text)),
            None => "they are lists already, or empty".to_owned(),
        };
        Some(format!("no cell of `{column}` has {}: {how}", name(named)))
    }

    /// How cells were read, with the first row that has this text.
    fn note(&self, column: &str, separator: Option<&str>, text: &str, rivals: &[(usize, &str)]) -> String {
        let how =
            separator.map_or_else(|| "one genre a cell".to_owned(), |found| format!("{} between genres", name(found)));
        let first = self.0.iter().find(|(_, cell)| has(cell, text));
        let first = first.map_or_else(String::new, |(place, cell)| {
            let parts = parts(cell, separator);
            let more = if parts.len() > MAX_GENRES_SHOWN { ", …" } else { "" };
            let parts: Vec<String> = parts.iter().take(MAX_GENRES_SHOWN).map(|part| shown(part)).collect();
            format!(": {place} has {}{more}", parts.join(", "))
        });
        let single = "if a cell is one genre, add `--genre-separator none`";
        let (others, advice) = match rivals {
            [] => (String::new(), single.to_owned()),
            [(_, rival), ..] => {
                let others: Vec<String> =
                    rivals.iter().map(|(count, rival)| format!("{} in {count}", name(rival))).collect();
                let other = format!("if {} is between genres, add `{}`", name(rival), option(rival));
                (
                    format!(" (there is also {} of {} cells)", others.join(", "), self.0.len()),
                    format!("{other}, and {single}"),
                )
            }
        };
        format!("`{column}` was read with {how}{first}{others}; {advice}")
    }
}

/// The option that names a separator, to be pasted into a shell.
fn option(separator: &str) -> String {
    let written = match separator {
        "\t" => "\\t",
        "\n" => "\\n",
        other => other,
    };
    // What begins with a hyphen would be taken for an option.
    let before = if written.starts_with('-') { '=' } else { ' ' };
    format!("--genre-separator{before}{}", shell_quote(written))
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
