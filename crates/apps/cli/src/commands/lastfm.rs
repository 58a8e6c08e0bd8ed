//! `spotifai lastfm`.

use std::path::Path;

use anyhow::{Context, bail};
use lastfm::PageOutcome;
use model::settings::Settings;
use serde_json::json;

use crate::args::LastfmCommand;
use crate::output::{print_json_line, print_line};

/// Characters shown from each end of an unrecognised page.
const SHOWN_CHARS: usize = 40;

/// Prints the URL of a tag page, or the contents of a saved one.
pub fn run(command: &LastfmCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        LastfmCommand::Url { artist, track } => print_line(&lastfm::tags_url(&settings.lastfm.url, artist, track)),
        LastfmCommand::Parse { file, status } => {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = String::from_utf8_lossy(&bytes);
            let page = lastfm::read_page(*status, &text);
            let tags: Vec<&str> = page.tags().iter().map(|tag| tag.name.as_str()).collect();
            print_json_line(&json!({ "outcome": page.as_str(), "tags": tags }))?;
            if page == PageOutcome::Unrecognised {
                bail!(unrecognised(file, *status, &text));
            }
            Ok(())
        }
    }
}

/// Describes an unrecognised page well enough to tell a page of another site from a truncated one.
fn unrecognised(file: &Path, status: u16, text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let content = match words.chars().count() {
        0 => "empty".to_owned(),
        length if length <= 2 * SHOWN_CHARS => format!("`{words}`"),
        length => {
            let (first, last): (String, String) =
                (words.chars().take(SHOWN_CHARS).collect(), words.chars().skip(length - SHOWN_CHARS).collect());
            format!("`{first}` … `{last}`")
        }
    };
    format!("{} is not a readable tag page: status {status}, {} bytes, {content}", file.display(), text.len())
}
