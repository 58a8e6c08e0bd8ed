//! No-op jobs through apalis-sqlite: `apalis-peer FILE JOBS` prints {"publish":…,"run":…}, jobs a second.
//!
//! `SqliteStorage::setup` would switch `synchronous` off, and on one connection of the pool only. Here all have NORMAL, as
//! the other side has; its other settings are kept. Jobs are fetched and acknowledged 64 at a time (the default is 10).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePoolOptions, SqliteStorage};
use serde::{Deserialize, Serialize};

const SLOTS: usize = 64;
const BATCH: usize = 1_000;

#[derive(Clone, Serialize, Deserialize)]
struct Track {
    track_id: String,
}

#[derive(Default)]
struct Clock {
    ran: AtomicUsize,
    first: OnceLock<Instant>,
    last: OnceLock<Instant>,
    jobs: usize,
}

async fn noop(_: Track, clock: Data<Arc<Clock>>, worker: WorkerContext) -> Result<(), BoxDynError> {
    let ran = clock.ran.fetch_add(1, Ordering::Relaxed) + 1;
    if ran == 1 {
        let _ = clock.first.set(Instant::now());
    }
    if ran == clock.jobs {
        let _ = clock.last.set(Instant::now());
        worker.stop()?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(jobs)) = (arguments.next(), arguments.next()) else {
        return Err("usage: apalis-peer FILE JOBS".into());
    };
    let jobs: usize = jobs.parse()?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .pragma("journal_mode", "WAL")
        .pragma("synchronous", "NORMAL")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "64000")
        .pragma("journal_size_limit", "67108864");
    let pool = SqlitePoolOptions::new().connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    let config = Config::default().queue("noop").batch_size(SLOTS);
    let mut storage = SqliteStorage::<Track>::new(&pool).with_config(config);

    let tracks: Vec<Track> = (0..jobs).map(|number| Track { track_id: format!("track{number:017}") }).collect();
    let began = Instant::now();
    for batch in tracks.chunks(BATCH) {
        storage.push_bulk(batch.to_vec()).await?;
    }
    let publish = jobs as f64 / began.elapsed().as_secs_f64();

    let clock = Arc::new(Clock { jobs, ..Clock::default() });
    let worker = WorkerBuilder::new("noop").backend(storage).data(clock.clone()).concurrency(SLOTS).build(noop);
    worker.run().await?;
    let (Some(first), Some(last)) = (clock.first.get(), clock.last.get()) else {
        return Err("not all jobs ran".into());
    };
    println!("{{\"publish\":{publish},\"run\":{}}}", jobs as f64 / (*last - *first).as_secs_f64());
    Ok(())
}
