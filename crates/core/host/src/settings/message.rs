//! Errors of the settings as one line: where, what, and what was expected.

use figment::error::{Actual, Error, Kind};
use figment::{Metadata, Source};
use model::settings::ENVIRONMENT;

use super::file::SettingsFile;
use super::quote::shown;

/// How many letters of a name may be missing, superfluous or wrong for another one to be suggested.
const MAX_TYPOS: usize = 2;

/// The error as one line.
pub(super) fn one_line(error: Error, file: Option<&SettingsFile>) -> String {
    let key = error.path.join(".");
    let (metadata, text) = (error.metadata.as_ref(), shown(&key));
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let table: String =
                error.path.iter().filter(|part| *part != name).map(|part| format!("{}.", shown(part))).collect();
            let origin = origin(metadata, file, &format!("{table}{name}"));
            let hint = suggestion(name, &table, known);
            let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            format!("{origin}: {table}{} is unknown, expected one of: {}{hint}", shown(name), known.join(", "))
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            // An unquoted secret has the wrong type, but it is still a secret.
            let found = if key.ends_with("secret") || key.ends_with("key") { "***".to_owned() } else { value(found) };
            format!("{}: {text} is {found}, expected {}", origin(metadata, file, &key), type_name(expected))
        }
        Kind::Message(text) => format!("{}: {text}", origin(metadata, file, &key)),
        other => format!("{}: {text}: {other}", origin(metadata, file, &key)),
    }
}

/// Where a value comes from: an option, a variable, or the file with the line of the key.
pub(super) fn origin(metadata: Option<&Metadata>, file: Option<&SettingsFile>, key: &str) -> String {
    match (metadata, file) {
        (Some(Metadata { source: Some(Source::File(_)), .. }), Some(file)) => match file.line_of(key) {
            Some(line) => format!("{}:{line}", file.name()),
            None => file.name(),
        },
        (Some(metadata), _) => metadata.name.to_string(),
        (None, _) => "settings".to_owned(),
    }
}

/// The setting that may have been meant: the most similar one of the table, or one of that name elsewhere.
fn suggestion(name: &str, table: &str, known: &[&str]) -> Option<String> {
    let (distance, closest) = known.iter().map(|known| (edit_distance(name, known), *known)).min()?;
    if distance <= MAX_TYPOS.min(name.chars().count() / 2) {
        return Some(format!("{table}{}", closest));
    }
    let is_same_name = |key: &&str| key.rsplit('.').next() == Some(name) || key.replace('.', "_") == name;
    let keys: Vec<&str> = ENVIRONMENT.iter().map(|(_, key, _)| *key).filter(is_same_name).collect();
    (!keys.is_empty()).then(|| keys.join(" or "))
}

/// How many letters have to be inserted, deleted or replaced to turn one name into the other (Levenshtein distance).
fn edit_distance(name: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in name.to_lowercase().chars().enumerate() {
        let mut above_left = row[0];
        row[0] = i + 1;
        for (j, other_letter) in other.iter().enumerate() {
            let replaced = above_left + usize::from(letter != *other_letter);
            above_left = row[j + 1];
            row[j + 1] = replaced.min(above_left + 1).min(row[j] + 1);
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

/// The name of a Rust type in plain words.
fn type_name(expected: &str) -> &str {
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
