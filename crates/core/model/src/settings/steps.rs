//! A back-off as a setting.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// First step and cap of a back-off, in seconds; as text `FIRST..CAP`, such as `10..600`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// The first wait; doubled with each further one.
    pub first: f64,
    /// The longest wait.
    pub cap: f64,
}

/// What the text has to look like.
const SHAPE: &str = "FIRST..CAP in seconds, such as 10..600";

impl FromStr for Steps {
    type Err = String;

    /// Reads `FIRST..CAP`, or `FIRST,CAP`. Whether the numbers make sense is not asked.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not {SHAPE}");
        let (first, cap) = text.split_once("..").or_else(|| text.split_once(',')).ok_or_else(refused)?;
        let number = |part: &str| part.trim().parse().map_err(|_| refused());
        Ok(Self { first: number(first)?, cap: number(cap)? })
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.cap)
    }
}

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Steps;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SHAPE)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Steps, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
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
            let steps: Steps = text.parse().unwrap();
            assert_eq!((steps, &*steps.to_string()), (Steps { first, cap }, written));
        }
        for text in ["", "10", "10..", "a..b", "1..2..3", "1-2"] {
            assert_eq!(text.parse::<Steps>(), Err(format!("`{text}` is not {SHAPE}")));
        }
    }
}
