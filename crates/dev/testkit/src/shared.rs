//! What both servers share, and what their clients have to know.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Timestamp;

use crate::oddities::Schedule;
use crate::spotify::tokens::Tokens;
use crate::{Catalogue, Service};

/// Client id of the app that the stand-in knows.
pub const CLIENT_ID: &str = "5b3f0e6a1c9d4e7f8a2b6c0d9e1f3a47";
/// Its secret.
pub const CLIENT_SECRET: &str = "stand-in-secret";
/// A key that the stand-in's last.fm API accepts.
pub const LASTFM_API_KEY: &str = "stand-in-key";

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it came.
    pub at: Timestamp,
    /// To whom.
    pub service: Service,
    /// Path with query, encoded as it came.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
}

/// What both servers share.
pub(crate) struct Shared {
    pub catalogue: Catalogue,
    pub schedule: Schedule,
    pub tokens: Tokens,
    /// `http://127.0.0.1:PORT` of the Spotify stand-in, for the addresses in its documents.
    pub spotify_url: String,
    log: Mutex<Vec<Request>>,
}

impl Shared {
    /// Nothing was asked for yet.
    pub(crate) fn new(catalogue: Catalogue, schedule: Schedule, spotify_url: String) -> Self {
        let tokens = Tokens::new(schedule.token_uses());
        Self { catalogue, schedule, tokens, spotify_url, log: Mutex::default() }
    }

    /// The log; a panic while it was held leaves whole entries.
    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Request>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
