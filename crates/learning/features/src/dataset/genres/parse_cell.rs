//! Parses the genres in one cell of an imported table: a list as Python, numpy or JSON print it, or names between separators.

use std::borrow::Cow;

use super::entities::decoded;

/// Words that mean "missing", in lower case.
const MISSING_WORDS: [&str; 9] = ["", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "-"];

/// The brackets of Python's lists, sets and tuples and of JSON's lists.
const BRACKETS: [(char, char); 3] = [('[', ']'), ('{', '}'), ('(', ')')];

/// Levels of lists within lists, or within `array(…)`, that are unwrapped.
const MAX_NESTING: usize = 4;

/// How Python writes empty collections whose brackets alone would mean something else.
const EMPTY_COLLECTIONS: [&str; 4] = ["set()", "frozenset()", "list()", "tuple()"];

/// What Python may write before a quote: the text's type, and what then stands behind it.
const QUOTE_PREFIXES: [(&str, &str); 5] = [("", ""), ("u", ""), ("b", ""), ("np.str_(", ")"), ("numpy.str_(", ")")];

/// Whether a text says that there is nothing.
pub(super) fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 4 && MISSING_WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// A cell without the entities of HTML. Those within the quotes of a list may be quotes themselves: they stay until the
/// list is read.
pub(super) fn unescaped(cell: &str) -> Cow<'_, str> {
    let is_quoted = |inside: &str| inside.contains(['\'', '"']);
    if inside(cell).is_some_and(is_quoted) { Cow::Borrowed(cell) } else { decoded(cell) }
}

/// What is between the brackets, where a cell is a list as Python, numpy or JSON write it; `None`: it is none.
pub(super) fn inside(cell: &str) -> Option<&str> {
    inside_within(cell, MAX_NESTING)
}

fn inside_within(cell: &str, depth: usize) -> Option<&str> {
    let (cell, deeper) = (cell.trim(), depth.checked_sub(1)?);
    if EMPTY_COLLECTIONS.contains(&cell) {
        return Some("");
    }
    if let Some(list) = argument(cell) {
        return inside_within(list, deeper);
    }
    let (open, close) = *BRACKETS.iter().find(|(open, _)| cell.starts_with(*open))?;
    let inner = cell.strip_prefix(open)?.strip_suffix(close)?.trim();
    // Names may be in brackets of the other kinds: `(indie)`.
    let is_list = open == '[' || inner.is_empty() || inner.starts_with(['[', '{', '(']) || quote(inner).is_some();
    is_list.then(|| inside_within(inner, deeper).unwrap_or(inner))
}

/// The list that `array(['rock'], dtype=object)`, `set(['rock'])` and the like are made of.
fn argument(cell: &str) -> Option<&str> {
    let (name, rest) = cell.split_once('(')?;
    let rest = rest.strip_suffix(')')?.trim();
    let (_, close) = BRACKETS.iter().find(|(open, _)| rest.starts_with(*open))?;
    let (list, keywords) = rest.split_at(rest.rfind(*close)? + 1);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let are_keywords = keywords.trim().is_empty() || keywords.starts_with(',');
    (is_name && are_keywords).then_some(list)
}

/// Whether a cell that is no list was written by a program all the same, so that its parts are no names.
pub(super) fn is_code(cell: &str) -> bool {
    cell.starts_with('[') || ["['", "[\"", "dtype="].iter().any(|part| cell.contains(part))
}

/// Why a cell that looks like a list has no texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListError {
    /// It has `...` in place of some, as numpy prints long arrays.
    Shortened,
    /// It is no list, or one of something else.
    Other,
}

/// The texts of a list, from between its brackets: in either kind of quotes, with Python's escapes, which are also JSON's,
/// or bare; parted by commas, or where they are quoted by blanks, as numpy prints them.
pub(super) fn list(inside: &str) -> Result<Vec<String>, ListError> {
    let between = |c: char| c == ',' || c.is_whitespace();
    let mut texts = Vec::new();
    let mut rest = inside.trim_start_matches(between);
    while !rest.is_empty() {
        let behind = if let Some((prefix, behind_text)) = quote(rest) {
            let (text, behind) = quoted(&rest[prefix.len()..]).ok_or(ListError::Other)?;
            texts.push(if prefix == "b" { decode_python_bytes(text) } else { text });
            behind.strip_prefix(behind_text).ok_or(ListError::Other)?
        } else if is_ellipsis(rest) {
            return Err(ListError::Shortened);
        } else {
            let (bare, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            if bare.contains(['\'', '"', '[', ']', '{', '}']) {
                return Err(ListError::Other);
            }
            texts.push(bare.trim_end().to_owned());
            behind
        };
        rest = behind.trim_start_matches(between);
        if rest.len() == behind.len() && !rest.is_empty() {
            return Err(ListError::Other);
        }
    }
    Ok(names(texts.iter().map(String::as_str)))
}

/// Whether a text begins with `...` as a word of its own.
fn is_ellipsis(text: &str) -> bool {
    let behind = text.strip_prefix("...").or_else(|| text.strip_prefix('…'));
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(|c: char| c == ',' || c.is_whitespace()))
}

/// Names as they are, without words that stand for nothing.
pub(super) fn names<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    texts.map(|text| decoded(text).trim().to_owned()).filter(|text| !is_missing(text)).collect()
}

/// What stands before a quote at the beginning of a text, and what has to stand behind the other.
fn quote(text: &str) -> Option<(&'static str, &'static str)> {
    let is_quoted = |prefix: &str| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['\'', '"']));
    QUOTE_PREFIXES.into_iter().find(|(prefix, _)| is_quoted(prefix))
}

