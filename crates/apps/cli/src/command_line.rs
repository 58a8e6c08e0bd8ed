//! Command lines shown to the user, quoted so that they can be pasted into a shell.

use host::Backends;
use model::explain::shell_quote;
use model::settings::{redacted, redacted_url};

/// This program as it was started: `spotifai`, or a path to it.
fn program() -> String {
    shell_quote(&std::env::args().next().unwrap_or_else(|| "spotifai".to_owned()))
}

/// A command line for this program with the given arguments.
pub fn with_args(words: impl IntoIterator<Item = String>) -> String {
    let words = words.into_iter().map(|word| shell_quote(&word));
    std::iter::once(program()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command line of this process, with passwords in URLs hidden.
pub fn current() -> String {
    with_args(std::env::args().skip(1).map(|word| match word.split_once('=') {
        Some((option, address)) if option.starts_with("--") => format!("{option}={}", redacted(address)),
        _ => redacted(&word),
    }))
}

/// The flags that select the queue and the store. URLs with a password are left out: they come from the environment or the
/// settings file, which later commands read too.
pub fn backend_flags(backends: &Backends) -> Vec<String> {
    let urls = [("--queue", &backends.settings.queue), ("--store", &backends.settings.store)].into_iter();
    let shown = urls.filter(|(_, url)| redacted_url(url) == **url);
    shown.flat_map(|(flag, url)| [flag.to_owned(), url.clone()]).collect()
}
