//! What the spellings of a name have in common.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The key that spellings are compared by: letters and digits only, compatibility forms resolved (NFKC), case folded,
/// `&` read as `and`, accents of Latin letters dropped. The marks of other scripts are part of their letters (`й`, `パ`,
/// `हि`) and stay.
pub(super) fn squash(name: &str) -> String {
    let spelled_out = folded(&resolved(name)).replace('&', "and");
    let mut keeps_marks = false;
    // Taken apart, so that each mark is judged by the letter before it whichever way it was typed.
    let letters = spelled_out.nfd().filter(|&c| match c {
        c if is_invisible(c) => false,
        c if is_combining_mark(c) => keeps_marks,
        c => {
            keeps_marks = c.is_alphabetic() && !is_latin(c);
            c.is_alphanumeric()
        }
    });
    letters.nfc().collect()
}

/// The name with its compatibility forms resolved (`ﾊﾟ` is `パ`, `ﬁ` is `fi`), but for Thai and Lao, where that would tear
/// the vowel of `หมอลำ` apart.
fn resolved(name: &str) -> String {
    let mut resolved = String::with_capacity(name.len());
    for c in name.nfc() {
        match c {
            '\u{e00}'..='\u{eff}' => resolved.push(c),
            // The voicing marks of kana where they are typed as characters of their own.
            '\u{309b}' => resolved.push('\u{3099}'),
            '\u{309c}' => resolved.push('\u{309a}'),
            c => resolved.extend(std::iter::once(c).nfkc()),
        }
    }
    resolved.nfc().collect()
}

/// The same for every case: by way of upper case, where `ß` is `ss` and the two small sigmas are one; `ẞ` gets there only
/// as `ß`.
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Characters that only steer how their neighbours are drawn: joiners and variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{c0}'..='\u{2b8}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a722}'..='\u{a7ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_letter_and_no_mark_of_other_scripts_is_lost(
            words in prop::collection::vec(
                prop_oneof![
                    "[\\p{Cyrillic}&&\\p{L}]{1,4}[\u{301}\u{306}\u{308}]?",
                    // Without the iota that is written below a vowel, alone: no accent can stand on it.
                    "[\\p{Greek}&&\\p{L}--\u{37a}]{1,4}[\u{301}\u{308}]?",
                    "([\\p{Hebrew}&&\\p{L}][\u{5b0}-\u{5bc}]?){1,4}",
                    "([\u{621}-\u{63a}\u{641}-\u{64a}][\u{64b}-\u{652}]?){1,4}",
                    "([\\p{Devanagari}&&\\p{L}][\u{93c}\u{93e}-\u{94d}]?){1,4}",
                    "([\\p{Tamil}&&\\p{L}][\u{bbe}-\u{bc2}\u{bcd}]?){1,4}",
                    "([\u{e01}-\u{e2e}][\u{e31}\u{e33}-\u{e39}]?[\u{e48}-\u{e4c}]?){1,4}",
                    "([\u{30a1}-\u{30f6}\u{3041}-\u{3096}][\u{3099}\u{309a}\u{30fc}]?){1,4}",
                    "[\\p{Hangul}&&\\p{L}]{1,4}",
                ],
                1..4,
            ),
            decomposed in any::<bool>(),
        ) {
            let name = words.join(" ");
            let kept: String = squash(&if decomposed { name.nfd().collect() } else { name.clone() });
            prop_assert_eq!(kept, folded(&resolved(&name)).replace(' ', "").nfc().collect::<String>());
        }
    }
}
