//! Trims texts: files and variables often have invisible blanks and line ends around a value.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::quote::shown;

/// The text without surrounding white space and byte-order marks.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Settings with trimmed texts. A text with a line end or another control character inside is an error that names its key.
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

/// Trims all texts of a value. Fails for one that is not a single line.
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
