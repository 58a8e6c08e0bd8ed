//! Explains errors of the system and of libraries in plain language, and formats what people read or paste.

mod toml;

use std::error::Error;
use std::fmt::Display;
use std::io;

use serde_json::error::Category;

use crate::terminal::is_unsafe;

pub use self::toml::TomlExplainer;

/// Explains an I/O error.
pub fn io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::AlreadyExists => "something else of that name is there".into(),
        io::ErrorKind::NotADirectory => "a part of its path is a file, not a folder".into(),
        io::ErrorKind::IsADirectory => "it is a folder, not a file".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::ReadOnlyFilesystem => "its file system is read-only".into(),
        io::ErrorKind::FileTooLarge => "it would be larger than files may be here (`ulimit -f`)".into(),
        io::ErrorKind::PermissionDenied => "it is not allowed".into(),
        io::ErrorKind::InvalidFilename => "its name is too long, or has characters that names may not have here".into(),
        // With an inner error it comes from a library, such as TLS refusing a certificate.
        io::ErrorKind::InvalidData if error.get_ref().is_none() => NOT_UTF8.into(),
        _ => message(&error.to_string()),
    }
}

/// Explains the root cause of an error: the outer layers of an HTTP client say next to nothing.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.downcast_ref().map_or_else(|| message(&root.to_string()), io)
}

/// Explains a message of the system or of a library: TLS in our words, anything else without its error number.
pub fn message(text: &str) -> String {
    tls(text).map_or_else(|| without_number(text), str::to_owned)
}

/// Explains a message about TLS.
fn tls(text: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["received corrupt message of type"]) {
        return Some("it answers in plain text, not in TLS: check whether address and port are those for TLS");
    }
    if !says(&["invalid peer certificate"]) {
        return None;
    }
    Some(if says(&["UnknownIssuer", "CaUsedAsEndEntity"]) {
        "its TLS certificate is self-signed, or from an authority that this machine does not trust: add it to the \
         system's certificates, or use a server with another"
    } else if says(&["NotValidForName", "not valid for name"]) {
        "its TLS certificate is for another name: use that name"
    } else if says(&["Expired", "certificate expired"]) {
        "its TLS certificate has expired: renew it, or check whether this machine's clock is right"
    } else if says(&["NotValidYet", "not valid yet"]) {
        "its TLS certificate is not valid yet: check whether this machine's clock is right"
    } else {
        return None;
    })
}

/// A message without its error number, which adds nothing: `Connection refused (os error 111)`.
fn without_number(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        text + after.strip_prefix(')').unwrap_or(after)
    })
}

const NOT_UTF8: &str = "it is not UTF-8: save it as UTF-8";

/// The text of a file that people write, without its byte-order mark.
///
/// # Errors
/// If it is not UTF-8: what it is instead, and what to do.
pub fn utf8_text(bytes: &[u8]) -> Result<&str, &'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("it is UTF-16: save it as UTF-8");
    }
    match std::str::from_utf8(bytes) {
        Err(_) => Err(NOT_UTF8),
        Ok(text) if text.contains('\0') => Err("it contains zero bytes, so it is UTF-16 or not text: save it as UTF-8"),
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
    }
}

/// Explains why a document cannot be parsed as JSON.
pub fn json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if (line, column) == (1, 0) => "it is empty".into(),
        Category::Eof => format!("its JSON is incomplete: it breaks off at line {line}, column {column}"),
        Category::Data => {
            format!("its JSON has a value of the wrong type at line {line}, column {column}")
        }
        Category::Syntax | Category::Io => {
            format!("it is not JSON: syntax error at line {line}, column {column}")
        }
    }
}

/// The first `max_count` names, and how many more there are: `a, b and 7 more`.
pub fn join_first<N: Display>(
    names: impl IntoIterator<Item = N, IntoIter: ExactSizeIterator>,
    max_count: usize,
) -> String {
    let mut names = names.into_iter();
    let named = names.by_ref().take(max_count).map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// A word quoted for a shell, to be pasted.
pub fn shell_quote(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c)) {
        return word.to_owned();
    }
    if !word.contains(is_unsafe) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let code = |char: char| match char {
        '\\' | '\'' => format!("\\{char}"),
        char if is_unsafe(char) => format!("\\u{:04x}", u32::from(char)),
        char => char.to_string(),
    };
    format!("$'{}'", word.chars().map(code).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_comes_without_its_number() {
        assert_eq!(without_number("Connection refused (os error 111)"), "Connection refused");
        assert_eq!(without_number("a (os error 2) at b: c (os error 104)"), "a at b: c");
        assert_eq!(without_number("nothing of it"), "nothing of it");
        assert_eq!(io(&io::Error::from_raw_os_error(2)), "there is no such file or folder");
        assert_eq!(io(&io::Error::other("the first one")), "the first one");
    }

    #[test]
    fn what_is_wrong_with_tls_is_told_in_plain_words() {
        for (said, words) in [
            ("invalid peer certificate: UnknownIssuer", "self-signed"),
            ("IO error: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "self-signed"),
            (
                "invalid peer certificate: certificate not valid for name \"a\"; certificate is only valid for \"b\"",
                "another name",
            ),
            ("invalid peer certificate: certificate expired: verification time 2 (UNIX)", "has expired"),
            ("invalid peer certificate: certificate not valid yet: verification time 2", "not valid yet"),
            ("received corrupt message of type InvalidContentType", "not in TLS"),
            ("invalid peer certificate: BadSignature", "invalid peer certificate: BadSignature"),
        ] {
            assert!(super::message(said).contains(words), "{said}");
        }
    }

    #[test]
    fn a_text_of_another_encoding_is_named() {
        assert_eq!(utf8_text("\u{feff}é".as_bytes()), Ok("é"));
        for (bytes, said) in [
            (&b"\xff\xfea\0"[..], "UTF-16"),
            (b"\xfe\xff\0a", "UTF-16"),
            (b"a\0", "zero bytes"),
            (b"\xe9", "not UTF-8"),
        ] {
            assert!(utf8_text(bytes).unwrap_err().contains(said), "{bytes:?}");
        }
    }

    #[test]
    fn a_document_that_is_no_json_is_told_without_the_parsers_words() {
        let why = |text: &str| json(&serde_json::from_str::<Vec<u8>>(text).unwrap_err());
        assert_eq!(why(""), "it is empty");
        assert_eq!(why("[1,"), "its JSON is incomplete: it breaks off at line 1, column 3");
        assert_eq!(why("[1,\n x]"), "it is not JSON: syntax error at line 2, column 2");
        assert_eq!(why("[\"x\"]"), "its JSON has a value of the wrong type at line 1, column 4");
    }

    #[test]
    fn of_many_names_the_first_are_told() {
        assert_eq!(join_first(&["a", "b"], 2), "a, b");
        assert_eq!(join_first([7, 8, 9].iter().map(usize::to_string), 1), "7 and 2 more");
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        assert_eq!(shell_quote("sqlite:out/demo.db"), "sqlite:out/demo.db");
        assert_eq!(shell_quote("a folder"), "'a folder'");
        assert_eq!(shell_quote("it's"), r"'it'\''s'");
        assert_eq!(shell_quote(""), "''");
        assert_eq!(shell_quote("a\nit's"), r"$'a\u000ait\'s'");
    }
}
