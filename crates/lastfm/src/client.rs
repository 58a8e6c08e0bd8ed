//! One polite visitor of last.fm.

use std::time::Duration;

use model::plain;
use model::settings::{Lastfm, without_credentials};
use reqwest::redirect::{Attempt, Policy};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use url::Url;
use web::retry_after;

use crate::address::tags_url;
use crate::api::{ApiOutcome, read_api};
use crate::error::Error;
use crate::page::{PageOutcome, read_page};
use crate::robots::{AGENT, Robots};

/// Redirects followed for one page.
const MAX_REDIRECTS: usize = 5;

/// Asks last.fm's pages and its API, one request at a time.
pub struct Client {
    http: reqwest::Client,
    pages: Url,
    api: Url,
    api_key: Option<SecretString>,
    robots: OnceCell<Robots>,
    /// Held while a request is under way; when the last page was asked for.
    turn: Mutex<Option<Instant>>,
}

/// What was answered to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<O> {
    /// What was asked for, without the key.
    pub address: String,
    /// HTTP status.
    pub status: u16,
    /// What it says.
    pub outcome: O,
    /// The wait that the server asked for.
    pub retry_after: Option<Duration>,
    /// The text as it came.
    pub body: String,
}

impl Client {
    /// A client of these addresses that calls itself `spotif-ai/VERSION (+contact)`.
    pub fn new(settings: &Lastfm, contact: Option<&str>) -> Result<Self, Error> {
        let contact = contact.map(|contact| format!(" (+{contact})")).unwrap_or_default();
        let mut builder = reqwest::Client::builder();
        // Stand-ins on this machine are out of the reach of the proxy that the environment may name.
        if is_loopback(&settings.url) && is_loopback(&settings.api_url) {
            builder = builder.no_proxy();
        }
        let http = builder
            .user_agent(format!("{AGENT}/{}{contact}", env!("CARGO_PKG_VERSION")))
            .gzip(true)
            .pool_max_idle_per_host(1)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .redirect(Policy::custom(follow_within_host))
            .build()
            .map_err(|error| Error::Setting {
                name: "contact",
                cause: format!("no User-Agent can be made: {error}"),
            })?;
        Ok(Self {
            http,
            pages: http_url("lastfm.url", &settings.url)?,
            api: http_url("lastfm.api_url", &settings.api_url)?,
            api_key: settings.api_key.clone(),
            robots: OnceCell::new(),
            turn: Mutex::new(None),
        })
    }

    /// Whether the API can be asked.
    pub fn has_api_key(&self) -> bool {
        self.api_key.is_some()
    }

    /// Whether robots.txt was read; the next [`Client::page`] makes a second request for it otherwise.
    pub fn knows_robots(&self) -> bool {
        self.robots.initialized()
    }

    /// Reads robots.txt, once: one request.
    pub async fn read_robots(&self) -> Result<(), Error> {
        self.robots().await.map(drop)
    }

    /// Whether robots.txt, read once, keeps us from the tag page of a track.
    pub async fn is_forbidden(&self, artist: &str, title: &str) -> Result<bool, Error> {
        let address = tags_url(self.pages.as_str(), artist, title);
        let url = http_url("lastfm.url", &address)?;
        Ok(!self.robots().await?.allow(url.as_str()))
    }

    /// Asks for the tag page of a track: one request, where robots.txt was read before.
    pub async fn page(&self, artist: &str, title: &str) -> Result<Answer<PageOutcome>, Error> {
        let address = tags_url(self.pages.as_str(), artist, title);
        let url = http_url("lastfm.url", &address)?;
        let robots = self.robots().await?;
        // The address as it goes out, which is what the rules are about.
        if !robots.allow(url.as_str()) {
            return Err(Error::Disallowed { at: address });
        }
        let mut last_page = self.turn.lock().await;
        if let Some(last_page) = *last_page {
            tokio::time::sleep_until(last_page + robots.delay()).await;
        }
        *last_page = Some(Instant::now());
        let (status, retry_after, body) = self.get(url, &address).await?;
        Ok(Answer { address, status, outcome: read_page(status, &body), retry_after, body })
    }

    /// Asks the API for the tags of a track: one request.
    pub async fn api(&self, artist: &str, title: &str) -> Result<Answer<ApiOutcome>, Error> {
        let key = self.api_key.as_ref().ok_or_else(|| Error::Setting {
            name: "lastfm.api_key",
            cause: "there is none to ask the API with".into(),
        })?;
        let mut url = self.api.clone();
        url.query_pairs_mut().extend_pairs([
            ("method", "track.getTopTags"),
            ("artist", artist),
            ("track", title),
            ("autocorrect", "1"),
            ("format", "json"),
        ]);
        let address = url.to_string();
        url.query_pairs_mut().append_pair("api_key", key.expose_secret());
        let _turn = self.turn.lock().await;
        let (status, retry_after, body) = self.get(url, &address).await?;
        Ok(Answer { address, status, outcome: read_api(status, &body), retry_after, body })
    }

    async fn robots(&self) -> Result<&Robots, Error> {
        self.robots
            .get_or_try_init(|| async {
                let mut url = self.pages.clone();
                url.set_path("/robots.txt");
                let at = url.to_string();
                let _turn = self.turn.lock().await;
                let (status, retry_after, body) = self.get(url, &at).await?;
                Robots::read(status, &body).map_err(|cause| Error::RobotsUnreadable { at, cause, retry_after })
            })
            .await
    }

    async fn get(&self, url: Url, address: &str) -> Result<(u16, Option<Duration>, String), Error> {
        // The key is part of the URL, and errors name the URL.
        let broken = |error: reqwest::Error| Error::BrokenOff {
            at: address.to_owned(),
            cause: plain::root(&error.without_url()),
        };
        let (host, port) = (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or(443));
        let answer = self.http.get(url).send().await.map_err(|error| match error.is_connect() {
            true => Error::Unreachable { cause: format!("{host}:{port}: {}", plain::root(&error.without_url())) },
            false => broken(error),
        })?;
        let status = answer.status().as_u16();
        let retry_after = retry_after(answer.headers());
        let body = answer.text().await.map_err(broken)?;
        tracing::debug!(address, status, body_bytes = body.len(), "last.fm answered");
        Ok((status, retry_after, body))
    }
}

/// A site that moves elsewhere has other rules and another robots.txt.
fn follow_within_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same_host = attempt.previous().first().is_none_or(|first| first.host_str() == attempt.url().host_str());
    if same_host && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn http_url(name: &'static str, value: &str) -> Result<Url, Error> {
    let shown = without_credentials(value);
    let url = Url::parse(value).map_err(|error| Error::Setting { name, cause: format!("`{shown}`: {error}") })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(Error::Setting { name, cause: format!("`{shown}`: {other} is neither http nor https") }),
    }
}

fn is_loopback(address: &str) -> bool {
    let url = Url::parse(address).ok();
    url.is_some_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")))
}
