//! The file that stores a sign-in.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::explain;
use model::settings::{SpotifySettings, redacted};
use rspotify::Token;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::Error;

/// The file that stores a sign-in; `None` if neither the settings nor the environment determine it.
pub fn sign_in_file(settings: &SpotifySettings) -> Option<PathBuf> {
    TokenFile::from_settings(settings).map(|file| file.0)
}

/// A user's sign-in.
#[derive(Serialize, Deserialize)]
pub(crate) struct SignIn {
    /// The app that the user signed in to. Only this app can refresh the token.
    pub(crate) client_id: String,
    #[serde(flatten)]
    pub(crate) token: Token,
}

/// The file that stores a sign-in.
pub(crate) struct TokenFile(PathBuf);

impl TokenFile {
    /// The file that the settings name, or the default one in the user's configuration folder.
    pub(crate) fn from_settings(settings: &SpotifySettings) -> Option<Self> {
        let folder = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let default = || {
            Some(
                folder("XDG_CONFIG_HOME")
                    .or_else(|| Some(folder("HOME")?.join(".config")))?
                    .join("spotifai/token.json"),
            )
        };
        settings.token_file.as_ref().map(PathBuf::from).or_else(default).map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path as messages show it.
    pub(crate) fn shown(&self) -> String {
        redacted(&self.0.display().to_string())
    }

    /// When it was last written; `None` if it does not exist.
    pub(crate) fn written_at(&self) -> Option<SystemTime> {
        fs::metadata(&self.0).and_then(|file| file.modified()).ok()
    }

    /// Its content; `None` if it does not exist.
    pub(crate) fn read(&self) -> Result<Option<SignIn>, Error> {
        let damaged = |why: String| Error::NotSignedIn { why: format!("{} cannot be read: {why}", self.shown()) };
        match fs::read(&self.0) {
            Ok(bytes) => {
                let text = explain::utf8_text(&bytes).map_err(|why| damaged(why.into()))?;
                // serde's message is left out: it could quote the token.
                serde_json::from_str(text).map(Some).map_err(|_| damaged("it does not contain a sign-in".into()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(damaged(explain::io(&error))),
        }
    }

    /// Replaces it atomically: readers see the old sign-in or the new one, and other users see neither.
    pub(crate) fn write(&self, sign_in: &SignIn) -> Result<(), Error> {
        self.replace(sign_in)
            .map_err(|error| Error::Setup(format!("{} cannot be written: {}", self.shown(), explain::io(&error))))
    }

    fn replace(&self, sign_in: &SignIn) -> std::io::Result<()> {
        let folder = self.folder()?;
        // Created with mode 600 before anything is in it.
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, sign_in)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(&self.0)?;
        Ok(())
    }

    /// Locks it across processes for a refresh: a refresh token can be used once, so two processes must not use it at the same
    /// time. Dropping the returned file unlocks it.
    pub(crate) async fn lock(&self) -> Result<File, Error> {
        let lock = self.0.with_extension("lock");
        let wait = move || {
            let file = File::options().create(true).append(true).open(&lock)?;
            file.lock().map(|()| file)
        };
        let locked = tokio::task::spawn_blocking(wait).await.map_err(std::io::Error::other).and_then(|result| result);
        locked.map_err(|error| Error::Setup(format!("{} cannot be locked: {}", self.shown(), explain::io(&error))))
    }

    fn folder(&self) -> std::io::Result<&Path> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map(|()| folder)
    }
}
