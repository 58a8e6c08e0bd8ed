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

/// Artist and title at last.fm of a track that has tags and a page.
const SONG: (&str, &str) = ("The Killers", "Mr. Brightside");

const SIGN_IN: &str = "spotify-sign-in";
const FEATURES: &str = "spotify-audio-features";
const ANALYSIS: &str = "spotify-audio-analysis";

/// The sign-in, and what this app may ask for; where nobody is signed in here, what the workers were refused.
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
            let advice = "make an app at Spotify's developer dashboard and set SPOTIFAI_SPOTIFY_CLIENT_ID first";
            Check::failed(SIGN_IN, error, advice)
        }
        Error::NotSignedIn { .. } => Check::failed_with(SIGN_IN, error),
        error => Check::failed(SIGN_IN, error, network("SPOTIFAI_SPOTIFY_AUTH_URL")),
    }
}

/// What the store remembers of refusals.
async fn remembered(settings: &Settings) -> Vec<Check> {
    // What is out of reach says so itself.
    let Ok(store) = backends::store(settings).await else { return Vec::new() };
    let Ok(refusals) = Refusals::remembered(&*store).await else { return Vec::new() };
    let check = |name, refusal: Option<Capability>| {
        let refusal = refusal?;
        let detail = format!("the workers were refused it {} ago: {}", age(refusal.checked_at), refusal.detail);
        Some(Check::warning(name, detail, REFUSED))
    };
    [check(FEATURES, refusals.features), check(ANALYSIS, refusals.analysis)].into_iter().flatten().collect()
}

/// What to do about a refusal.
const REFUSED: &str = "Spotify gives it to no app made after 2024-11-27: use an older one, do without these columns, or \
                       collect tags alone (`spotifai run --labels-only`)";

/// A refusal is no failure: the matrix has the columns that there are.
fn capability(name: &'static str, asked: Result<(), Error>) -> Check {
    match asked {
        Ok(()) => Check::ok(name, "this app may ask for it"),
        Err(error) if error.is_refusal() => Check::warning(name, error, REFUSED),
        Err(error @ (Error::RateLimited { .. } | Error::Quota { .. })) => {
            Check::warning(name, error, "look again when the pause is over")
        }
        Err(error) => Check::failed(name, error, network("SPOTIFAI_SPOTIFY_API_URL")),
    }
}

/// Whom services may complain to.
pub async fn contact(settings: Arc<Settings>) -> Vec<Check> {
    vec![match &settings.contact {
        Some(contact) => Check::ok("contact", format!("{} is sent with every request", redacted(contact))),
        None => Check::warning("contact", "there is none", "set SPOTIFAI_CONTACT to a mail or web address of yours"),
    }]
}

/// last.fm's robots.txt.
pub async fn lastfm_pages(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "lastfm-pages";
    let asked = async {
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        client.is_forbidden(SONG.0, SONG.1).await
    };
    vec![match asked.await {
        Ok(false) => Check::ok(NAME, "robots.txt was read and lets us read tag pages"),
        Ok(true) => Check::warning(
            NAME,
            "robots.txt keeps us from tag pages",
            "set SPOTIFAI_LASTFM_API_KEY: tags come from the API then",
        ),
        Err(error) => Check::failed(NAME, error, network("SPOTIFAI_LASTFM_URL")),
    }]
}

/// last.fm's API, where there is a key.
pub async fn lastfm_api(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "lastfm-api";
    const KEY: &str = "get a key at last.fm/api and set SPOTIFAI_LASTFM_API_KEY";
    if settings.lastfm.api_key.is_none() {
        return vec![Check::warning(NAME, "there is no key, and last.fm's terms bar reading its pages instead", KEY)];
    }
    let asked = async {
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        client.api(SONG.0, SONG.1).await
    };
    vec![match asked.await.map(|answer| answer.outcome) {
        Ok(ApiOutcome::Tags(_) | ApiOutcome::NoTags | ApiOutcome::UnknownTrack) => {
            Check::ok(NAME, "the key is accepted")
        }
        Ok(ApiOutcome::Refused(why)) => Check::failed(NAME, why, KEY),
        Ok(ApiOutcome::Throttled) => Check::warning(NAME, "throttled", "look again in some minutes"),
        Ok(ApiOutcome::Unavailable(why)) => Check::warning(NAME, why, "look again in some minutes"),
        Ok(ApiOutcome::Unrecognised) => {
            Check::failed(NAME, "the answer is none of the API's", network("SPOTIFAI_LASTFM_API_URL"))
        }
        Err(error) => Check::failed(NAME, error, network("SPOTIFAI_LASTFM_API_URL")),
    }]
}

fn network(variable: &str) -> String {
    format!("see whether the network is up and {variable} is right")
}
