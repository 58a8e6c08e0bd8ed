//! One line for an error of a settings file: where, what, what is expected.

use figment::error::{Actual, Error, Kind};
use figment::{Metadata, Source};
use model::settings::without_credentials;

/// The error in one line.
pub(super) fn of(error: Error) -> String {
    let place = place(error.metadata.as_ref());
    let key = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let table = error.path.iter().filter(|part| *part != name).map(|part| format!("{part}."));
            format!(
                "{place}: {}{} is unknown, expected one of: {}",
                table.collect::<String>(),
                without_credentials(name),
                known.join(", ")
            )
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            // An unquoted secret is of the wrong type and a secret all the same.
            let found = if key.ends_with("secret") || key.ends_with("key") { "***".to_owned() } else { value(found) };
            format!("{place}: {key} is {found}, expected {}", plain(expected))
        }
        // The text of a TOML error is a drawing of several lines; the first says where, the last says what.
        Kind::Message(text) => {
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or("it cannot be read");
            let last = lines.next_back().map(|line| format!(": {line}")).unwrap_or_default();
            format!("{place}: {first}{last}")
        }
        other => format!("{place}: {key}: {other}"),
    }
}

/// The place that a value comes from.
pub(super) fn place(metadata: Option<&Metadata>) -> String {
    match metadata {
        Some(Metadata { source: Some(Source::File(path)), .. }) => {
            path.strip_prefix(".").unwrap_or(path).display().to_string()
        }
        Some(metadata) => metadata.name.to_string(),
        None => "settings".to_owned(),
    }
}

fn value(found: &Actual) -> String {
    match found {
        Actual::Str(text) => format!("\"{}\"", without_credentials(text)),
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
        expected if expected.starts_with("struct ") => "a table",
        expected => expected,
    }
}
