//! What can go wrong with a request to last.fm.

use std::time::Duration;

/// Why a request got no response. A response is never an error: see [`crate::PageOutcome`] and [`crate::ApiOutcome`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong: give up until it is corrected.
    #[error("setting `{name}`: {cause}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// No connection could be made. That says nothing about the request itself.
    #[error("last.fm is unreachable from here ({cause}): check whether this machine is online")]
    Unreachable {
        /// What happened.
        cause: String,
    },
    /// There was no response, or it broke off, or it is larger than any page: try again later.
    #[error("no complete response from {at}: {cause}")]
    Incomplete {
        /// The URL, without the key.
        at: String,
        /// What happened.
        cause: String,
    },
    /// robots.txt cannot be read at the moment: pause, since no page may be requested until it can.
    #[error("no page may be requested while {at} cannot be read: {cause}")]
    RobotsUnreadable {
        /// The URL of robots.txt.
        at: String,
        /// What happened.
        cause: String,
        /// The wait that the server asked for.
        retry_after: Option<Duration>,
    },
    /// robots.txt forbids this page: give up.
    #[error("robots.txt forbids {at}: set an API key (SPOTIFAI_LASTFM_API_KEY) to use the API instead")]
    Disallowed {
        /// The URL of the page.
        at: String,
    },
}
