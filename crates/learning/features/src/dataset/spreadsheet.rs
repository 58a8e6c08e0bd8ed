//! Texts that a spreadsheet displays and does not evaluate.

use std::borrow::Cow;

/// First characters of formulas, including their full-width forms.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Characters that a spreadsheet may take for separators, whatever the file's own separator is: a cell may begin after them.
const SEPARATORS: [char; 5] = [';', '|', '\t', '\r', '\n'];

/// Quotes and invisible characters that may precede a formula, like blanks.
const SKIPPED: [char; 6] = ['"', '\'', '“', '”', '\u{feff}', '\u{200b}'];

/// A text with an apostrophe before everything that a spreadsheet may take for the beginning of a formula (OWASP, "CSV
/// Injection"): it is then shown as it is. A text that is a number stays one.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(FORMULA) || is_number(text) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for c in text.chars() {
        if begins && FORMULA.contains(&c) {
            safe.push('\'');
            begins = false;
        }
        safe.push(c);
        begins = SEPARATORS.contains(&c) || begins && (c.is_whitespace() || c.is_control() || SKIPPED.contains(&c));
    }
    safe.into()
}

/// Whether a text is a number in digits; `-inf` and `+nan` would be names in a spreadsheet.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c)) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_may_begin_a_formula_gets_an_apostrophe() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+44 20", "'+44 20"),
            ("-inf", "'-inf"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\r1", "'\r1"),
            ("\"=1", "\"'=1"),
            ("' \" =1", "' \" '=1"),
            ("\u{feff}=1", "\u{feff}'=1"),
            ("a;=1", "a;'=1"),
            ("a\n-1;\t@b", "a\n'-1;'\t'@b"),
            ("＝1", "'＝1"),
        ];
        for (text, safe) in cases {
            assert_eq!(harmless(text), safe, "{text:?}");
        }
    }

    #[test]
    fn other_texts_and_numbers_stay_as_they_are() {
        for text in ["", "-0.5", "+3", "1e-7", "a=b", "Sigur Rós", "AC/DC - Live, +1", "1-2", "label:=x"] {
            assert_eq!(harmless(text), text);
        }
    }
}
