#![doc = include_str!("../README.md")]

mod handler;

use std::time::Duration;

use worker::{Home, Worker};

use crate::handler::FetchTags;

/// Jobs at once: while one writes what it found, the other asks. last.fm sees one request at a time either way.
const SLOTS: usize = 2;

/// Lets a worker take `track.tags` jobs.
pub fn add_to(worker: Worker, home: &Home) -> anyhow::Result<Worker> {
    let settings = &home.settings;
    let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
    let long_pause = Duration::try_from_secs_f64(settings.lastfm.backoff.cap)?;
    Ok(worker.with(FetchTags { client, long_pause }, SLOTS))
}
