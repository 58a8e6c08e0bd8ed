//! Plain words: in place of those of the system and of libraries, and for what people read or paste.

mod toml;

use std::error::Error;
use std::fmt::Display;
use std::io;

use serde_json::error::Category;

use crate::terminal::is_unsafe;

pub use self::toml::Slips;

/// Why something could not be read or written.
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
        // With an error within it is what a library refuses, such as TLS a certificate.
        io::ErrorKind::InvalidData if error.get_ref().is_none() => NO_UTF8.into(),
        _ => words(&error.to_string()),
    }
}

/// What is at the bottom of an error: the layers above it of a client of HTTP say next to nothing.
pub fn root(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.downcast_ref().map_or_else(|| words(&root.to_string()), io)
}

/// A text of the system or of a library: in our words where it is about TLS, and without an error number.
pub fn words(text: &str) -> String {
    tls(text).map_or_else(|| without_number(text), str::to_owned)
}

/// What is wrong with a server that TLS is expected of, given what a library says.
fn tls(text: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["received corrupt message of type"]) {
        return Some(
            "it does not speak TLS there, but something in plain text: see whether address and port are those for TLS",
        );
    }
    if !says(&["invalid peer certificate"]) {
        return None;
    }
    Some(if says(&["UnknownIssuer", "CaUsedAsEndEntity"]) {
        "its TLS certificate is self-signed, or of an authority that this machine does not trust: add it to those of the \
         system, or use a server with another"
    } else if says(&["NotValidForName", "not valid for name"]) {
        "its TLS certificate is for another name: use the name that it is for"
    } else if says(&["Expired", "certificate expired"]) {
        "its TLS certificate has expired: renew it, or see whether this machine's clock is right"
    } else if says(&["NotValidYet", "not valid yet"]) {
        "its TLS certificate is not valid yet: see whether this machine's clock is right"
    } else {
        return None;
    })
}

/// A text of the system without its error number, which says the same: `Connection refused (os error 111)`.
fn without_number(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        text + after.strip_prefix(')').unwrap_or(after)
    })
}

const NO_UTF8: &str = "it is no UTF-8: save it as UTF-8";

/// The text of a file that people write, without its byte-order mark.
///
/// # Errors
/// Where it is no UTF-8: what it is instead, and what to do.
pub fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("it is UTF-16: save it as UTF-8");
    }
    match std::str::from_utf8(bytes) {
        Err(_) => Err(NO_UTF8),
        Ok(text) if text.contains('\0') => Err("it holds zero bytes, so it is UTF-16 or no text: save it as UTF-8"),
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
    }
}

/// Why a document cannot be read as JSON.
pub fn json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if (line, column) == (1, 0) => "it is empty".into(),
        Category::Eof => format!("it is no whole JSON document: it breaks off at line {line}, column {column}"),
        Category::Data => {
            format!("its JSON has a value of another kind than belongs there at line {line}, column {column}")
        }
        Category::Syntax | Category::Io => {
            format!("it is no JSON: it cannot be read from line {line}, column {column} on")
        }
    }
}

/// The first `most` of names, and how many more there are.
pub fn first_of<N: Display>(names: impl IntoIterator<Item = N, IntoIter: ExactSizeIterator>, most: usize) -> String {
    let mut names = names.into_iter();
    let named = names.by_ref().take(most).map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// A word as a shell takes it, to be pasted.
pub fn shell_word(word: &str) -> String {
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
            ("received corrupt message of type InvalidContentType", "does not speak TLS"),
            ("invalid peer certificate: BadSignature", "invalid peer certificate: BadSignature"),
        ] {
            assert!(super::words(said).contains(words), "{said}");
        }
    }

    #[test]
    fn a_text_of_another_encoding_is_named() {
        assert_eq!(text("\u{feff}é".as_bytes()), Ok("é"));
        for (bytes, said) in
            [(&b"\xff\xfea\0"[..], "UTF-16"), (b"\xfe\xff\0a", "UTF-16"), (b"a\0", "zero bytes"), (b"\xe9", "no UTF-8")]
        {
            assert!(text(bytes).unwrap_err().contains(said), "{bytes:?}");
        }
    }

    #[test]
    fn a_document_that_is_no_json_is_told_without_the_parsers_words() {
        let why = |text: &str| json(&serde_json::from_str::<Vec<u8>>(text).unwrap_err());
        assert_eq!(why(""), "it is empty");
        assert_eq!(why("[1,"), "it is no whole JSON document: it breaks off at line 1, column 3");
        assert_eq!(why("[1,\n x]"), "it is no JSON: it cannot be read from line 2, column 2 on");
        assert_eq!(why("[\"x\"]"), "its JSON has a value of another kind than belongs there at line 1, column 4");
    }

    #[test]
    fn of_many_names_the_first_are_told() {
        assert_eq!(first_of(&["a", "b"], 2), "a, b");
        assert_eq!(first_of([7, 8, 9].iter().map(usize::to_string), 1), "7 and 2 more");
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        assert_eq!(shell_word("sqlite:out/demo.db"), "sqlite:out/demo.db");
        assert_eq!(shell_word("a folder"), "'a folder'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\nit's"), r"$'a\u000ait\'s'");
    }
}
