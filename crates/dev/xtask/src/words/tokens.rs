//! Rust's tokens, as far as it takes to tell names from texts and comments.

/// An identifier, a number or a character of punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// Counted from 1.
    pub line: usize,
}

impl Token<'_> {
    pub fn is_identifier(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// All tokens but comments, texts, characters and lifetimes.
pub fn read(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_bytes(rest);
        let length = if skipped > 0 {
            skipped
        } else {
            let length = word_bytes(rest).max(first.len_utf8());
            if !first.is_whitespace() {
                tokens.push(Token { text: &rest[..length], line });
            }
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// How long the comment, text, character or lifetime is that begins here; 0 where none does.
fn skipped_bytes(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment_bytes(rest);
    }
    // b"…", c"…", r#"…"#, br"…"
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let text = &rest[prefix..];
    let hashes = text.len() - text.trim_start_matches('#').len();
    if prefix <= 2 && rest[..prefix].ends_with('r') && text[hashes..].starts_with('"') {
        let end = format!("\"{}", &text[..hashes]);
        let from = prefix + hashes + 1;
        return rest[from..].find(&end).map_or(rest.len(), |at| from + at + end.len());
    }
    if prefix <= 1 && text.starts_with('"') {
        return prefix + quoted_bytes(text, '"');
    }
    if prefix <= 1 && text.starts_with('\'') {
        return prefix + character_bytes(text);
    }
    0
}

/// Comments nest.
fn comment_bytes(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// From the opening quote to the closing one.
fn quoted_bytes(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if character == quote {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn character_bytes(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    let is_escape = characters.next().is_some_and(|(_, first)| first == '\\');
    let is_closed = characters.next().is_some_and(|(_, second)| second == '\'');
    if is_escape || is_closed { quoted_bytes(text, '\'') } else { 1 + word_bytes(&text[1..]) }
}

fn word_bytes(rest: &str) -> usize {
    rest.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        read(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_texts_and_characters_are_left_out() {
        assert_eq!(texts("a /* b /* c */ d */ e // f\ng"), ["a", "e", "g"]);
        assert_eq!(texts(r##"a("b\"c", r#"d"e"#, br"f\", b'g', '\'', '"', h)"##).concat(), "a(,,,,,,h)");
        assert_eq!(texts("fn crab<'a>(rest: &'a str)").concat(), "fncrab<>(rest:&str)");
        assert_eq!(texts("let é = 'é';").concat(), "leté=;");
    }

    #[test]
    fn lines_are_counted_in_what_is_left_out_too() {
        let lines: Vec<_> = read("a\n\"\n\" /*\n*/ b\nc").into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 4), ("c", 5)]);
    }
}
