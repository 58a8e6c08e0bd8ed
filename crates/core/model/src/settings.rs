//! Settings: one struct a concern, and the table of environment variables.

mod address;
mod file;
mod steps;

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

pub use address::{
    has_password, may_be_url, redacted, redacted_url, unencoded_characters, url_problem, without_credentials,
};
pub use steps::BackoffSettings;

use crate::tag::LabelSelection;

/// Everything that can be set. `spotifai.toml` has a table for each field that is a struct. Printed or serialized, it hides
/// its secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where jobs wait: `sqlite:FILE`, `amqp://…` or `amqps://…`.
    #[serde(serialize_with = "address::serialize")]
    pub queue: String,
    /// Base of the management API of a RabbitMQ queue, such as `http://host:15672`; the credentials are those of `queue`.
    #[serde(serialize_with = "address::serialize_if_any")]
    pub queue_management_url: Option<String>,
    /// Where results are kept: `sqlite:FILE`, `mongodb://…` or `mongodb+srv://…`.
    #[serde(serialize_with = "address::serialize")]
    pub store: String,
    /// Name of the group of machines whose requests leave from one address; what a service limits by address, such a group
    /// shares.
    pub egress: String,
    /// Address or mail that services may complain to; part of the User-Agent.
    pub contact: Option<String>,
    /// Spotify Web API.
    pub spotify: SpotifySettings,
    /// last.fm.
    pub lastfm: LastfmSettings,
    /// Labels and matrix.
    pub dataset: DatasetSettings,
    /// Workers.
    pub worker: WorkerSettings,
}

/// Spotify Web API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpotifySettings {
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
pub struct LastfmSettings {
    /// Base of the web pages.
    pub url: String,
    /// Base of the API.
    pub api_url: String,
    /// API key; where it is set the API is asked first, and pages only for what it leaves empty.
    #[serde(serialize_with = "hidden")]
    pub api_key: Option<SecretString>,
    /// Requests a second, over the whole team.
    pub rate: f64,
    /// Waits after throttled answers in a row.
    pub backoff: BackoffSettings,
}

/// Labels and matrix.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatasetSettings {
    /// How tags become labels.
    #[serde(rename = "cut")]
    pub label_selection: LabelSelection,
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
pub struct WorkerSettings {
    /// Jobs at once of each kind of worker; 0: what fits the kind.
    pub slots: usize,
    /// Attempts before a job is dead; 0: what fits the kind.
    pub max_attempts: u32,
    /// Seconds a stopping worker may take to finish its jobs.
    pub grace_seconds: f64,
    /// Where health and metrics are served, such as `0.0.0.0:9100`; nowhere without.
    pub listen: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_toml(false))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue: "sqlite:spotifai.db".into(),
            queue_management_url: None,
            store: "sqlite:spotifai.db".into(),
            egress: "default".into(),
            contact: None,
            spotify: SpotifySettings::default(),
            lastfm: LastfmSettings::default(),
            dataset: DatasetSettings::default(),
            worker: WorkerSettings::default(),
        }
    }
}

impl Default for SpotifySettings {
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

impl Default for LastfmSettings {
    fn default() -> Self {
        Self {
            url: "https://www.last.fm".into(),
            api_url: "https://ws.audioscrobbler.com/2.0/".into(),
            api_key: None,
            rate: 0.5,
            backoff: BackoffSettings { first: 10.0, cap: 600.0 },
        }
    }
}

impl Default for SplitSettings {
    fn default() -> Self {
        Self { test_size: 0.30, seed: 234_634_754, by_artist: false }
    }
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { slots: 0, max_attempts: 0, grace_seconds: 25.0, listen: None }
    }
}

/// The environment variables that are settings, each with the setting that it stands for and what it is.
pub const ENVIRONMENT: &[(&str, &str, &str)] = &[
    ("SPOTIFAI_QUEUE", "queue", "where jobs wait: sqlite:FILE or amqp(s)://…"),
    ("SPOTIFAI_QUEUE_MANAGEMENT_URL", "queue_management_url", "base of RabbitMQ's management API"),
    ("SPOTIFAI_STORE", "store", "where results are kept: sqlite:FILE or mongodb://…"),
    ("SPOTIFAI_EGRESS", "egress", "group of machines that share an address towards services"),
    ("SPOTIFAI_LISTEN", "worker.listen", "address of a worker's health and metrics"),
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
    ("SPOTIFAI_LASTFM_BACKOFF", "lastfm.backoff", "waits after throttled answers, FIRST..CAP in seconds"),
];

/// The environment variables of every program that are no settings, each with what it is: they are read before any setting.
pub const PROCESS_ENVIRONMENT: &[(&str, &str)] = &[
    ("SPOTIFAI_LOG", "what is logged: error, warn, info, debug, trace, or TARGET=LEVEL,…"),
    ("SPOTIFAI_LOG_FORMAT", "how it is logged: human or json"),
    ("SPOTIFAI_OTLP_URL", "base of an OpenTelemetry collector (OTLP over HTTP) that spans are sent to"),
];

fn hidden<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some(address::REDACTED),
        None => serializer.serialize_none(),
    }
}
