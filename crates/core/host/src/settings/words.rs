//! One line for an error of the settings: where, what, what is expected.

use figment::error::{Actual, Error, Kind};
use figment::{Metadata, Source};
use model::settings::ENVIRONMENT;

use super::file::SettingsFile;
use super::quote::shown;

/// Slips of the pen that make a name another one: letters that are missing, too many or others.
const MOST_SLIPS: usize = 2;

/// The error in one line.
pub(super) fn of(error: Error, file: Option<&SettingsFile>) -> String {
    let key = error.path.join(".");
    let (metadata, text) = (error.metadata.as_ref(), shown(&key));
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let table: String =
                error.path.iter().filter(|part| *part != name).map(|part| format!("{}.", shown(part))).collect();
            let place = place(metadata, file, &format!("{table}{name}"));
            let meant = meant(name, &table, known).map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            format!("{place}: {table}{} is unknown, expected one of: {}{meant}", shown(name), known.join(", "))
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            // An unquoted secret is of the wrong type and a secret all the same.
            let found = if key.ends_with("secret") || key.ends_with("key") { "***".to_owned() } else { value(found) };
            format!("{}: {text} is {found}, expected {}", place(metadata, file, &key), plain(expected))
        }
        Kind::Message(said) => format!("{}: {said}", place(metadata, file, &key)),
        other => format!("{}: {text}: {other}", place(metadata, file, &key)),
    }
}

/// The place that a value comes from: a flag, a variable, or the file with the line of the key.
pub(super) fn place(metadata: Option<&Metadata>, file: Option<&SettingsFile>, key: &str) -> String {
    match (metadata, file) {
        (Some(Metadata { source: Some(Source::File(_)), .. }), Some(file)) => match file.line_of(key) {
            Some(line) => format!("{}:{line}", file.shown()),
            None => file.shown(),
        },
        (Some(metadata), _) => metadata.name.to_string(),
        (None, _) => "settings".to_owned(),
    }
}

/// The name of a setting that somebody may have meant: the one most like it, or of another table where the same is right.
fn meant(name: &str, table: &str, known: &[&str]) -> Option<String> {
    let alike = known.iter().map(|known| (slips(name, known), *known)).min()?;
    if alike.0 <= MOST_SLIPS.min(name.chars().count() / 2) {
        return Some(format!("{table}{}", alike.1));
    }
    let elsewhere = |key: &&str| key.rsplit('.').next() == Some(name) || key.replace('.', "_") == name;
    let keys: Vec<&str> = ENVIRONMENT.iter().map(|(_, key, _)| *key).filter(elsewhere).collect();
    (!keys.is_empty()).then(|| keys.join(" or "))
}

/// Letters to put in, leave out or exchange until one name is the other (Levenshtein's distance).
fn slips(name: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in name.to_lowercase().chars().enumerate() {
        let mut above_left = row[0];
        row[0] = i + 1;
        for (j, of_other) in other.iter().enumerate() {
            let exchanged = above_left + usize::from(letter != *of_other);
            above_left = row[j + 1];
            row[j + 1] = exchanged.min(above_left + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

fn value(found: &Actual) -> String {
    match found {
        Actual::Str(text) => format!("\"{}\"", shown(text)),
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// Rust's name of a type in plain words.
fn plain(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "u32" | "usize" | "u64" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" | "string" => "a text in quotes",
        "a sequence" => "a list",
        expected if expected.starts_with("struct ") => "a table",
        expected => expected,
    }
}
