//! Command lines that a person can paste back into the shell that this program was started from.

use host::Backends;
use model::explain::shell_quote;
use model::settings::{redacted, redacted_url};

/// What was typed to start this program: `spotifai`, or a path to it.
fn program() -> String {
    shell_quote(&std::env::args().next().unwrap_or_else(|| "spotifai".to_owned()))
}

/// A command line that starts this program again.
pub fn command(words: impl IntoIterator<Item = String>) -> String {
    let words = words.into_iter().map(|word| shell_quote(&word));
    std::iter::once(program()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command line that started this program, passwords of addresses hidden.
pub fn same_command() -> String {
    command(std::env::args().skip(1).map(|word| match word.split_once('=') {
        Some((option, address)) if option.starts_with("--") => format!("{option}={}", redacted(address)),
        _ => redacted(&word),
    }))
}

/// The flags that name queue and store. One with a password comes from the settings, which other commands read as well.
pub fn places(backends: &Backends) -> Vec<String> {
    let places = [("--queue", &backends.settings.queue), ("--store", &backends.settings.store)].into_iter();
    let shown = places.filter(|(_, url)| redacted_url(url) == **url);
    shown.flat_map(|(flag, url)| [flag.to_owned(), url.clone()]).collect()
}
