//! An HTTP client for one service: User-Agent, timeouts, redirects.

use std::time::Duration;

use model::explain;
use model::settings::without_credentials;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};

/// The name of this program in User-Agents and in robots.txt (RFC 9309's product token).
pub const PRODUCT_TOKEN: &str = "spotif-ai";

/// How long each part of a request may take.
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    /// Until the last byte of the response, so that a server that sends a byte now and then times out as well.
    pub(crate) total: Duration,
}

const DEFAULT_TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(10), total: Duration::from_secs(30) };

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;

/// Which redirects are followed. Others are returned as the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// None: a token or a key must not be sent where a response says.
    Never,
    /// Up to five, to the same host, port and scheme: another site has another robots.txt.
    WithinSite,
}

/// Parses the URL of a web service.
///
/// # Errors
/// If it is not a URL, or neither `http` nor `https`. The message leaves out any password.
pub fn parse_url(text: &str) -> Result<Url, String> {
    let shown = without_credentials(text);
    let url = Url::parse(text).map_err(|error| format!("`{shown}`: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`{shown}`: {other} is neither http nor https")),
    }
}

/// An HTTP client for requests to `service`, with the User-Agent `spotif-ai/VERSION (+contact)`. Connecting may take 10 s, a
/// whole request 30 s.
///
/// # Errors
/// If `contact` cannot be part of a header.
pub fn client(service: &Url, contact: Option<&str>, redirects: Redirects) -> Result<Client, String> {
    client_with_timeouts(service, contact, redirects, DEFAULT_TIMEOUTS)
}

pub(crate) fn client_with_timeouts(
    service: &Url,
    contact: Option<&str>,
    redirects: Redirects,
    timeouts: Timeouts,
) -> Result<Client, String> {
    let contact = contact.map_or_else(String::new, |contact| format!(" (+{contact})"));
    let mut builder = Client::builder()
        .user_agent(format!("{PRODUCT_TOKEN}/{}{contact}", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .redirect(match redirects {
            Redirects::Never => Policy::none(),
            Redirects::WithinSite => Policy::custom(follow_within_site),
        });
    // A proxy named by the environment cannot reach services on this machine.
    if matches!(service.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| format!("cannot set up requests: {}", explain::root_cause(&error)))
}

fn follow_within_site(attempt: Attempt<'_>) -> Action {
    let is_within_site = attempt.previous().first().is_none_or(|first| first.origin() == attempt.url().origin());
    if is_within_site && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}
