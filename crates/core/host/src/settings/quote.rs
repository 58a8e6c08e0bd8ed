//! How messages quote texts from outside.

use model::settings::without_credentials;
use model::terminal::excerpt;

/// How much of a name or value a message quotes, in characters.
const MAX_QUOTED_CHARS: usize = 100;

/// A text from a settings file, a variable or an option as messages quote it: [without secrets](model::settings::redacted) and no
/// longer than a line.
pub(super) fn shown(text: &str) -> String {
    excerpt(&model::settings::redacted(text), MAX_QUOTED_CHARS)
}

/// [`shown`] of an [address](without_credentials).
pub(super) fn shown_address(url: &str) -> String {
    excerpt(&without_credentials(url), MAX_QUOTED_CHARS)
}
