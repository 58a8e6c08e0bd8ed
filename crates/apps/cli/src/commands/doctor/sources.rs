//! Spotify and last.fm.

use std::sync::Arc;

use lastfm::ApiOutcome;
use model::fleet::Capability;
use model::settings::{Settings, redacted};
use spotify::Error;

use playlist_worker::{KNOWN_TRACK, Refusals};

use super::check::Check;
use crate::backends;
use crate::output::age;

/// Artist and title of a track that has tags and a page at last.fm.
const KNOWN_SONG: (&str, &str) = ("The Killers", "Mr. Brightside");

const SIGN_IN: &str = "spotify-sign-in";
const FEATURES: &str = "spotify-audio-features";
const ANALYSIS: &str = "spotify-audio-analysis";

/// Checks the sign-in and what this app may read. If nobody is signed in here, reports what the workers were refused.
pub async fn spotify(settings: Arc<Settings>) -> Vec<Check> {
    let client = match spotify::Client::new(&settings.spotify, settings.contact.as_deref()) {
        Ok(client) => client,
        Err(error) => return vec![Check::failed_with(SIGN_IN, error)],
    };
    if let Err(error) = client.sign_in().await {
        let mut checks = vec![not_signed_in(&settings, error)];
        checks.extend(remembered(&settings).await);
        return checks;
    }
    let (features, analysis) = tokio::join!(client.audio_features_of(KNOWN_TRACK), client.audio_analysis(KNOWN_TRACK));
    vec![
        Check::ok(SIGN_IN, "signed in"),
        capability(FEATURES, features.map(drop)),
        capability(ANALYSIS, analysis.map(drop)),
    ]
}

fn not_signed_in(settings: &Settings, error: Error) -> Check {
    match error {
        Error::NotSignedIn { .. } if settings.spotify.client_id.is_none() => {
            let advice = "create an app in Spotify's developer dashboard, then set SPOTIFAI_SPOTIFY_CLIENT_ID";
            Check::failed(SIGN_IN, error, advice)
        }
        Error::NotSignedIn { .. } => Check::failed_with(SIGN_IN, error),
        error => Check::failed(SIGN_IN, error, network("SPOTIFAI_SPOTIFY_AUTH_URL")),
    }
}

/// Refusals recorded in the store.
async fn remembered(settings: &Settings) -> Vec<Check> {
    // An unreachable store is reported by its own check.
    let Ok(store) = backends::store(settings).await else { return Vec::new() };
    let Ok(refusals) = Refusals::remembered(&*store).await else { return Vec::new() };
    let check = |name, refusal: Option<Capability>| {
        let refusal = refusal?;
        let detail =
            format!("blocked by Spotify (seen by a worker {} ago): {}", age(refusal.checked_at), refusal.detail);
        Some(Check::warning(name, detail, REFUSED_ADVICE))
    };
    [check(FEATURES, refusals.features), check(ANALYSIS, refusals.analysis)].into_iter().flatten().collect()
}

/// What to do about a refusal.
const REFUSED_ADVICE: &str = "Spotify blocks this for apps created after 2024-11-27: use an older app, do without these \
                              columns, or collect tags only (`spotifai run --labels-only`)";

/// A refusal is only a warning: the dataset does without these columns.
fn capability(name: &'static str, asked: Result<(), Error>) -> Check {
    match asked {
        Ok(()) => Check::ok(name, "available to this app"),
        Err(error) if error.is_refusal() => Check::warning(name, error, REFUSED_ADVICE),
        Err(error @ (Error::RateLimited { .. } | Error::Quota { .. })) => {
            Check::warning(name, error, "check again after the pause")
        }
        Err(error) => Check::failed(name, error, network("SPOTIFAI_SPOTIFY_API_URL")),
    }
}

/// Checks the contact sent to services.
pub async fn contact(settings: Arc<Settings>) -> Vec<Check> {
    vec![match &settings.contact {
        Some(contact) => Check::ok("contact", format!("{} is sent with every request", redacted(contact))),
        None => Check::warning("contact", "not set", "set SPOTIFAI_CONTACT to your e-mail or web address"),
    }]
}

/// Checks last.fm's robots.txt.
pub async fn lastfm_pages(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "lastfm-pages";
    let asked = async {
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        client.is_forbidden(KNOWN_SONG.0, KNOWN_SONG.1).await
    };
    vec![match asked.await {
        Ok(false) => Check::ok(NAME, "robots.txt allows reading tag pages"),
        Ok(true) => Check::warning(
            NAME,
            "robots.txt forbids reading tag pages",
            "set SPOTIFAI_LASTFM_API_KEY to get tags from the API",
        ),
        Err(error) => Check::failed(NAME, error, network("SPOTIFAI_LASTFM_URL")),
    }]
}

/// Checks last.fm's API key, if one is set.
pub async fn lastfm_api(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "lastfm-api";
    const KEY_ADVICE: &str = "get a key at last.fm/api and set SPOTIFAI_LASTFM_API_KEY";
    if settings.lastfm.api_key.is_none() {
        return vec![Check::warning(
            NAME,
            "no key is set, and last.fm's terms forbid scraping its pages instead",
            KEY_ADVICE,
        )];
    }
    let asked = async {
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        client.api(KNOWN_SONG.0, KNOWN_SONG.1).await
    };
    vec![match asked.await.map(|answer| answer.outcome) {
        Ok(ApiOutcome::Tags(_) | ApiOutcome::NoTags | ApiOutcome::UnknownTrack) => Check::ok(NAME, "the key is valid"),
        Ok(ApiOutcome::Refused(why)) => Check::failed(NAME, why, KEY_ADVICE),
        Ok(ApiOutcome::Throttled) => Check::warning(NAME, "rate-limited", "check again in a few minutes"),
        Ok(ApiOutcome::Unavailable(why)) => Check::warning(NAME, why, "check again in a few minutes"),
        Ok(ApiOutcome::Unrecognised) => {
            Check::failed(NAME, "the response is not from last.fm's API", network("SPOTIFAI_LASTFM_API_URL"))
        }
        Err(error) => Check::failed(NAME, error, network("SPOTIFAI_LASTFM_API_URL")),
    }]
}

fn network(variable: &str) -> String {
    format!("check the network, and that {variable} is right")
}
