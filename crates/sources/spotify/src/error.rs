//! What can go wrong, by what the caller can do about it.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

/// What can go wrong with a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Too many requests: pause all of them, then go on.
    #[error("Spotify reports too many requests{}", wait(.after))]
    RateLimited {
        /// The wait that Spotify asked for (`Retry-After`).
        after: Option<Duration>,
    },
    /// The account's quota is used up: stop all requests to Spotify until then.
    #[error("the Spotify account's quota is used up{}", wait(.after))]
    Quota {
        /// The wait that Spotify asked for.
        after: Option<Duration>,
    },
    /// This app or its user has no access: give up, or use another form of the request.
    #[error("Spotify refuses {what}: {detail}")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// What Spotify said.
        detail: String,
    },
    /// It does not exist: give up.
    #[error("Spotify does not know {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The id is not valid: give up.
    #[error("{id:?} is not a Spotify id (22 letters and digits)")]
    BadId {
        /// The text, or its beginning.
        id: String,
    },
    /// The token was refused, and so was a fresh one.
    #[error("Spotify refuses the token, even a fresh one: {detail}")]
    Unauthorized {
        /// What Spotify said.
        detail: String,
    },
    /// Spotify does not accept this request, which says nothing about others: give up on it, or ask for less.
    #[error("Spotify rejects the request for {what} with HTTP {status}: {detail}")]
    Rejected {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: u16,
        /// What Spotify said.
        detail: String,
    },
    /// No connection could be made. That says nothing about the request itself.
    #[error("Spotify is unreachable from here ({detail}): check whether this machine is online")]
    Unreachable {
        /// What happened.
        detail: String,
    },
    /// The server reports a problem of its own, or the response broke off: try again.
    #[error("Spotify is unavailable for {what}: {detail}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What happened.
        detail: String,
        /// The wait that Spotify asked for.
        after: Option<Duration>,
    },
    /// The response is not what was asked for: try again.
    #[error("Spotify's response for {what} cannot be read: {detail}")]
    BadAnswer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No token can be obtained: a person has to act.
    #[error(
        "not signed in to Spotify, {why}: run `spotifai login`, or set SPOTIFAI_SPOTIFY_CLIENT_ID and SPOTIFAI_SPOTIFY_CLIENT_SECRET"
    )]
    NotSignedIn {
        /// Why not.
        why: String,
    },
    /// A setting is wrong, or a file cannot be used.
    #[error("{0}")]
    Setup(String),
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) String);

impl Error {
    /// Whether this form of request may be closed to the app as a whole: endpoints that were removed, or never granted,
    /// respond in any of these ways. The same data may be available by another form of request.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Forbidden { .. } | Self::NotFound { .. } => true,
            Self::Rejected { status, .. } => matches!(status, 405 | 410),
            _ => false,
        }
    }

    /// The error of a response that is not a success. The status decides, because some of Spotify's errors are not JSON.
    pub(crate) fn from_response(what: &str, status: StatusCode, after: Option<Duration>, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let (what, detail) = (what.to_owned(), detail(&json, body, status));
        if json["error"]["reason"] == "QUOTA_EXCEEDED" {
            return Self::Quota { after };
        }
        match status.as_u16() {
            // Spotify rejects a malformed token with 400: "Only valid bearer authentication supported".
            400 if detail.contains("bearer authentication") => Self::Unauthorized { detail },
            401 => Self::Unauthorized { detail },
            403 => Self::Forbidden { what, detail },
            404 => Self::NotFound { what },
            429 => Self::RateLimited { after },
            // The Web API never redirects: this is a captive portal, such as a hotel's, and not the request's fault.
            300..=399 => {
                Self::Unreachable { detail: format!("something on the way responds with a redirect, {detail}") }
            }
            500.. => Self::Unavailable { what, detail, after },
            status => Self::Rejected { what, status, detail },
        }
    }

    pub(crate) fn unreadable(what: &str, why: impl ToString) -> Self {
        Self::BadAnswer { what: what.to_owned(), detail: why.to_string() }
    }
}

/// Characters of a response's message that an error quotes.
const MAX_DETAIL_CHARS: usize = 200;

/// The message of a response: the Web API's, the accounts service's, or a line of plain text.
fn detail(json: &Value, body: &[u8], status: StatusCode) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let plain = Some(text).filter(|text| json.is_null() && !text.is_empty() && !text.starts_with('<'));
    let message =
        [&json["error"]["message"], &json["error_description"], &json["error"]].into_iter().find_map(Value::as_str);
    match message.or(plain).and_then(|message| message.lines().next()) {
        Some(line) => line.chars().take(MAX_DETAIL_CHARS).collect(),
        None => format!("HTTP {}", status.as_u16()),
    }
}

fn wait(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!(" and asks to wait {} s", after.as_secs()))
}
