#![doc = include_str!("../README.md")]

mod analysis;
mod artists;
mod audio;
mod capability;
mod ids;
mod metadata;
mod page;
mod preflight;
mod request;
#[cfg(test)]
mod tests;

use spotify::Client;
use worker::{Home, Worker};

pub use capability::Refusals;
pub use preflight::{KNOWN_TRACK, ask_for_audio, read_first_pages};

use crate::analysis::AudioAnalysis;
use crate::artists::Artists;
use crate::audio::AudioFeatures;
use crate::metadata::Metadata;
use crate::page::PlaylistPages;

/// Jobs of each kind at once: while one waits for Spotify, another writes.
const SLOTS: usize = 4;

/// Adds the handlers of the five kinds of jobs.
pub fn add_to(worker: Worker, home: &Home) -> anyhow::Result<Worker> {
    let client = Client::new(&home.settings.spotify, home.settings.contact.as_deref())?;
    Ok(worker
        .with(PlaylistPages { client: client.clone() }, SLOTS)
        .with(Metadata { client: client.clone() }, SLOTS)
        .with(AudioFeatures::new(client.clone()), SLOTS)
        .with(AudioAnalysis { client: client.clone() }, SLOTS)
        .with(Artists::new(client), SLOTS))
}

/// Adds the handler of playlists' pages alone.
pub fn add_pages_to(worker: Worker, home: &Home) -> anyhow::Result<Worker> {
    let client = Client::new(&home.settings.spotify, home.settings.contact.as_deref())?;
    Ok(worker.with(PlaylistPages { client }, SLOTS))
}
