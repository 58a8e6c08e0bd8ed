//! Settings: one struct a concern, and the table of environment variables.

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

use crate::tag::Cut;

/// Everything that can be set. `spotifai.toml` has a table for each field that is a struct.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where jobs wait: `sqlite:FILE`.
    pub queue: String,
    /// Base of the management API of a RabbitMQ queue, such as `http://host:15672`; the credentials are those of `queue`.
    pub queue_management_url: Option<String>,
    /// Where results are kept: `sqlite:FILE`.
    pub store: String,
    /// Address or mail that services may complain to; part of the User-Agent.
    pub contact: Option<String>,
    /// Spotify Web API.
    pub spotify: Spotify,
    /// last.fm.
    pub lastfm: Lastfm,
    /// Labels and matrix.
    pub dataset: Dataset,
    /// Workers.
    pub worker: Worker,
}

/// Spotify Web API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spotify {
    /// Client id of the app.
    pub client_id: Option<String>,
    /// Client secret; not needed after `spotifai login`.
    #[serde(serialize_with = "hidden")]
    pub client_secret: Option<SecretString>,
    /// Base of the Web API, with its version.
    pub api_url: String,
    /// Base of the accounts service.
    pub auth_url: String,
    /// Where `spotifai login` keeps its token (mode 600); default: `spotifai/token.json` in the user's configuration folder.
    pub token_file: Option<String>,
    /// Requests a second.
    pub rate: f64,
}

/// last.fm.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lastfm {
    /// Base of the web pages.
    pub url: String,
    /// Base of the API.
    pub api_url: String,
    /// API key; where it is set the API is asked first, and pages only for what it leaves empty.
    #[serde(serialize_with = "hidden")]
    pub api_key: Option<SecretString>,
    /// Requests a second, over the whole team.
    pub rate: f64,
    /// Wait after the first throttled answer, in seconds; doubled with each further one.
    pub backoff_first_seconds: f64,
    /// Longest such wait, in seconds.
    pub backoff_cap_seconds: f64,
}

/// Labels and matrix.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dataset {
    /// How tags become labels.
    pub cut: Cut,
    /// Share and seed of the test rows.
    pub split: SplitSettings,
}

/// The split into training and test rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSettings {
    /// Share of the test rows.
    pub test_size: f64,
    /// Seed of the permutation (numpy's `RandomState`).
    pub seed: u32,
    /// Keep all tracks of an artist on one side.
    pub by_artist: bool,
}

/// Workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// Jobs at once of each kind of worker; 0: what fits the kind.
    pub slots: usize,
    /// Attempts before a job is dead.
    pub max_attempts: u32,
    /// Seconds a stopping worker may take to finish its jobs.
    pub grace_seconds: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue: "sqlite:spotifai.db".into(),
            queue_management_url: None,
            store: "sqlite:spotifai.db".into(),
            contact: None,
            spotify: Spotify::default(),
            lastfm: Lastfm::default(),
            dataset: Dataset::default(),
            worker: Worker::default(),
        }
    }
}

impl Default for Spotify {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            api_url: "https://api.spotify.com/v1/".into(),
            auth_url: "https://accounts.spotify.com/".into(),
            token_file: None,
            rate: 3.0,
        }
    }
}

impl Default for Lastfm {
    fn default() -> Self {
        Self {
            url: "https://www.last.fm".into(),
            api_url: "https://ws.audioscrobbler.com/2.0/".into(),
            api_key: None,
            rate: 0.5,
            backoff_first_seconds: 10.0,
            backoff_cap_seconds: 600.0,
        }
    }
}

impl Default for SplitSettings {
    fn default() -> Self {
        Self { test_size: 0.30, seed: 234_634_754, by_artist: false }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self { slots: 0, max_attempts: 8, grace_seconds: 25.0 }
    }
}

/// The environment variables, each with the setting that it stands for and what it is.
pub const ENVIRONMENT: &[(&str, &str, &str)] = &[
    ("SPOTIFAI_QUEUE", "queue", "where jobs wait: sqlite:FILE"),
    ("SPOTIFAI_QUEUE_MANAGEMENT_URL", "queue_management_url", "base of RabbitMQ's management API"),
    ("SPOTIFAI_STORE", "store", "where results are kept: sqlite:FILE"),
    ("SPOTIFAI_CONTACT", "contact", "address or mail that services may complain to"),
    ("SPOTIFAI_SPOTIFY_CLIENT_ID", "spotify.client_id", "client id of your Spotify app"),
    ("SPOTIFAI_SPOTIFY_CLIENT_SECRET", "spotify.client_secret", "its secret, where no user signs in"),
    ("SPOTIFAI_SPOTIFY_API_URL", "spotify.api_url", "base of the Web API"),
    ("SPOTIFAI_SPOTIFY_AUTH_URL", "spotify.auth_url", "base of the accounts service"),
    ("SPOTIFAI_SPOTIFY_TOKEN_FILE", "spotify.token_file", "where the sign-in is kept"),
    ("SPOTIFAI_SPOTIFY_RATE", "spotify.rate", "requests a second"),
    ("SPOTIFAI_LASTFM_URL", "lastfm.url", "base of last.fm's pages"),
    ("SPOTIFAI_LASTFM_API_URL", "lastfm.api_url", "base of last.fm's API"),
    ("SPOTIFAI_LASTFM_API_KEY", "lastfm.api_key", "key of last.fm's API"),
    ("SPOTIFAI_LASTFM_RATE", "lastfm.rate", "pages a second"),
];

fn hidden<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("***"),
        None => serializer.serialize_none(),
    }
}
