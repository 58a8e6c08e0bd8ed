//! The token that all requests of a client share.

use std::time::SystemTime;

use model::settings::SpotifySettings;
use rspotify::{Credentials, Token};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::Error;
use crate::accounts::Accounts;
use crate::token_file::{SignIn, TokenFile};

/// Obtains tokens, caches the current one, and renews it when it has expired or was refused.
pub(crate) struct Auth {
    accounts: Accounts,
    app: Option<Credentials>,
    file: Option<TokenFile>,
    cached: Mutex<Option<CachedToken>>,
}

struct CachedToken {
    token: Token,
    /// Modification time of the token file when the token was obtained (`None`: there was no file). If it has changed, a user
    /// has signed in or another process has refreshed the token since.
    file_time: Option<SystemTime>,
}

impl Auth {
    pub(crate) fn new(settings: &SpotifySettings, contact: Option<&str>) -> Result<Self, Error> {
        let secret = settings.client_secret.as_ref().map(ExposeSecret::expose_secret);
        let app = settings.client_id.as_deref().zip(secret).map(|(id, secret)| Credentials::new(id, secret));
        let accounts = Accounts::new(settings, contact)?;
        Ok(Self { accounts, app, file: TokenFile::from_settings(settings), cached: Mutex::new(None) })
    }

    /// A token that has not expired, and that is not the one which has just been refused.
    pub(crate) async fn token(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let is_valid = |token: &Token| {
            !token.is_expired() && refused.is_none_or(|refused| refused.access_token != token.access_token)
        };
        // Locked while a new token is obtained: concurrent callers wait, and then find the new one.
        let mut cached = self.cached.lock().await;
        let file_time = self.file_time();
        if let Some(known) = cached.as_ref()
            && known.file_time == file_time
            && is_valid(&known.token)
        {
            return Ok(known.token.clone());
        }
        let token = match &self.file {
            Some(file) if file_time.is_some() => self.user_token(file, is_valid).await?,
            _ => self.app_token().await?,
        };
        *cached = Some(CachedToken { token: token.clone(), file_time: self.file_time() });
        Ok(token)
    }

    fn file_time(&self) -> Option<SystemTime> {
        self.file.as_ref().and_then(TokenFile::written_at)
    }

    async fn app_token(&self) -> Result<Token, Error> {
        let nobody = || Error::NotSignedIn { why: "there is no sign-in and no app secret".into() };
        let token = self.accounts.app_token(self.app.as_ref().ok_or_else(nobody)?).await?;
        tracing::debug!("obtained a token for the app");
        Ok(token)
    }

    /// The token of the file, refreshed if it is not valid.
    async fn user_token(&self, file: &TokenFile, is_valid: impl Fn(&Token) -> bool) -> Result<Token, Error> {
        let missing = || Error::NotSignedIn { why: format!("{} is gone", file.shown()) };
        // A valid one needs no lock: the file may be read-only.
        let SignIn { token, .. } = file.read()?.ok_or_else(missing)?;
        if is_valid(&token) {
            return Ok(token);
        }
        let _turn = file.lock().await?;
        // Read again under the lock: another process may just have refreshed it.
        let SignIn { client_id, token } = file.read()?.ok_or_else(missing)?;
        if is_valid(&token) {
            return Ok(token);
        }
        let ended = || Error::NotSignedIn { why: "the sign-in has ended".into() };
        let token = self.accounts.refresh(&client_id, &token.refresh_token.ok_or_else(ended)?).await?;
        file.write(&SignIn { client_id, token: token.clone() })?;
        tracing::debug!("refreshed the user's token");
        Ok(token)
    }
}
