//! Escaping of untrusted text for terminals: names, reasons, payloads.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal may interpret the character as a command (all control characters, including C1), or show other
/// characters in another order or on another line because of it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with unsafe characters escaped as in Rust: `\u{1b}`, `\n`. The result is one line.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_unless(text, |_| false, |out, c| out.extend(c.escape_default()))
}

/// The first `max_chars` characters of a text, [escaped]; `…` stands for the rest.
pub fn excerpt(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => escaped(text).into_owned(),
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
    }
}

/// The text with unsafe characters escaped as in Rust, except line ends and tabs.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_unless(text, |c| c == '\n' || c == '\t', |out, c| out.extend(c.escape_default()))
}

/// A JSON document without unsafe characters in its strings: JSON itself requires escaping only of ASCII control characters.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let escape = |out: &mut String, c| {
        // Every unsafe character has four hexadecimal digits at most.
        let _ = write!(out, "\\u{:04x}", u32::from(c));
    };
    escaped_unless(json, |c| c == '\n', escape)
}

fn escaped_unless(text: &str, is_kept: fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let is_bad = |c: char| is_unsafe(c) && !is_kept(c);
    if !text.contains(is_bad) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_bad(c) { escape(&mut out, c) } else { out.push(c) }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_all_else_stays() {
        assert_eq!(escaped("a\x1b[2Jb\r\n\t\u{9b}1m\x07\u{202e}"), r"a\u{1b}[2Jb\r\n\t\u{9b}1m\u{7}\u{202e}");
        assert_eq!(escaped_lines("a\n\tb\r\x7f"), "a\n\tb\\r\\u{7f}");
        for name in ["Sigur Rós – Ágætis byrjun", "パンク", "हिन्दी", "עברית", "👩‍🎤", r"a\u{1b}"]
        {
            assert_eq!(escaped(name), name);
        }
    }

    #[test]
    fn an_excerpt_is_the_whole_of_a_short_text_and_the_beginning_of_a_long_one() {
        assert_eq!(excerpt("é\n", 2), r"é\n");
        assert_eq!(excerpt("éà\u{202e}x", 3), r"éà\u{202e}…");
        assert_eq!(excerpt("", 0), "");
    }

    proptest! {
        #[test]
        fn escaped_json_is_the_same_document_without_unsafe_characters(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let escaped = escaped_json(&json);
            prop_assert!(!escaped.contains(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
}
