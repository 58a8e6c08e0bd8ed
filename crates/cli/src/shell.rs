//! Command lines that a person can paste back into the shell that this program was started from.

use model::settings::with_hidden_password;

/// What was typed to start this program: `spotifai`, or a path to it.
fn program() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "spotifai".to_owned()))
}

/// A command line that starts this program again.
pub fn command(words: impl IntoIterator<Item = String>) -> String {
    let words = words.into_iter().map(|word| quoted(&word));
    std::iter::once(program()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command line that started this program, passwords of addresses hidden.
pub fn same_command() -> String {
    command(std::env::args().skip(1).map(|word| match word.split_once('=') {
        Some((option, address)) if option.starts_with("--") => format!("{option}={}", with_hidden_password(address)),
        _ => with_hidden_password(&word),
    }))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    match !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c)) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        assert_eq!(quoted("sqlite:out/demo.db"), "sqlite:out/demo.db");
        assert_eq!(quoted("a folder"), "'a folder'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
