//! The client.

use std::time::Duration;

use model::settings::LastfmSettings;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use url::Url;
use web::{MAX_PAGE_BYTES, Redirects, RequestError};

use crate::address::tags_url;
use crate::api::{ApiOutcome, read_api};
use crate::error::Error;
use crate::page::{PageOutcome, read_page};
use crate::robots::Robots;

/// Requests pages and API responses from last.fm, one at a time.
pub struct Client {
    pages: Endpoint,
    api: Endpoint,
    api_key: Option<SecretString>,
    robots: OnceCell<Robots>,
    /// Locked during a request. Holds the time of the last request for a page.
    last_page_at: Mutex<Option<Instant>>,
}

/// The web site or the API.
struct Endpoint {
    http: reqwest::Client,
    url: Url,
}

/// The response to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<O> {
    /// The requested URL, without the key.
    pub address: String,
    /// HTTP status.
    pub status: u16,
    /// What it says.
    pub outcome: O,
    /// The wait that the server asks for.
    pub retry_after: Option<Duration>,
    /// The body as it was received.
    pub body: String,
}

impl Client {
    /// A client with the User-Agent `spotif-ai/VERSION (+contact)`. Makes no request yet.
    ///
    /// # Errors
    /// If a URL or the contact is invalid.
    pub fn new(settings: &LastfmSettings, contact: Option<&str>) -> Result<Self, Error> {
        let endpoint = |name, url: &str, redirects| {
            let url = web::parse_url(url).map_err(|cause| Error::Setting { name, cause })?;
            let http =
                web::client(&url, contact, redirects).map_err(|cause| Error::Setting { name: "contact", cause })?;
            Ok(Endpoint { http, url })
        };
        Ok(Self {
            pages: endpoint("lastfm.url", &settings.url, Redirects::WithinSite)?,
            // Its requests contain the key.
            api: endpoint("lastfm.api_url", &settings.api_url, Redirects::Never)?,
            api_key: settings.api_key.clone(),
            robots: OnceCell::new(),
            last_page_at: Mutex::new(None),
        })
    }

    /// Whether the API can be used.
    pub fn has_api_key(&self) -> bool {
        self.api_key.is_some()
    }

    /// Whether robots.txt has been read. If not, the next [`Client::page`] makes another request for it.
    pub fn knows_robots(&self) -> bool {
        self.robots.initialized()
    }

    /// Reads robots.txt, unless it has been read: one request.
    pub async fn read_robots(&self) -> Result<(), Error> {
        self.robots().await.map(drop)
    }

    /// Whether robots.txt forbids the tag page of a track.
    pub async fn is_forbidden(&self, artist: &str, title: &str) -> Result<bool, Error> {
        let (_, url) = self.page_url(artist, title)?;
        Ok(!self.robots().await?.allow(url.as_str()))
    }

    /// Requests the tag page of a track: one request if robots.txt has been read, else two.
    pub async fn page(&self, artist: &str, title: &str) -> Result<Response<PageOutcome>, Error> {
        let (address, url) = self.page_url(artist, title)?;
        let robots = self.robots().await?;
        // The rules apply to the URL as it is sent.
        if !robots.allow(url.as_str()) {
            return Err(Error::Disallowed { at: address });
        }
        let mut last_page = self.last_page_at.lock().await;
        if let Some(last_page) = *last_page {
            tokio::time::sleep_until(last_page + robots.delay()).await;
        }
        *last_page = Some(Instant::now());
        let (status, retry_after, body) = self.pages.get(url, &address).await?;
        Ok(Response { address, status, outcome: read_page(status, &body), retry_after, body })
    }

    /// Requests the tags of a track from the API: one request.
    pub async fn api(&self, artist: &str, title: &str) -> Result<Response<ApiOutcome>, Error> {
        let key = self
            .api_key
            .as_ref()
            .ok_or_else(|| Error::Setting { name: "lastfm.api_key", cause: "the API needs a key".into() })?;
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
        let _one_at_a_time = self.last_page_at.lock().await;
        let (status, retry_after, body) = self.api.get(url, &address).await?;
        Ok(Response { address, status, outcome: read_api(status, &body), retry_after, body })
    }

    async fn robots(&self) -> Result<&Robots, Error> {
        self.robots
            .get_or_try_init(|| async {
                let mut url = self.pages.url.clone();
                url.set_path("/robots.txt");
                let at = url.to_string();
                let _one_at_a_time = self.last_page_at.lock().await;
                let (status, retry_after, body) = self.pages.get(url, &at).await?;
                if (300..400).contains(&status) {
                    let cause = format!("{at} redirects elsewhere (status {status}): set the URL that it leads to");
                    return Err(Error::Setting { name: "lastfm.url", cause });
                }
                Robots::read(status, &body).map_err(|cause| Error::RobotsUnreadable { at, cause, retry_after })
            })
            .await
    }

    /// The URL of a track's tag page, as it is shown and as it is sent.
    fn page_url(&self, artist: &str, title: &str) -> Result<(String, Url), Error> {
        let address = tags_url(self.pages.url.as_str(), artist, title);
        let url = web::parse_url(&address).map_err(|cause| Error::Setting { name: "lastfm.url", cause })?;
        Ok((address, url))
    }
}

impl Endpoint {
    /// The status, the requested wait and the body of the response from `url`. `address` is the URL without the key.
    async fn get(&self, url: Url, address: &str) -> Result<(u16, Option<Duration>, String), Error> {
        let response = web::send(self.http.get(url), MAX_PAGE_BYTES).await.map_err(|error| match error {
            RequestError::Unreachable { .. } => Error::Unreachable { cause: error.to_string() },
            RequestError::InvalidRequest(cause) => Error::Setting { name: "lastfm", cause },
            RequestError::Interrupted(_) | RequestError::TooLarge { .. } => {
                Error::Incomplete { at: address.to_owned(), cause: error.to_string() }
            }
        })?;
        Ok((response.status.as_u16(), response.retry_after, String::from_utf8_lossy(&response.body).into_owned()))
    }
}
