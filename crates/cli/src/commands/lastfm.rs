//! `spotifai lastfm`.

use anyhow::Context;
use model::settings::Settings;
use serde_json::json;

use crate::args::Lastfm;
use crate::output::{say, say_json_line};

/// Prints an address, or what a page says.
pub fn run(command: &Lastfm, settings: &Settings) -> anyhow::Result<()> {
    match command {
        Lastfm::Url { artist, track } => say(&lastfm::tags_url(&settings.lastfm.url, artist, track)),
        Lastfm::Parse { file, status } => {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let page = lastfm::read_page(*status, &String::from_utf8_lossy(&bytes));
            let tags: Vec<&str> = page.tags().iter().map(|tag| tag.name.as_str()).collect();
            say_json_line(&json!({ "outcome": page.as_str(), "tags": tags }))
        }
    }
}
