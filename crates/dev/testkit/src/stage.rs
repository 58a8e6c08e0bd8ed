//! The running stand-ins as their user sees them.

use std::sync::Arc;

use model::settings::{BackoffSettings, Settings};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::shared::{CLIENT_ID, CLIENT_SECRET, Request, Shared};
use crate::{Expected, Service};

/// Requests a second against a stand-in: more than a worker makes, since there is nobody to be spared.
const STAND_IN_RATE: f64 = 2_000.0;

/// Waits after throttled answers of the stand-in, which asks for none.
const STAND_IN_BACKOFF: BackoffSettings = BackoffSettings { first: 0.2, cap: 2.0 };

/// Both stand-ins, running until they are stopped or dropped.
pub struct Stage {
    /// Base of the Web API: `http://127.0.0.1:PORT/v1/`.
    pub spotify_api_url: String,
    /// Base of the accounts service: `http://127.0.0.1:PORT/`.
    pub spotify_auth_url: String,
    /// Base of last.fm's pages: `http://127.0.0.1:PORT`.
    pub lastfm_url: String,
    /// Base of last.fm's API: `http://127.0.0.1:PORT/2.0/`.
    pub lastfm_api_url: String,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    servers: [JoinHandle<()>; 2],
}

impl Stage {
    pub(crate) fn new(
        shared: Arc<Shared>,
        lastfm_url: String,
        stop: watch::Sender<()>,
        servers: [JoinHandle<()>; 2],
    ) -> Self {
        Self {
            spotify_api_url: format!("{}/v1/", shared.spotify_url),
            spotify_auth_url: format!("{}/", shared.spotify_url),
            lastfm_api_url: format!("{lastfm_url}/2.0/"),
            lastfm_url,
            shared,
            stop,
            servers,
        }
    }

    /// Ids of the catalogue's playlists, the large one first.
    pub fn playlists(&self) -> Vec<String> {
        self.shared.catalogue.playlists.iter().map(|playlist| playlist.id.clone()).collect()
    }

    /// What a perfect collector finds in these playlists.
    pub fn expected(&self) -> &Expected {
        self.shared.catalogue.expected()
    }

    /// All requests answered so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log().clone()
    }

    /// How often a path was asked for; `path` with its query, or without it for any query.
    pub fn requests_to(&self, path: &str) -> usize {
        let matches = |asked: &str| asked == path || asked.split('?').next() == Some(path);
        self.shared.log().iter().filter(|request| matches(&request.path)).count()
    }

    /// How often a service gave this status.
    pub fn answers(&self, service: Service, status: u16) -> usize {
        self.shared.log().iter().filter(|request| request.service == service && request.status == status).count()
    }

    /// How many of last.fm's pages came as the throttled page by [`crate::Oddities::throttled_share`].
    pub fn throttled(&self) -> usize {
        self.shared.schedule.throttled_pages()
    }

    /// The environment variables that point `spotifai` at the stand-ins.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("SPOTIFAI_CONTACT", "demo@example.org"),
            ("SPOTIFAI_SPOTIFY_CLIENT_ID", CLIENT_ID),
            ("SPOTIFAI_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET),
            ("SPOTIFAI_SPOTIFY_API_URL", &self.spotify_api_url),
            ("SPOTIFAI_SPOTIFY_AUTH_URL", &self.spotify_auth_url),
            ("SPOTIFAI_SPOTIFY_RATE", &STAND_IN_RATE.to_string()),
            ("SPOTIFAI_LASTFM_URL", &self.lastfm_url),
            ("SPOTIFAI_LASTFM_API_URL", &self.lastfm_api_url),
            ("SPOTIFAI_LASTFM_RATE", &STAND_IN_RATE.to_string()),
            ("SPOTIFAI_LASTFM_BACKOFF", &STAND_IN_BACKOFF.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// `base`, pointed at the stand-ins and paced for them: a throttled answer costs tenths of seconds, not minutes.
    pub fn settings(&self, base: Settings) -> Settings {
        let mut settings = base;
        settings.contact = Some("demo@example.org".into());
        settings.spotify.client_id = Some(CLIENT_ID.into());
        settings.spotify.client_secret = Some(SecretString::from(CLIENT_SECRET));
        settings.spotify.api_url.clone_from(&self.spotify_api_url);
        settings.spotify.auth_url.clone_from(&self.spotify_auth_url);
        settings.spotify.rate = STAND_IN_RATE;
        settings.lastfm.url.clone_from(&self.lastfm_url);
        settings.lastfm.api_url.clone_from(&self.lastfm_api_url);
        settings.lastfm.api_key = None;
        settings.lastfm.rate = STAND_IN_RATE;
        settings.lastfm.backoff = STAND_IN_BACKOFF;
        settings
    }

    /// Ends both servers when the requests under way are answered.
    pub async fn stop(self) {
        self.stop.send_replace(());
        for server in self.servers {
            // A server task has nothing to return but that it ended.
            let _ = server.await;
        }
    }
}
