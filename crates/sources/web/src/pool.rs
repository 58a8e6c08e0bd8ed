//! A pool of connections to one service: the name we go by, time limits, redirects.

use std::time::Duration;

use model::plain;
use model::settings::without_credentials;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};

/// The name of the program, as services and their robots.txt know it.
pub const AGENT: &str = "spotif-ai";

/// How long each part of a request may take.
pub(crate) struct Times {
    pub(crate) connect: Duration,
    /// From its beginning to the last byte of the answer, so that a server that sends a byte now and then is given up too.
    pub(crate) whole: Duration,
}

const TIMES: Times = Times { connect: Duration::from_secs(10), whole: Duration::from_secs(30) };

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;

/// Which redirects are followed. One that is not is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// None: for requests with a token or a key, which must not go where an answer says.
    Never,
    /// Up to five to the same host, port and scheme: a site elsewhere has other rules and another robots.txt.
    WithinSite,
}

/// Reads the address of a web service.
///
/// # Errors
/// Where it is none, or is neither `http` nor `https`; without the password that it may hold.
pub fn address(text: &str) -> Result<Url, String> {
    let shown = without_credentials(text);
    let url = Url::parse(text).map_err(|error| format!("`{shown}`: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`{shown}`: {other} is neither http nor https")),
    }
}

/// A pool of connections for requests to `service`, which calls itself `spotif-ai/VERSION (+contact)`. Connecting may take
/// 10 s, a whole request 30 s.
///
/// # Errors
/// Where `contact` cannot be part of a header.
pub fn pool(service: &Url, contact: Option<&str>, redirects: Redirects) -> Result<Client, String> {
    patient_pool(service, contact, redirects, TIMES)
}

pub(crate) fn patient_pool(
    service: &Url,
    contact: Option<&str>,
    redirects: Redirects,
    times: Times,
) -> Result<Client, String> {
    let contact = contact.map_or_else(String::new, |contact| format!(" (+{contact})"));
    let mut builder = Client::builder()
        .user_agent(format!("{AGENT}/{}{contact}", env!("CARGO_PKG_VERSION")))
        .connect_timeout(times.connect)
        .timeout(times.whole)
        .redirect(match redirects {
            Redirects::Never => Policy::none(),
            Redirects::WithinSite => Policy::custom(follow_within_site),
        });
    // A service on this machine is out of the reach of the proxy that the environment may name.
    if matches!(service.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| format!("no requests can be made: {}", plain::root(&error)))
}

fn follow_within_site(attempt: Attempt<'_>) -> Action {
    let within = attempt.previous().first().is_none_or(|first| first.origin() == attempt.url().origin());
    if within && attempt.previous().len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
}
