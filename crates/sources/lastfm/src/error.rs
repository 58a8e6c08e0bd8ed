//! What can go wrong on the way to last.fm.

use std::time::Duration;

/// Why a request gave no answer. What was answered is never an error: see [`crate::PageOutcome`] and
/// [`crate::ApiOutcome`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Give up until the setting is right.
    #[error("setting `{name}`: {cause}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// No answer came, whatever is asked for: nobody can be reached from here, which says nothing about the request.
    #[error("last.fm is out of reach from here ({cause}): see whether this machine is online")]
    Unreachable {
        /// What happened.
        cause: String,
    },
    /// Try again later: the answer did not come, broke off, or is larger than any page.
    #[error("no complete answer from {at}: {cause}")]
    Incomplete {
        /// Address, without the key.
        at: String,
        /// What happened.
        cause: String,
    },
    /// Pause: the server keeps robots.txt to itself, and until it can be read no page may be asked for.
    #[error("{at} can't be read, so no page may be asked for: {cause}")]
    RobotsUnreadable {
        /// Its address.
        at: String,
        /// What happened.
        cause: String,
        /// The wait that the server asked for.
        retry_after: Option<Duration>,
    },
    /// Give up on this page: robots.txt says no.
    #[error("robots.txt forbids {at}: set an API key (SPOTIFAI_LASTFM_API_KEY) to ask the API instead")]
    Disallowed {
        /// The page.
        at: String,
    },
}
