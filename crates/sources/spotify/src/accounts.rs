//! Spotify's accounts service: three ways to obtain a token.

use model::settings::SpotifySettings;
use rspotify::{Credentials, Token};
use web::MAX_PAGE_BYTES;

use crate::{Error, http};

/// A client of the accounts service.
pub(crate) struct Accounts {
    http: reqwest::Client,
    url: String,
}

impl Accounts {
    pub(crate) fn new(settings: &SpotifySettings, contact: Option<&str>) -> Result<Self, Error> {
        let url = format!("{}/api/token", settings.auth_url.trim_end_matches('/'));
        Ok(Self { http: http::client(&settings.auth_url, contact)?, url })
    }

    /// A token for the app itself (client credentials).
    pub(crate) async fn app_token(&self, app: &Credentials) -> Result<Token, Error> {
        let request = self.http.post(&self.url).basic_auth(&app.id, app.secret.as_ref());
        self.request_token(request.form(&[("grant_type", "client_credentials")]), "the app's id and secret").await
    }

    /// A user's first token, for the code that the browser came back with.
    pub(crate) async fn exchange_code(
        &self,
        app: &str,
        code: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Token, Error> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", app),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        self.request_token(self.http.post(&self.url).form(&form), "the sign-in").await
    }

    /// A user's next token. This may use up the refresh token: the response contains a new one, or none if the old one stays
    /// valid.
    pub(crate) async fn refresh(&self, app: &str, refresh_token: &str) -> Result<Token, Error> {
        let form = [("grant_type", "refresh_token"), ("client_id", app), ("refresh_token", refresh_token)];
        let token = self.request_token(self.http.post(&self.url).form(&form), "the stored sign-in").await?;
        let refresh_token = token.refresh_token.or_else(|| Some(refresh_token.to_owned()));
        Ok(Token { refresh_token, ..token })
    }

    async fn request_token(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Token, Error> {
        let body = http::send(request, "a token", MAX_PAGE_BYTES).await.map_err(|error| match error {
            Error::Unauthorized { detail } | Error::Forbidden { detail, .. } | Error::Rejected { detail, .. } => {
                Error::NotSignedIn { why: format!("Spotify refuses {what} ({detail})") }
            }
            other => other,
        })?;
        // serde's message is left out: it could quote the token.
        let token =
            serde_json::from_slice::<Token>(&body).map_err(|_| Error::unreadable("a token", "it contains none"))?;
        // rspotify's default token expires now: this is the present in its own type for times.
        let now = Token::default().expires_at;
        Ok(Token { expires_at: now.and_then(|now| now.checked_add_signed(token.expires_in)), ..token })
    }
}
