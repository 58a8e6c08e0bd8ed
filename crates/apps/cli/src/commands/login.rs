//! `spotifai login`.

use model::settings::{Settings, redacted};

use crate::output::{eprint_line, print_line};

/// Signs in through the browser and saves the token.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let file = spotify::login(&settings.spotify, |address| {
        eprint_line(&format!("Open this address in your browser and accept:\n\n  {address}\n"));
    })
    .await?;
    print_line(&format!("signed in; token saved to {}", redacted(&file.display().to_string())))
}
