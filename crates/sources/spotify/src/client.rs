//! The client: one call, one request.

use std::sync::Arc;

use model::settings::SpotifySettings;
use reqwest::Url;
use rspotify::Token;
use web::{MAX_ANALYSIS_BYTES, MAX_PAGE_BYTES};

use crate::auth::Auth;
use crate::ids::checked;
use crate::{Error, http};

/// A client of the Web API. Clones share their connections and their token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api_url: Arc<Url>,
    auth: Arc<Auth>,
}

impl Client {
    /// A client for the URLs and the app of the settings. Makes no request yet. `contact` becomes part of the User-Agent.
    ///
    /// # Errors
    /// If a URL or the contact is invalid.
    pub fn new(settings: &SpotifySettings, contact: Option<&str>) -> Result<Self, Error> {
        Ok(Self {
            http: http::client(&settings.api_url, contact)?,
            api_url: Arc::new(http::base(&settings.api_url)?),
            auth: Arc::new(Auth::new(settings, contact)?),
        })
    }

    /// Makes sure that there is a token, so that a command can fail early if nobody is signed in.
    pub async fn sign_in(&self) -> Result<(), Error> {
        self.auth.token(None).await.map(drop)
    }

    /// The document of one item: one track, one artist …
    pub(crate) async fn get_one(&self, what: &str, kind: &str, id: &str) -> Result<Vec<u8>, Error> {
        self.get(what, &[kind, checked(id)?], &[]).await
    }

    /// The documents of several items, in one request.
    pub(crate) async fn get_many(&self, what: &str, kind: &str, ids: &[String]) -> Result<Vec<u8>, Error> {
        ids.iter().try_for_each(|id| checked(id).map(drop))?;
        self.get(what, &[kind], &[("ids", &ids.join(","))]).await
    }

    /// The body of a successful response. A refused token is renewed once.
    pub(crate) async fn get(&self, what: &str, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
        let token = self.auth.token(None).await?;
        match self.get_with(&token, what, path, query).await {
            Err(Error::Unauthorized { .. }) => {
                let token = self.auth.token(Some(&token)).await?;
                self.get_with(&token, what, path, query).await
            }
            answer => answer,
        }
    }

    async fn get_with(
        &self,
        token: &Token,
        what: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, Error> {
        let mut url = Url::clone(&self.api_url);
        // Segment by segment, so that no segment can lead out of the path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let request = self.http.get(url);
        let max_bytes = if path.first() == Some(&"audio-analysis") { MAX_ANALYSIS_BYTES } else { MAX_PAGE_BYTES };
        http::send(request.bearer_auth(&token.access_token).query(query), what, max_bytes).await
    }
}
