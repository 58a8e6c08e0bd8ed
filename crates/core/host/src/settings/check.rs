//! Values that have the right type but make no sense.

use std::net::SocketAddr;

use model::settings::{BackoffSettings, Settings, has_password, url_problem};
use url::Url;

use super::quote::{shown, shown_address};

type CheckResult = Result<(), (&'static str, String)>;

/// The first setting that makes no sense, with what is wrong about it.
pub(super) fn check(settings: &Settings) -> CheckResult {
    let Settings { spotify, lastfm, dataset, worker, .. } = settings;
    if let Some(key) = settings.masked_key() {
        let problem = "is the placeholder *** that `spotifai config` prints for a secret: set the secret itself";
        return Err((key, problem.to_owned()));
    }
    backend("queue", &settings.queue, &["sqlite:FILE", "amqp://HOST", "amqps://HOST"])?;
    backend("store", &settings.store, &["sqlite:FILE", "mongodb://HOST", "mongodb+srv://HOST"])?;
    key_part("egress", &settings.egress)?;
    spotify.client_id.as_deref().map_or(Ok(()), |id| key_part("spotify.client_id", id))?;
    contact(settings.contact.as_deref().unwrap_or_default())?;
    for (key, value) in [("spotify.rate", spotify.rate), ("lastfm.rate", lastfm.rate)] {
        number(key, value, value > 0.0, "a number of requests a second above 0")?;
    }
    let BackoffSettings { first, cap } = lastfm.backoff;
    let fits = (0.0..=MAX_SECONDS).contains(&first) && (first..=MAX_SECONDS).contains(&cap);
    if !fits {
        return Err((
            "lastfm.backoff",
            format!("is {}, expected FIRST..CAP in seconds, with FIRST no greater than CAP", lastfm.backoff),
        ));
    }
    let share = dataset.split.test_size;
    number("dataset.split.test_size", share, share > 0.0 && share < 1.0, "a fraction between 0 and 1")?;
    let grace = worker.grace_seconds;
    number("worker.grace_seconds", grace, (0.0..=MAX_SECONDS).contains(&grace), "seconds, 0 or more")?;
    for (key, value) in [
        ("spotify.api_url", &spotify.api_url),
        ("spotify.auth_url", &spotify.auth_url),
        ("lastfm.url", &lastfm.url),
        ("lastfm.api_url", &lastfm.api_url),
    ] {
        let url = address(key, value)?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            let shown = shown_address(value);
            return Err((key, format!("is `{shown}` with a user, a query or a fragment: leave them out")));
        }
    }
    if let Some(url) = &settings.queue_management_url {
        address("queue_management_url", url)?;
    }
    match worker.listen.as_deref().map(str::parse::<SocketAddr>) {
        Some(Err(_)) => {
            let listen = worker.listen.as_deref().unwrap_or_default();
            Err(("worker.listen", format!("is `{}`, expected IP:PORT such as 0.0.0.0:9100", shown_address(listen))))
        }
        _ => Ok(()),
    }
}

/// The URL of a queue or store must have one of these forms.
fn backend(key: &'static str, url: &str, known: &[&str]) -> CheckResult {
    let prefix = |shape: &str| shape.trim_end_matches(char::is_uppercase).to_owned();
    if known.iter().any(|shape| url.strip_prefix(&prefix(shape)).is_some_and(|rest| !rest.is_empty())) {
        return parsable(key, url);
    }
    Err((key, format!("is `{}`, expected one of: {}", shown_address(url), known.join(", "))))
}

/// A name that becomes part of the key of a budget, which users see.
fn key_part(key: &'static str, name: &str) -> CheckResult {
    if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) {
        return Ok(());
    }
    Err((key, format!("is `{}`, expected letters, digits, `-`, `_` and `.`", shown(name))))
}

/// The contact is sent to services with every request. It may be any text, with mail and web addresses in it.
fn contact(contact: &str) -> CheckResult {
    let is_mail = |word: &str| !word.trim_start_matches("mailto:").contains([':', '/', '?']);
    if !contact.split_whitespace().any(|word| has_password(word) && !is_mail(word)) {
        return Ok(());
    }
    let shown = shown(contact);
    Err(("contact", format!("is `{shown}` and is sent to services with every request: leave the password out")))
}

/// A hundred years. A longer time is a mistake, and adding it to a date overflows.
const MAX_SECONDS: f64 = 100.0 * 365.25 * 86_400.0;

fn number(key: &'static str, value: f64, fits: bool, expected: &str) -> CheckResult {
    if fits && value.is_finite() { Ok(()) } else { Err((key, format!("is {value}, expected {expected}"))) }
}

/// The user and password of a URL must not contain a character that a parser takes for their end.
fn parsable(key: &'static str, url: &str) -> CheckResult {
    match url_problem(url) {
        None => Ok(()),
        Some(advice) => Err((key, format!("is `{}`, and {advice}", shown_address(url)))),
    }
}

fn address(key: &'static str, value: &str) -> Result<Url, (&'static str, String)> {
    parsable(key, value)?;
    let shown = shown_address(value);
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        Ok(_) => Err((key, format!("is `{shown}`, expected an address that starts with http:// or https://"))),
        Err(error) => Err((key, format!("is `{shown}`, expected an http(s) address: {error}"))),
    }
}