/// The text of Python's bytes, which were read as a character each.
fn decode_python_bytes(text: String) -> String {
    let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(char).ok()).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(text)
}

/// What stands between a quote, at the beginning, and the next, and what is behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next()?;
    let text = &text[quote.len_utf8()..];
    let mut unescaped = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next()?.1 {
                'n' | 'r' | 't' | 'b' | 'f' => unescaped.push(' '),
                'x' => unescaped.push(char::from_u32(hex(&mut chars, 2)?)?),
                'u' => unescaped.push(unit(&mut chars)?),
                'U' => unescaped.push(char::from_u32(hex(&mut chars, 8)?)?),
                other => unescaped.push(other),
            },
            c if c == quote => return Some((unescaped, &text[at + c.len_utf8()..])),
            c => unescaped.push(c),
        }
    }
    None
}

/// What `\u` stands for; JSON writes rare letters as two of them.
fn unit(chars: &mut std::str::CharIndices) -> Option<char> {
    let high = hex(chars, 4)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    let is_escape = chars.next()?.1 == '\\' && chars.next()?.1 == 'u';
    let low = hex(chars, 4).filter(|low| is_escape && (0xdc00..0xe000).contains(low))?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn hex(chars: &mut std::str::CharIndices, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |number, _| Some(number * 16 + chars.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::{ListError, inside, list};

    fn read(cell: &str) -> Result<Vec<String>, ListError> {
        list(inside(cell).ok_or(ListError::Other)?)
    }

    #[test]
    fn lists_of_python_json_and_numpy_are_read() {
        let cases: &[(&str, &[&str])] = &[
            ("['indie rock italiano', 'italian pop']", &["indie rock italiano", "italian pop"]),
            (
                r#"["children's music", 'rock \'n\' roll', "12\" mix"]"#,
                &["children's music", "rock 'n' roll", "12\" mix"],
            ),
            (
                r#"["r&b, soul","chanson fran\u00e7aise","\ud83c\udfb5 x","a\/b"]"#,
                &["r&b, soul", "chanson française", "🎵 x", "a/b"],
            ),
            (r"['fran\xe7ais', 'a\\b', 'x\ny', '\U0001f3b5']", &["français", "a\\b", "x y", "🎵"]),
            ("['rock' 'pop'\n 'folk']", &["rock", "pop", "folk"]),
            ("[rock, dream pop]", &["rock", "dream pop"]),
            ("{'rock', 'pop'}", &["rock", "pop"]),
            ("('rock',)", &["rock"]),
            ("set(['rock'])", &["rock"]),
            ("frozenset({'rock'})", &["rock"]),
            ("array(['jazz', 'rock'], dtype=object)", &["jazz", "rock"]),
            ("array(['jazz', 'dream pop',\n       'rock'], dtype='<U9')", &["jazz", "dream pop", "rock"]),
            ("np.array([\"it's\", 'rock'])", &["it's", "rock"]),
            ("array([], dtype=object)", &[]),
            ("Index(['jazz', 'rock'], dtype='object', name='genre')", &["jazz", "rock"]),
            ("deque([u'jazz', u'rock'])", &["jazz", "rock"]),
            ("[np.str_('jazz'), np.str_('rock')]", &["jazz", "rock"]),
            ("{np.str_('jazz')}", &["jazz"]),
            (r"[b'jazz' b'm\xc3\xbasica']", &["jazz", "música"]),
            ("(u'jazz', u'rock')", &["jazz", "rock"]),
            ("['r&amp;b', 'drum &#39;n&#39; bass']", &["r&b", "drum 'n' bass"]),
            (" [ None , 'rock', 'nan', '' ] ", &["rock"]),
            ("[[\"rock\", \"pop\"]]", &["rock", "pop"]),
            ("[]", &[]),
            ("set()", &[]),
            ("tuple()", &[]),
            ("{}", &[]),
            ("['']", &[]),
        ];
        for (cell, expected) in cases {
            assert_eq!(
                read(cell).as_deref(),
                Ok(&expected.iter().map(|text| text.to_string()).collect::<Vec<_>>()[..]),
                "{cell}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_lists() {
        for cell in [
            "rock",
            "(indie) rock",
            "(indie)",
            "{rock}",
            "[rock",
            "rock, pop]",
            "rock (live)",
            "array('rock', dtype=object)",
            "array(['rock'] dtype=object)",
            "pop()",
            "",
        ] {
            assert_eq!(inside(cell), None, "{cell}");
        }
        for cell in [
            "['it's', 'pop']",
            "[{'id': 18, 'name': 'pop'}]",
            "{'rock': 100, 'pop': 50}",
            "[('rock', 100), ('pop', 50)]",
            "['rock",
            "['rock]",
            "[['a'], ['b']]",
            "[[[[[['rock']]]]]]",
            "[np.str_('rock', 'pop']",
            r"['\ud83c']",
        ] {
            assert_eq!(read(cell), Err(ListError::Other), "{cell}");
        }
    }
    #[test]
    fn lists_that_were_shortened_are_told_from_names_with_dots() {
        for cell in [
            "['rock' 'pop' ... 'folk' 'jazz']",
            "array(['jazz', 'pop', ..., 'rock'], dtype=object)",
            "array(['jazz', ...,\n       'rock'], dtype=object)",
            "[rock, pop, ...]",
            "[rock, …, pop]",
        ] {
            assert_eq!(read(cell), Err(ListError::Shortened), "{cell}");
        }
        let names = ["...and oceans", "etc..."].map(str::to_owned).to_vec();
        for cell in ["['...and oceans', 'etc...']", "[...and oceans, etc...]"] {
            assert_eq!(read(cell), Ok(names.clone()), "{cell}");
        }
    }
}
