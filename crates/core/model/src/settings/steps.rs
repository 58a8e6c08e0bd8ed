//! The setting of an exponential back-off.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// First wait and cap of an exponential back-off, in seconds; as text `FIRST..CAP`, such as `10..600`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackoffSettings {
    /// The first wait, which doubles with every further one.
    pub first: f64,
    /// The longest wait.
    pub cap: f64,
}

/// The expected form of the text.
const SHAPE: &str = "FIRST..CAP in seconds, such as 10..600";

impl FromStr for BackoffSettings {
    type Err = String;

    /// Parses `FIRST..CAP` or `FIRST,CAP`. The numbers are not validated.
    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text}` is not {SHAPE}");
        let (first, cap) = text.split_once("..").or_else(|| text.split_once(',')).ok_or_else(malformed)?;
        let number = |part: &str| part.trim().parse().map_err(|_| malformed());
        Ok(Self { first: number(first)?, cap: number(cap)? })
    }
}

impl fmt::Display for BackoffSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.cap)
    }
}

impl Serialize for BackoffSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BackoffSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BackoffVisitor;

        impl Visitor<'_> for BackoffVisitor {
            type Value = BackoffSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SHAPE)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<BackoffSettings, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(BackoffVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_and_written() {
        for (text, first, cap, written) in
            [("10..600", 10.0, 600.0, "10..600"), (" 0.2 .. 2 ", 0.2, 2.0, "0.2..2"), ("1,30", 1.0, 30.0, "1..30")]
        {
            let steps: BackoffSettings = text.parse().unwrap();
            assert_eq!((steps, &*steps.to_string()), (BackoffSettings { first, cap }, written));
        }
        for text in ["", "10", "10..", "a..b", "1..2..3", "1-2"] {
            assert_eq!(text.parse::<BackoffSettings>(), Err(format!("`{text}` is not {SHAPE}")));
        }
    }
}
