//! Texts from outside as messages quote them.

use model::settings::without_credentials;
use model::terminal::excerpt;

/// Characters of a name or a value that a message quotes at most.
const MOST_QUOTED: usize = 100;

/// A text from a settings file, a variable or a flag as messages quote it: [without a secret](model::settings::redacted), and
/// no longer than a line.
pub(super) fn shown(text: &str) -> String {
    excerpt(&model::settings::redacted(text), MOST_QUOTED)
}

/// [`shown`] of an [address](without_credentials).
pub(super) fn shown_address(url: &str) -> String {
    excerpt(&without_credentials(url), MOST_QUOTED)
}
