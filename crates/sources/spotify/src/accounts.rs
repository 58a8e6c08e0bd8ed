//! Spotify's accounts service: three ways to a token.

use model::settings::SpotifySettings;
use rspotify::{Credentials, Token};
use web::MAX_PAGE_BYTES;

use crate::{Error, http};

/// The accounts service at its address.
pub(crate) struct Accounts {
    http: reqwest::Client,
    url: String,
}

impl Accounts {
    pub(crate) fn new(settings: &SpotifySettings, contact: Option<&str>) -> Result<Self, Error> {
        let url = format!("{}/api/token", settings.auth_url.trim_end_matches('/'));
        Ok(Self { http: http::pool(&settings.auth_url, contact)?, url })
    }

    /// A token for the app itself (client credentials).
    pub(crate) async fn of_app(&self, app: &Credentials) -> Result<Token, Error> {
        let request = self.http.post(&self.url).basic_auth(&app.id, app.secret.as_ref());
        self.exchange(request.form(&[("grant_type", "client_credentials")]), "the app's id and secret").await
    }

    /// A user's first token, for the code that the browser brought back.
    pub(crate) async fn of_code(&self, app: &str, code: &str, redirect: &str, verifier: &str) -> Result<Token, Error> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", app),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        self.exchange(self.http.post(&self.url).form(&form), "the sign-in").await
    }

    /// A user's next token. The refresh token may be used up by this: the answer brings another one, or none when the
    /// old one stays good.
    pub(crate) async fn refreshed(&self, app: &str, refresh_token: &str) -> Result<Token, Error> {
        let form = [("grant_type", "refresh_token"), ("client_id", app), ("refresh_token", refresh_token)];
        let token = self.exchange(self.http.post(&self.url).form(&form), "the kept sign-in").await?;
        let refresh_token = token.refresh_token.or_else(|| Some(refresh_token.to_owned()));
        Ok(Token { refresh_token, ..token })
    }

    async fn exchange(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Token, Error> {
        let body = http::send(request, "a token", MAX_PAGE_BYTES).await.map_err(|error| match error {
            Error::Unauthorized { detail } | Error::Forbidden { detail, .. } | Error::Rejected { detail, .. } => {
                Error::NotSignedIn { why: format!("Spotify refuses {what} ({detail})") }
            }
            other => other,
        })?;
        // serde's reason is left out: it could quote the token.
        let token =
            serde_json::from_slice::<Token>(&body).map_err(|_| Error::unreadable("a token", "it holds none"))?;
        // The default token ends now, by rspotify's clock.
        let now = Token::default().expires_at;
        Ok(Token { expires_at: now.and_then(|now| now.checked_add_signed(token.expires_in)), ..token })
    }
}
