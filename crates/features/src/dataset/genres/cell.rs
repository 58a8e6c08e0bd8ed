//! The genres of one cell.

/// Words that stand for nothing, in small letters.
const MISSING: [&str; 9] = ["", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "-"];

/// What Python's lists, sets and tuples, and JSON's lists stand in.
const BRACKETS: [(&str, &str); 5] = [("frozenset(", ")"), ("set(", ")"), ("[", "]"), ("{", "}"), ("(", ")")];

/// Whether a text says that there is nothing.
pub(super) fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 4 && MISSING.contains(&text.to_ascii_lowercase().as_str())
}

/// What is between the brackets, where a cell is a list as Python or JSON write it; `None`: it is none.
pub(super) fn inside(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    let (open, inner) = BRACKETS.iter().find_map(|(open, close)| {
        let inner = cell.strip_prefix(open)?.strip_suffix(close)?;
        Some((*open, inner.trim()))
    })?;
    // Names may be in brackets of the other kinds: `(indie)`.
    let is_list = open == "[" || inner.is_empty() || inner.starts_with(['\'', '"', '[', '{', '(']);
    is_list.then(|| inside(inner).unwrap_or(inner))
}

/// The texts of a list, from between its brackets: in either kind of quotes, with Python's escapes, which are also JSON's,
/// or bare; parted by commas, or where they are quoted by blanks, as numpy prints them. `None`: it is no list of texts.
pub(super) fn list(inside: &str) -> Option<Vec<String>> {
    let between = |c: char| c == ',' || c.is_whitespace();
    let mut texts = Vec::new();
    let mut rest = inside.trim_start_matches(between);
    while let Some(first) = rest.chars().next() {
        let behind = if ['\'', '"'].contains(&first) {
            let (text, behind) = quoted(&rest[1..], first)?;
            texts.push(text);
            behind
        } else {
            let (bare, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            if bare.contains(['\'', '"', '[', ']', '{', '}']) {
                return None;
            }
            texts.push(bare.trim_end().to_owned());
            behind
        };
        rest = behind.trim_start_matches(between);
        if rest.len() == behind.len() && !rest.is_empty() {
            return None;
        }
    }
    texts.retain(|text| !is_missing(text));
    Some(texts)
}

/// A text up to its quote, and what is behind it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
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
    use super::{inside, list};

    fn read(cell: &str) -> Option<Vec<String>> {
        list(inside(cell)?)
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
            (" [ None , 'rock', 'nan', '' ] ", &["rock"]),
            ("[[\"rock\", \"pop\"]]", &["rock", "pop"]),
            ("[]", &[]),
            ("set()", &[]),
            ("{}", &[]),
            ("['']", &[]),
        ];
        for (cell, expected) in cases {
            assert_eq!(
                read(cell).as_deref(),
                Some(&expected.iter().map(|text| text.to_string()).collect::<Vec<_>>()[..]),
                "{cell}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_lists() {
        for cell in ["rock", "(indie) rock", "(indie)", "{rock}", "[rock", "rock, pop]", ""] {
            assert_eq!(inside(cell), None, "{cell}");
        }
        for cell in
            ["['it's', 'pop']", "[{'id': 18, 'name': 'pop'}]", "['rock", "['rock]", "[['a'], ['b']]", r"['\ud83c']"]
        {
            assert_eq!(read(cell), None, "{cell}");
        }
    }
}
