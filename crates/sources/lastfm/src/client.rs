//! One polite visitor of last.fm.

use std::time::Duration;

use model::settings::LastfmSettings;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use url::Url;
use web::{NoAnswer, PAGE_BYTES, Redirects};

use crate::address::tags_url;
use crate::api::{ApiOutcome, read_api};
use crate::error::Error;
use crate::page::{PageOutcome, read_page};
use crate::robots::Robots;

/// Asks last.fm's pages and its API, one request at a time.
pub struct Client {
    pages: Service,
    api: Service,
    api_key: Option<SecretString>,
    robots: OnceCell<Robots>,
    /// Held while a request is under way; when the last page was asked for.
    turn: Mutex<Option<Instant>>,
}

/// One of the two, at its address.
struct Service {
    http: reqwest::Client,
    url: Url,
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
    pub fn new(settings: &LastfmSettings, contact: Option<&str>) -> Result<Self, Error> {
        let service = |name, url: &str, redirects| {
            let url = web::address(url).map_err(|cause| Error::Setting { name, cause })?;
            let http =
                web::pool(&url, contact, redirects).map_err(|cause| Error::Setting { name: "contact", cause })?;
            Ok(Service { http, url })
        };
        Ok(Self {
            pages: service("lastfm.url", &settings.url, Redirects::WithinSite)?,
            // Its requests hold the key.
            api: service("lastfm.api_url", &settings.api_url, Redirects::Never)?,
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
        let (_, url) = self.page_url(artist, title)?;
        Ok(!self.robots().await?.allow(url.as_str()))
    }

    /// Asks for the tag page of a track: one request, where robots.txt was read before.
    pub async fn page(&self, artist: &str, title: &str) -> Result<Answer<PageOutcome>, Error> {
        let (address, url) = self.page_url(artist, title)?;
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
        let (status, retry_after, body) = self.pages.get(url, &address).await?;
        Ok(Answer { address, status, outcome: read_page(status, &body), retry_after, body })
    }

    /// Asks the API for the tags of a track: one request.
    pub async fn api(&self, artist: &str, title: &str) -> Result<Answer<ApiOutcome>, Error> {
        let key = self.api_key.as_ref().ok_or_else(|| Error::Setting {
            name: "lastfm.api_key",
            cause: "there is none to ask the API with".into(),
        })?;
        let mut url = self.api.url.clone();
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
        let (status, retry_after, body) = self.api.get(url, &address).await?;
        Ok(Answer { address, status, outcome: read_api(status, &body), retry_after, body })
    }

    async fn robots(&self) -> Result<&Robots, Error> {
        self.robots
            .get_or_try_init(|| async {
                let mut url = self.pages.url.clone();
                url.set_path("/robots.txt");
                let at = url.to_string();
                let _turn = self.turn.lock().await;
                let (status, retry_after, body) = self.pages.get(url, &at).await?;
                if (300..400).contains(&status) {
                    let cause = format!("{at} redirects elsewhere (status {status}): set the address it leads to");
                    return Err(Error::Setting { name: "lastfm.url", cause });
                }
                Robots::read(status, &body).map_err(|cause| Error::RobotsUnreadable { at, cause, retry_after })
            })
            .await
    }

    /// The address of a track's tag page, as it is shown and as it goes out.
    fn page_url(&self, artist: &str, title: &str) -> Result<(String, Url), Error> {
        let address = tags_url(self.pages.url.as_str(), artist, title);
        let url = web::address(&address).map_err(|cause| Error::Setting { name: "lastfm.url", cause })?;
        Ok((address, url))
    }
}

impl Service {
    /// Status, the wait that was asked for, and the body of what is answered at `url`, which `address` names without the key.
    async fn get(&self, url: Url, address: &str) -> Result<(u16, Option<Duration>, String), Error> {
        let answer = web::send(self.http.get(url), PAGE_BYTES).await.map_err(|error| match error {
            NoAnswer::Unreachable { .. } => Error::Unreachable { cause: error.to_string() },
            NoAnswer::Unsendable(cause) => Error::Setting { name: "lastfm", cause },
            NoAnswer::BrokenOff(_) | NoAnswer::TooLarge { .. } => {
                Error::Incomplete { at: address.to_owned(), cause: error.to_string() }
            }
        })?;
        Ok((answer.status.as_u16(), answer.retry_after, String::from_utf8_lossy(&answer.body).into_owned()))
    }
}
