//! The one token that all requests of a client share.

use std::time::SystemTime;

use model::settings::SpotifySettings;
use rspotify::{Credentials, Token};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::Error;
use crate::accounts::Accounts;
use crate::token_file::{SignIn, TokenFile};

/// Gets tokens, keeps the present one, and renews it when it has expired or was refused.
pub(crate) struct Auth {
    accounts: Accounts,
    app: Option<Credentials>,
    file: Option<TokenFile>,
    shared: Mutex<Option<Shared>>,
}

struct Shared {
    token: Token,
    /// The token file's time when the token was got (`None`: there was none). A later one means that somebody signed in
    /// or refreshed the token since.
    file_time: Option<SystemTime>,
}

impl Auth {
    pub(crate) fn new(settings: &SpotifySettings, contact: Option<&str>) -> Result<Self, Error> {
        let secret = settings.client_secret.as_ref().map(ExposeSecret::expose_secret);
        let app = settings.client_id.as_deref().zip(secret).map(|(id, secret)| Credentials::new(id, secret));
        let accounts = Accounts::new(settings, contact)?;
        Ok(Self { accounts, app, file: TokenFile::of(settings), shared: Mutex::new(None) })
    }

    /// A token that has not expired and is not the one that was just refused.
    pub(crate) async fn token(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let is_good = |token: &Token| {
            !token.is_expired() && refused.is_none_or(|refused| refused.access_token != token.access_token)
        };
        // Held while a new token is got: whoever comes meanwhile waits for it and then finds it good.
        let mut shared = self.shared.lock().await;
        let file_time = self.file_time();
        if let Some(known) = shared.as_ref()
            && known.file_time == file_time
            && is_good(&known.token)
        {
            return Ok(known.token.clone());
        }
        let token = match &self.file {
            Some(file) if file_time.is_some() => self.signed_in(file, is_good).await?,
            _ => self.of_app().await?,
        };
        *shared = Some(Shared { token: token.clone(), file_time: self.file_time() });
        Ok(token)
    }

    fn file_time(&self) -> Option<SystemTime> {
        self.file.as_ref().and_then(TokenFile::written_at)
    }

    async fn of_app(&self) -> Result<Token, Error> {
        let nobody = || Error::NotSignedIn { why: "there is no sign-in and no app secret".into() };
        let token = self.accounts.of_app(self.app.as_ref().ok_or_else(nobody)?).await?;
        tracing::debug!("got a token for the app");
        Ok(token)
    }

    /// The token of the file, refreshed where it is not good.
    async fn signed_in(&self, file: &TokenFile, is_good: impl Fn(&Token) -> bool) -> Result<Token, Error> {
        let gone = || Error::NotSignedIn { why: format!("{} is gone", file.shown()) };
        // One that is good needs no turn: it may lie where nobody may write.
        let SignIn { token, .. } = file.read()?.ok_or_else(gone)?;
        if is_good(&token) {
            return Ok(token);
        }
        let _turn = file.turn().await?;
        // Read again now that the turn has come: another process may just have refreshed it.
        let SignIn { client_id, token } = file.read()?.ok_or_else(gone)?;
        if is_good(&token) {
            return Ok(token);
        }
        let ended = || Error::NotSignedIn { why: "the sign-in has ended".into() };
        let token = self.accounts.refreshed(&client_id, &token.refresh_token.ok_or_else(ended)?).await?;
        file.write(&SignIn { client_id, token: token.clone() })?;
        tracing::debug!("refreshed the user's token");
        Ok(token)
    }
}
