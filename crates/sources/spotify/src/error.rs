//! What can go wrong, by what the caller can do about it.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

/// What can go wrong with a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Too many requests: pause all of them, then go on.
    #[error("Spotify answers that there are too many requests{}", wait(.after))]
    RateLimited {
        /// The wait that Spotify asked for (`Retry-After`).
        after: Option<Duration>,
    },
    /// The account's quota is used up: stop everything that asks Spotify until then.
    #[error("the Spotify account's quota is used up{}", wait(.after))]
    Quota {
        /// The wait that Spotify asked for.
        after: Option<Duration>,
    },
    /// This app, or its user, may not have it: give up, or ask in another form.
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
    /// Nothing can be asked for by such an id: give up.
    #[error("{id:?} is no Spotify id (22 letters and digits)")]
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
    /// Spotify does not accept this request: it says nothing of others, so give up on what was asked for, or ask for less.
    #[error("Spotify answers the request for {what} with HTTP {status}: {detail}")]
    Rejected {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: u16,
        /// What Spotify said.
        detail: String,
    },
    /// No answer came, whatever is asked for: nobody can be reached from here, which says nothing about the request.
    #[error("Spotify is out of reach from here ({detail}): check whether this machine is online")]
    Unreachable {
        /// What happened.
        detail: String,
    },
    /// An answer that says the server is in trouble, or that broke off: retry.
    #[error("Spotify gives no good answer for {what}: {detail}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What happened.
        detail: String,
        /// The wait that Spotify asked for.
        after: Option<Duration>,
    },
    /// An answer that is not what was asked for: retry.
    #[error("Spotify's answer for {what} cannot be read: {detail}")]
    BadAnswer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no token to be had: a person has to do something.
    #[error(
        "not signed in to Spotify, {why}: run `spotifai login`, or set SPOTIFAI_SPOTIFY_CLIENT_ID and SPOTIFAI_SPOTIFY_CLIENT_SECRET"
    )]
    NotSignedIn {
        /// Why not.
        why: String,
    },
    /// The settings can't be used.
    #[error("{0}")]
    Setup(String),
}

/// A document that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) String);

impl Error {
    /// Whether this form of request is closed to the app, whatever is asked for: an endpoint that was removed, or never
    /// granted, answers in any of these ways. The same thing may be had in another form.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Forbidden { .. } | Self::NotFound { .. } => true,
            Self::Rejected { status, .. } => matches!(status, 405 | 410),
            _ => false,
        }
    }

    /// The error of an answer that is no success. The status decides, for some of Spotify's errors are not JSON.
    pub(crate) fn of_answer(what: &str, status: StatusCode, after: Option<Duration>, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let (what, detail) = (what.to_owned(), detail(&json, body, status));
        if json["error"]["reason"] == "QUOTA_EXCEEDED" {
            return Self::Quota { after };
        }
        match status.as_u16() {
            // Of a token that is none, Spotify says 400: "Only valid bearer authentication supported".
            400 if detail.contains("bearer authentication") => Self::Unauthorized { detail },
            401 => Self::Unauthorized { detail },
            403 => Self::Forbidden { what, detail },
            404 => Self::NotFound { what },
            429 => Self::RateLimited { after },
            // The Web API redirects nowhere: what does is a portal on the way, such as a hotel's, and not the request's fault.
            300..=399 => {
                Self::Unreachable { detail: format!("something on the way answers with a redirect, {detail}") }
            }
            500.. => Self::Unavailable { what, detail, after },
            status => Self::Rejected { what, status, detail },
        }
    }

    pub(crate) fn unreadable(what: &str, why: impl ToString) -> Self {
        Self::BadAnswer { what: what.to_owned(), detail: why.to_string() }
    }
}

/// What the answer says for itself: the Web API's message, the accounts service's, or a line of plain text.
fn detail(json: &Value, body: &[u8], status: StatusCode) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let plain = Some(text).filter(|text| json.is_null() && !text.is_empty() && !text.starts_with('<'));
    let said =
        [&json["error"]["message"], &json["error_description"], &json["error"]].into_iter().find_map(Value::as_str);
    match said.or(plain).and_then(|said| said.lines().next()) {
        Some(line) => line.chars().take(200).collect(),
        None => format!("HTTP {}", status.as_u16()),
    }
}

fn wait(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!(" and asks for a pause of {} s", after.as_secs()))
}
