//! HTML entities, which texts copied from web pages still contain.

use std::borrow::Cow;

/// How often a text may have been escaped.
const MAX_ROUNDS: usize = 3;

/// Characters of the longest entity, between `&` and `;`.
const MAX_ENTITY_CHARACTERS: usize = 8;

/// The names of U+00A0 to U+00FF.
const LATIN_1_ENTITIES: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy",
    "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm",
    "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig",
    "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve",
    "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN",
    "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc",
    "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

const OTHER_ENTITIES: [(&str, char); 13] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bull", '•'),
    ("hellip", '…'),
];

/// The text with characters in place of entities, also where it was escaped more than once: `r&amp;amp;b`.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_ROUNDS {
        match once(&text) {
            Some(decoded) => text = Cow::Owned(decoded),
            None => break,
        }
    }
    text
}

/// `None` where there is no entity.
fn once(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        decoded.push_str(before);
        match character(&entity[1..]) {
            Some((char, behind)) => {
                decoded.push(char);
                rest = behind;
                is_changed = true;
            }
            None => {
                decoded.push('&');
                rest = &entity[1..];
            }
        }
    }
    decoded.push_str(rest);
    is_changed.then_some(decoded)
}

/// The character of the entity behind an `&`, and what follows it.
fn character(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(MAX_ENTITY_CHARACTERS + 1).position(|byte| byte == b';')?;
    let (name, behind) = (&text[..end], &text[end + 1..]);
    let char = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        }),
        None => {
            let latin = LATIN_1_ENTITIES.iter().position(|latin| *latin == name).map(|i| '\u{a0}' as u32 + i as u32);
            let other = || OTHER_ENTITIES.iter().find(|(other, _)| *other == name).map(|(_, char)| *char);
            latin.and_then(char::from_u32).or_else(other)
        }
    };
    Some((char?, behind))
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn entities_become_their_characters_and_nothing_else_changes() {
        for (text, expected) in [
            ("r&amp;b", "r&b"),
            ("r&amp;amp;b", "r&b"),
            ("drum &#39;n&#39; bass", "drum 'n' bass"),
            ("drum &#x27;n&#X27; bass", "drum 'n' bass"),
            ("chanson fran&ccedil;aise", "chanson française"),
            ("m&uacute;sica &Ntilde; &yuml;", "música Ñ ÿ"),
            ("rock&nbsp;and&nbsp;roll", "rock\u{a0}and\u{a0}roll"),
            ("&quot;pop&quot; &lt;3", "\"pop\" <3"),
            ("&#127925;", "🎵"),
            ("r&b;soul", "r&b;soul"),
            ("r&b; soul & funk;", "r&b; soul & funk;"),
            ("&;&#;&#x;&#xd800;&#99999999;&é;", "&;&#;&#x;&#xd800;&#99999999;&é;"),
            ("a&", "a&"),
            ("", ""),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
