//! `spotifai login`.

use model::settings::{Settings, redacted};

use crate::output::{say, tell};

/// Signs in through the browser and keeps the token.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let file = spotify::login(&settings.spotify, |address| {
        tell(&format!("Open this address in your browser and agree:\n\n  {address}\n"));
    })
    .await?;
    say(&format!("signed in; the token is kept in {}", redacted(&file.display().to_string())))
}
