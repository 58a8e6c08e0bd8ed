//! The settings file: read once, since it may be a pipe, and kept to look up the lines of its keys.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};
use model::explain::{self, TomlExplainer};

use super::quote::shown;

/// A larger file is not a settings file, or is endless, such as a device.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A file that can be read as TOML.
pub(super) struct SettingsFile {
    path: PathBuf,
    text: String,
}

impl SettingsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, after its name and the line where that is known: `a.toml: there is no such file`,
    /// `a.toml:3: a value is missing`.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Self::read_unnamed(path).map_err(|why| format!("{}{why}", file_name(path)))
    }

    /// [`read`](Self::read) with errors that lack the file name.
    fn read_unnamed(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| format!(": {}", explain::io(&error)))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!(": not a settings file: it has more than {MAX_FILE_BYTES} bytes"));
        }
        let text = explain::utf8_text(&bytes).map_err(|why| format!(": {why}"))?.to_owned();
        let table = Toml::from_str::<Dict>(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text[..at].matches('\n').count() + 1;
            let explainer = TomlExplainer { table: "lastfm", quotes_values: false };
            format!(":{line}: {}", explainer.explain(&text, at, error.message()))
        })?;
        let file = Self { path: path.to_owned(), text };
        match list_of_tables("", &table) {
            None => Ok(file),
            Some(key) => {
                let (line, key) = (file.line_of(&key), shown(&key));
                let line = line.map_or_else(String::new, |line| format!(":{line}"));
                Err(format!(
                    "{line}: {key} is a list of tables, expected a table: write its header with single brackets, [{key}]"
                ))
            }
        }
    }

    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// The line of a key, counted from 1; for a key of an inline table, the line of that table.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let (mut table, mut found) = (String::new(), None::<(usize, usize)>);
        for (line, number) in self.text.lines().map(str::trim).zip(1..) {
            let line_key = match (line.strip_prefix('['), line.split_once('=')) {
                (Some(header), _) => {
                    table = bare_key(header.split(']').next().unwrap_or_default().trim_start_matches('['));
                    table.clone()
                }
                (None, Some((name, _))) if table.is_empty() => bare_key(name),
                (None, Some((name, _))) => format!("{table}.{}", bare_key(name)),
                (None, None) => continue,
            };
            let begins = |key: &str, with: &str| {
                key.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let (is_related, length) =
                (begins(key, &line_key) || begins(&line_key, key), line_key.len().min(key.len()));
            if is_related && found.is_none_or(|(longest, _)| length > longest) {
                found = Some((length, number));
            }
        }
        found.map(|(_, number)| number)
    }
}

/// The name of a settings file in messages.
fn file_name(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// The key of a list of tables, such as `[[lastfm]]`. The deserializer would take its items for fields.
fn list_of_tables(path: &str, table: &Dict) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Dict(_, table) => list_of_tables(&path, table),
            Value::Array(_, items) => items.iter().any(|item| item.as_dict().is_some()).then_some(path),
            _ => None,
        }
    })
}

/// A key without blanks and quotes.
fn bare_key(key: &str) -> String {
    let parts = key.split('.').map(|part| part.trim().trim_matches(['"', '\'']));
    parts.collect::<Vec<_>>().join(".")
}

impl Provider for SettingsFile {
    fn metadata(&self) -> Metadata {
        Metadata::from("settings file", self.path.as_path())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let table = Toml::from_str(&self.text).map_err(|error| Error::from(error.message().to_owned()))?;
        Ok(Profile::Default.collect(table))
    }
}
