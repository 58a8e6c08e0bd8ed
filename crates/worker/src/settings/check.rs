//! Values that have the right type and make no sense.

use model::settings::Settings;
use url::Url;

type Checked = Result<(), (&'static str, String)>;

/// The first setting that makes no sense, with what is wrong about it.
pub(super) fn check(settings: &Settings) -> Checked {
    let Settings { spotify, lastfm, dataset, worker, .. } = settings;
    for (key, value) in [("spotify.rate", spotify.rate), ("lastfm.rate", lastfm.rate)] {
        number(key, value, value > 0.0, "a number of requests a second above 0")?;
    }
    let (first, cap) = (lastfm.backoff_first_seconds, lastfm.backoff_cap_seconds);
    number("lastfm.backoff_first_seconds", first, (0.0..=MOST_SECONDS).contains(&first), "seconds, 0 or more")?;
    let fits = (first..=MOST_SECONDS).contains(&cap);
    number("lastfm.backoff_cap_seconds", cap, fits, "seconds, not less than lastfm.backoff_first_seconds")?;
    let share = dataset.split.test_size;
    number("dataset.split.test_size", share, share > 0.0 && share < 1.0, "a share between 0 and 1")?;
    let grace = worker.grace_seconds;
    number("worker.grace_seconds", grace, (0.0..=MOST_SECONDS).contains(&grace), "seconds, 0 or more")?;
    let attempts = worker.max_attempts;
    number("worker.max_attempts", attempts.into(), attempts > 0, "a whole number, 1 or more")?;
    for (key, value) in [
        ("spotify.api_url", &spotify.api_url),
        ("spotify.auth_url", &spotify.auth_url),
        ("lastfm.url", &lastfm.url),
        ("lastfm.api_url", &lastfm.api_url),
    ] {
        address(key, value)?;
    }
    Ok(())
}

/// A hundred years: a time that is longer is a mistake, and overflows what adds it to a date.
const MOST_SECONDS: f64 = 100.0 * 365.25 * 86_400.0;

fn number(key: &'static str, value: f64, fits: bool, expected: &str) -> Checked {
    if fits && value.is_finite() { Ok(()) } else { Err((key, format!("is {value}, expected {expected}"))) }
}

fn address(key: &'static str, value: &str) -> Checked {
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => Err((key, format!("is `{value}`, expected an address that starts with http:// or https://"))),
        Err(error) => Err((key, format!("is `{value}`, expected an http(s) address: {error}"))),
    }
}
