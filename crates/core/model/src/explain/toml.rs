//! Explains syntax errors in TOML to people who do not know TOML.

use crate::settings;
use crate::terminal::excerpt;

/// Characters of a name or a value that a message quotes.
const MAX_QUOTED_CHARS: usize = 100;

/// Explains errors of one kind of file.
#[derive(Debug, Clone, Copy)]
pub struct TomlExplainer {
    /// Name of a table, used in examples.
    pub table: &'static str,
    /// Whether messages may quote the file. Settings may contain secrets.
    pub quotes_values: bool,
}

impl TomlExplainer {
    /// What is wrong at byte `at` of the text, given the parser's message: one line in our own words.
    pub fn explain(self, text: &str, at: usize, message: &str) -> String {
        let rest = text.get(at..).unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default();
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || "_-.".contains(*c)).collect();
        let (first_line, expected) = message.split_once('\n').unwrap_or((message, ""));
        if let Some((_, name)) = message.split_once("duplicate key `") {
            let name = excerpt(&settings::redacted(name.split('`').next().unwrap_or_default()), MAX_QUOTED_CHARS);
            return match rest.starts_with('[') || message.contains("document root") && !is_assigned(rest) {
                true => format!("[{name}] appears twice"),
                false => format!("{name} is set twice"),
            };
        }
        match first_line {
            "invalid string" | "invalid array" => self.explain_value(rest, &word, first_line == "invalid array"),
            "invalid basic string"
            | "invalid literal string"
            | "invalid multiline basic string"
            | "invalid multiline literal string" => "a closing quote is missing".into(),
            "invalid escape sequence" | "invalid unicode 4-digit hex code" | "invalid unicode 8-digit hex code" => {
                "a backslash in \"…\" starts an escape: write two of them, or put the text in '…'".into()
            }
            "invalid inline table" => "a `}`, a comma, or `=` between a name and its value is missing".into(),
            "invalid table header" => format!("a header is a name in brackets, such as [{}]", self.table),
            "invalid key" => format!("{} is not a name: a comment starts with #", self.quoted(rest, "this")),
            "invalid floating-point number" => {
                "a number needs digits on both sides of its point, as in 0.5 or 5.0".into()
            }
            "number too large to fit in target type" => format!("{} is too large a number", self.quoted(&word, "this")),
            said if said.contains("`.`, `=`") => "`=` is missing between a name and its value".into(),
            said if said.starts_with("expected newline") => {
                let rest = self.quoted(rest.trim(), "what comes next");
                format!("{rest} cannot follow a value: a list needs brackets, a comment starts with #")
            }
            said => match said.strip_prefix("invalid type: ") {
                Some(found) => format!("found {found}"),
                None => format!("{said} {expected}").trim_end().to_owned(),
            },
        }
    }

    /// What is wrong where a value, or the end of a list, is expected.
    fn explain_value(self, rest: &str, word: &str, in_list: bool) -> String {
        let after = rest[word.len()..].trim_start();
        match word {
            "none" | "None" | "NONE" | "null" | "Null" | "nil" => format!("{word} needs quotes: \"none\""),
            "True" | "TRUE" => format!("write true instead of {word}"),
            "False" | "FALSE" => format!("write false instead of {word}"),
            _ if in_list && (rest.is_empty() || after.starts_with('=')) => {
                "the list is not closed: `]` is missing".into()
            }
            word if word.starts_with(char::is_alphabetic) => match self.quotes_values && word.len() <= MAX_QUOTED_CHARS
            {
                true => format!("{word} needs quotes: \"{word}\""),
                false => "text needs quotes: \"…\"".to_owned(),
            },
            _ if rest.starts_with('(') => "a list needs square brackets: [3, 5]".into(),
            _ if rest.starts_with(['“', '”', '„', '‘', '’', '«', '`']) => {
                "text needs plain quotes: \"…\"".into()
            }
            _ if in_list => {
                format!("a comma or `]` is missing before {}", self.quoted(rest.trim(), "what comes next"))
            }
            _ if rest.is_empty() || rest.starts_with('#') => "a value is missing".into(),
            _ => format!("{} is not a value", self.quoted(rest.trim(), "this")),
        }
    }

    fn quoted(self, text: &str, instead: &str) -> String {
        if self.quotes_values { format!("`{}`", excerpt(text, MAX_QUOTED_CHARS)) } else { instead.to_owned() }
    }
}

/// Whether a line sets a value.
fn is_assigned(line: &str) -> bool {
    line.contains('=')
}
