//! `spotifai demo`: the whole way, offline.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::Context;
use model::Timestamp;
use model::run::Run;
use model::settings::Settings;
use testkit::{Catalogue, Oddities, Stage};
use worker::{Flags, Home, Shutdown};

use crate::args::Demo;
use crate::commands::run::whole_way;
use crate::commands::search::Plan;
use crate::output::say;

/// Serves a catalogue as Spotify and last.fm over loopback and collects it with the real workers.
pub async fn run(args: Demo, flags: &Flags) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    let (catalogue, oddities, id) = catalogue(&args)?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let stage = testkit::serve(catalogue, oddities).await?;
    let home = open(&args.out, flags, &stage, &id).await?;
    let run =
        Run { id, playlists: stage.playlists(), started_at: Timestamp::now(), finished_at: None, cancelled_at: None };
    home.store.save_run(&run).await?;
    let plan = Plan { seed: args.seed, ..Plan::default() };
    let Some(summary) = whole_way(&home, &run, &plan, &args.out, &shutdown).await? else {
        eprintln!("Stopped; nothing is lost. The same command goes on.");
        return Ok(());
    };
    say(&summary.to_string())?;
    say(&format!("\nOpen {}", args.out.join("report.html").display()))
}

/// The catalogue to serve, how odd its services are, and an id that is the same for the same demo.
fn catalogue(args: &Demo) -> anyhow::Result<(Catalogue, Oddities, String)> {
    let mut hasher = DefaultHasher::new();
    args.seed.hash(&mut hasher);
    let (catalogue, oddities) = match &args.catalogue {
        None => {
            args.tracks.hash(&mut hasher);
            (Catalogue::sample(args.tracks as usize, args.seed), Oddities::demo())
        }
        Some(file) => {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            bytes.hash(&mut hasher);
            let catalogue = Catalogue::from_csv(bytes.as_slice()).with_context(|| file.display().to_string())?;
            (catalogue, Oddities::none())
        }
    };
    Ok((catalogue, oddities, format!("demo-{:016x}", hasher.finish())))
}

/// The demo's own home in its folder, unless flags name another: kept where an unfinished demo of the same parameters
/// left it, else made anew.
async fn open(out: &Path, flags: &Flags, stage: &Stage, run: &str) -> anyhow::Result<Home> {
    let file = out.join("demo.db");
    let own = format!("sqlite:{}", file.display());
    let url = |flag: &Option<String>| flag.clone().unwrap_or_else(|| own.clone());
    let mut settings = stage.settings(Settings::default());
    settings.queue = url(&flags.queue);
    settings.store = url(&flags.store);
    settings.contact = Some("demo".into());
    // Not the file of a real sign-in, which the stand-in must neither see nor replace.
    settings.spotify.token_file = Some(out.join("token.json").display().to_string());
    settings.spotify.rate = 5_000.0;
    settings.lastfm.rate = 5_000.0;
    settings.lastfm.backoff_first_seconds = 0.5;
    settings.lastfm.backoff_cap_seconds = 2.0;
    if file.exists() && !goes_on(&settings, run).await {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
        }
    }
    Home::open(settings).await
}

async fn goes_on(settings: &Settings, run: &str) -> bool {
    let Ok(store) = store::open(&settings.store).await else { return false };
    let runs = store.runs().await.unwrap_or_default();
    runs.iter().any(|earlier| earlier.id == run && earlier.finished_at.is_none())
}
