//! Spotify and last.fm.

use std::sync::Arc;

use lastfm::ApiOutcome;
use model::settings::Settings;
use spotify::Error;

use super::check::Check;

/// A track that has features, an analysis, tags and a page wherever one may ask for them: "Mr. Brightside".
const TRACK: &str = "3n3Ppam7vgaVa1iaRUc9Lp";

/// Its artist and title at last.fm.
const SONG: (&str, &str) = ("The Killers", "Mr. Brightside");

/// The sign-in, and what this app may ask for.
pub async fn spotify(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "spotify-sign-in";
    let client = match spotify::Client::new(&settings.spotify, settings.contact.as_deref()) {
        Ok(client) => client,
        Err(error) => return vec![Check::failed_with(NAME, error)],
    };
    match client.sign_in().await {
        Ok(()) => {}
        Err(error @ Error::NotSignedIn { .. }) if settings.spotify.client_id.is_none() => {
            let advice = "make an app at Spotify's developer dashboard and set SPOTIFAI_SPOTIFY_CLIENT_ID first";
            return vec![Check::failed(NAME, error, advice)];
        }
        Err(error @ Error::NotSignedIn { .. }) => return vec![Check::failed_with(NAME, error)],
        Err(error) => return vec![Check::failed(NAME, error, network("SPOTIFAI_SPOTIFY_AUTH_URL"))],
    }
    let (features, analysis) = tokio::join!(client.audio_features_of(TRACK), client.audio_analysis(TRACK));
    vec![
        Check::ok(NAME, "signed in"),
        capability("spotify-audio-features", features.map(drop)),
        capability("spotify-audio-analysis", analysis.map(drop)),
    ]
}

/// A refusal is no failure: the matrix has the columns that there are.
fn capability(name: &'static str, asked: Result<(), Error>) -> Check {
    match asked {
        Ok(()) => Check::ok(name, "this app may ask for it"),
        Err(error) if error.is_refusal() => Check::warning(
            name,
            error,
            "Spotify gives it to no app made after November 2024: use an older one, or do without these columns",
        ),
        Err(error @ (Error::RateLimited { .. } | Error::Quota { .. })) => {
            Check::warning(name, error, "look again when the pause is over")
        }
        Err(error) => Check::failed(name, error, network("SPOTIFAI_SPOTIFY_API_URL")),
    }
}

/// Whom services may complain to.
pub async fn contact(settings: Arc<Settings>) -> Vec<Check> {
    vec![match &settings.contact {
        Some(contact) => Check::ok("contact", format!("{contact} is sent with every request")),
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
