//! JSON as some servers write it: with numbers that JSON does not have.

use model::explain;
use serde_json::Value;

use crate::Unreadable;

/// The document without a byte-order mark, which JSON does not allow but editors write.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Parses a document. `NaN`, `Infinity` and numbers too large for `f64` become null: one such value must not cost all the
/// others.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    let bytes = without_bom(bytes);
    let strict = serde_json::from_slice(bytes);
    let lenient = || serde_json::from_slice(&without_infinities(bytes));
    strict.or_else(|error| lenient().map_err(|_| Unreadable(explain::json(&error))))
}

/// The document with `null` in place of every number outside of strings that is not finite.
fn without_infinities(bytes: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = match first {
            b'"' => string_length(rest),
            _ => rest.iter().take_while(|byte| is_word(byte)).count().max(1),
        };
        let (token, after) = rest.split_at(length);
        let number = std::str::from_utf8(token).ok().and_then(|token| token.parse::<f64>().ok());
        mended.extend_from_slice(if number.is_some_and(|number| !number.is_finite()) { b"null" } else { token });
        rest = after;
    }
    mended
}

/// Bytes of the string that begins here, with both quotes.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let end = bytes[1..].iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(bytes.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_are_none_are_null_and_cost_nothing_else() {
        let text = r#"{"a": NaN, "b": [-Infinity, 1e999, -1e999,Infinity], "NaN": "NaN, \\\"Infinity", "c": 1.5e3, "d": null}"#;
        let read = read(text.as_bytes()).unwrap();
        let nulls = [Value::Null, Value::Null, Value::Null, Value::Null];
        assert_eq!(read, json!({"a": null, "b": nulls, "NaN": "NaN, \\\"Infinity", "c": 1500.0, "d": null}));
    }

    #[test]
    fn what_is_no_document_stays_none() {
        for text in ["", "<html>", "{\"a\": ", "{\"a\": nan_of_it}", "\"open", "{\"a\": \"\\", "[1,]", "\u{feff}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
