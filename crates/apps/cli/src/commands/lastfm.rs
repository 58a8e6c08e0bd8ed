//! `spotifai lastfm`.

use std::path::Path;

use anyhow::{Context, bail};
use lastfm::PageOutcome;
use model::settings::Settings;
use serde_json::json;

use crate::args::LastfmCommand;
use crate::output::{say, say_json_line};

/// Characters of an unrecognised page's beginning, and of its end, that are shown.
const SEEN: usize = 40;

/// Prints an address, or what a page says.
pub fn run(command: &LastfmCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        LastfmCommand::Url { artist, track } => say(&lastfm::tags_url(&settings.lastfm.url, artist, track)),
        LastfmCommand::Parse { file, status } => {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = String::from_utf8_lossy(&bytes);
            let page = lastfm::read_page(*status, &text);
            let tags: Vec<&str> = page.tags().iter().map(|tag| tag.name.as_str()).collect();
            say_json_line(&json!({ "outcome": page.as_str(), "tags": tags }))?;
            if page == PageOutcome::Unrecognised {
                bail!(unrecognised(file, *status, &text));
            }
            Ok(())
        }
    }
}

/// What was seen of a page that says nothing: enough to tell a page of another site, or one that is cut off.
fn unrecognised(file: &Path, status: u16, text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = match words.chars().count() {
        0 => "and is empty".to_owned(),
        n if n <= 2 * SEEN => format!("and is `{words}`"),
        n => {
            let (first, last): (String, String) =
                (words.chars().take(SEEN).collect(), words.chars().skip(n - SEEN).collect());
            format!("begins with `{first}` and ends with `{last}`")
        }
    };
    format!("{}: no tag page that can be read: it has status {status} and {} bytes, {ends}", file.display(), text.len())
}
