//! One value from an option or a variable, with the name of its origin.

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::quote::shown_address;
use super::{SettingsError, trimmed};

/// A value for one key.
pub(super) struct Layer {
    origin: String,
    key: String,
    value: Value,
}

impl Layer {
    /// A text.
    pub(super) fn text(origin: &str, key: &str, value: &str) -> Self {
        Self { origin: origin.to_owned(), key: key.to_owned(), value: value.into() }
    }

    /// An environment variable: a number if the default is one, else a text. An id that consists of digits stays a text.
    pub(super) fn variable(
        name: &str,
        key: &str,
        value: &str,
        meaning: &str,
        defaults: &Figment,
    ) -> Result<Self, SettingsError> {
        let layer = Self::text(&format!("environment variable {name}"), key, value);
        if !matches!(defaults.find_value(key), Ok(Value::Num(..))) {
            return Ok(layer);
        }
        let number: f64 = trimmed(value).parse().map_err(|_| {
            let shown = shown_address(value);
            SettingsError(format!("environment variable {name} is `{shown}`, expected a number: {meaning}"))
        })?;
        Ok(Self { value: number.into(), ..layer })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let nested = figment::util::nest(&self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}
