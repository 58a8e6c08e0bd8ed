//! Slips of the pen in a grid, in words of somebody who knows Python and not TOML.

/// What is wrong at a place of the text, given what the parser says of it: one line without the parser's own words.
pub(super) fn of(text: &str, at: usize, said: &str) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let rest = rest.lines().next().unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || "_-.".contains(*c)).collect();
    let (first_line, expected) = said.split_once('\n').unwrap_or((said, ""));
    if let Some((_, name)) = said.split_once("duplicate key `") {
        let name = name.split('`').next().unwrap_or_default();
        return match rest.starts_with('[') || said.contains("document root") {
            true => format!("[{name}] is there twice: write [[{name}]] each time for several products of one family"),
            false => format!("{name} is there twice"),
        };
    }
    match first_line {
        "invalid string" | "invalid array" => value(rest, &word, first_line == "invalid array"),
        "invalid basic string" | "invalid literal string" => "a closing quote is missing".into(),
        "invalid inline table" => "a `}` or a comma is missing, or `=` between a name and its value".into(),
        "invalid table header" => "a header is a name in brackets, such as [knn]".into(),
        "invalid key" => format!("`{rest}` is no name: a comment begins with #"),
        "invalid floating-point number" => "a fraction has digits on both sides of its point, as in 0.5 and 5.0".into(),
        "number too large to fit in target type" => format!("{word} is too large a number"),
        said if said.contains("`.`, `=`") => "`=` is missing between a name and its value".into(),
        said if said.starts_with("expected newline") => {
            format!("`{}` cannot stand behind a value: a list has brackets, a comment begins with #", rest.trim())
        }
        said => match said.strip_prefix("invalid type: ") {
            Some(found) => format!("found {found}"),
            None => format!("{said} {expected}").trim_end().to_owned(),
        },
    }
}

/// What is wrong where a value should be, or the end of a list.
fn value(rest: &str, word: &str, in_list: bool) -> String {
    let after = rest[word.len()..].trim_start();
    match word {
        "none" | "None" | "NONE" | "null" | "Null" | "nil" => format!("{word} needs quotes: \"none\""),
        "True" | "TRUE" => format!("{word} is written true"),
        "False" | "FALSE" => format!("{word} is written false"),
        _ if in_list && (rest.is_empty() || after.starts_with('=')) => "a list has no end: `]` is missing".into(),
        word if word.starts_with(char::is_alphabetic) => format!("{word} needs quotes: \"{word}\""),
        _ if rest.starts_with('(') => "a list has brackets: [3, 5]".into(),
        _ if rest.starts_with(['“', '”', '„', '‘', '’', '«', '`']) => {
            "a text has plain quotes: \"…\"".into()
        }
        _ if in_list => format!("a comma or `]` is missing before `{}`", rest.trim()),
        _ if rest.is_empty() || rest.starts_with('#') => "a value is missing".into(),
        _ => format!("`{}` is no value", rest.trim()),
    }
}
