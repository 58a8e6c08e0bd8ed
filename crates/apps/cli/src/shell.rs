//! Command lines that a person can paste back into the shell that this program was started from.

use model::plain::shell_word;
use model::settings::shown;

/// What was typed to start this program: `spotifai`, or a path to it.
fn program() -> String {
    shell_word(&std::env::args().next().unwrap_or_else(|| "spotifai".to_owned()))
}

/// A command line that starts this program again.
pub fn command(words: impl IntoIterator<Item = String>) -> String {
    let words = words.into_iter().map(|word| shell_word(&word));
    std::iter::once(program()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command line that started this program, passwords of addresses hidden.
pub fn same_command() -> String {
    command(std::env::args().skip(1).map(|word| match word.split_once('=') {
        Some((option, address)) if option.starts_with("--") => format!("{option}={}", shown(address)),
        _ => shown(&word),
    }))
}
