//! Texts as they were meant: files and environments carry blanks and line ends that nobody sees.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::quote::shown;

/// The text without the white space and the byte-order marks around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Settings whose texts are trimmed. One with a line end or another control character inside is refused by its name.
pub(super) struct Trimmed<P>(pub(super) P);

impl<P: Provider> Provider for Trimmed<P> {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.0.data()?;
        for (key, value) in data.values_mut().flatten() {
            trim(key, value).map_err(|error| *error)?;
        }
        Ok(data)
    }
}

/// Trims all texts of a value, or says which of them is no single line.
fn trim(key: &str, value: &mut Value) -> Result<(), Box<Error>> {
    match value {
        Value::String(_, text) => *text = trimmed(text).to_owned(),
        Value::Dict(_, table) => {
            return table.iter_mut().try_for_each(|(name, value)| trim(&format!("{key}.{name}"), value));
        }
        Value::Array(_, list) => return list.iter_mut().try_for_each(|value| trim(key, value)),
        _ => {}
    }
    // The value is not shown: it may be a secret.
    match value.as_str() {
        Some(text) if text.contains(char::is_control) => {
            let shown = shown(key);
            let what = format!("{shown} has a line end or another control character in it, expected a single line");
            Err(Box::new(Error::from(what).with_path(key)))
        }
        _ => Ok(()),
    }
}
