//! `spotifai demo`: everything from playlist to report, offline.

mod usable_rows;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use features::{ReadOptions, Table};
use host::{Backends, Flags};
use model::Timestamp;
use model::run::{Run, StandIn};
use model::settings::{BackoffSettings, Settings, redacted_url};
use store::{Store, StoreError};
use testkit::{Catalogue, Oddities, Stage, TableError};

use crate::args::DemoArgs;
use crate::backends;
use crate::command_line;
use crate::commands::other_jobs;
use crate::commands::report::REPORT_FILE;
use crate::commands::run::{collect_and_search, finish};
use crate::commands::search::SearchSpec;
use crate::error::stopped;
use crate::files::{create_folder, try_lock};
use crate::interrupt::{NOTHING_STARTED, unless_stopped};
use crate::output::{print_line, warn};
use crate::playlist_run::{is_open, new_run};

/// The file name of the demo's own store and queue.
const STORE_FILE: &str = "demo.db";

/// The file name of the lock that lets only one demo run in a folder.
const LOCK_FILE: &str = "demo.lock";

/// The file name of the sign-in at the simulated Spotify.
const TOKEN_FILE: &str = "token.json";

/// The file names that only a demo uses.
pub const FILES: [&str; 3] = [STORE_FILE, LOCK_FILE, TOKEN_FILE];

/// Simulates Spotify and last.fm on loopback, serving a catalogue, and collects it with the real workers.
pub async fn run(args: DemoArgs, flags: &Flags) -> anyhow::Result<()> {
    flags.warn_of_passwords();
    let shutdown = host::signals::on_signals()?;
    let (catalogue, oddities, name) = catalogue(&args)?;
    create_folder(&args.out)?;
    let Some(_lock) = try_lock(&args.out.join(LOCK_FILE))? else {
        bail!(
            "another demo is running in {}: wait for it to end, or choose another folder with --out",
            args.out.display()
        );
    };
    let stage = testkit::serve(catalogue, oddities).await?;
    let stand_in = if args.catalogue.is_some() { StandIn::Table } else { StandIn::Sample };
    let starting = async {
        let backends = open(&args.out, flags, &stage, &name).await?;
        let run = open_run(&backends, &name, stage.playlists(), stand_in).await?;
        other_jobs::warn_about_others(&backends, &run).await?;
        Ok((backends, run))
    };
    let Some((backends, run)) = unless_stopped(&shutdown, starting).await? else {
        return Err(stopped(NOTHING_STARTED));
    };
    let [queue, store] = [&backends.settings.queue, &backends.settings.store].map(|url| redacted_url(url));
    let spec = SearchSpec::quick(vec!["--queue".to_owned(), queue, "--store".to_owned(), store], args.seed);
    let work = collect_and_search(&backends, &run, &spec, &args.out, &shutdown);
    let Some(summary) = finish(&backends, &run, &shutdown, work).await? else {
        return Err(stopped("nothing is lost; run the same command again to resume"));
    };
    print_line(&summary.to_string())?;
    print_line(&format!("\nOpen {}", args.out.join(REPORT_FILE).display()))?;
    print_line(&predict_command(&backends).await?)
}

/// A command that predicts the genres of a track the model was not fitted on.
async fn predict_command(backends: &Backends) -> anyhow::Result<String> {
    let model = backends.store.latest_model().await?.context("the search has ended, but the store has no model")?;
    let track = model.evaluation.examples.first().context("the model was not tested on any track")?.track_id.clone();
    let store = redacted_url(&backends.settings.store);
    let args = ["--store".to_owned(), store, "predict".to_owned(), track];
    Ok(format!("To predict the genres of a track: {}", command_line::with_args(args)))
}

/// The catalogue to serve, the quirks of the simulated services, and a name that identifies these parameters.
fn catalogue(args: &DemoArgs) -> anyhow::Result<(Catalogue, Oddities, String)> {
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
            let (catalogue, notes) = from_table(&bytes)
                .and_then(|(catalogue, notes)| usable_rows::check(&catalogue).map(|()| (catalogue, notes)))
                .with_context(|| file.display().to_string())?;
            notes.iter().for_each(|note| warn(&format!("{}: {note}", file.display())));
            (catalogue, Oddities::none())
        }
    };
    Ok((catalogue, oddities, format!("demo-{:016x}", hasher.finish())))
}

/// The catalogue described by a table, with warnings about it.
fn from_table(bytes: &[u8]) -> anyhow::Result<(Catalogue, Vec<String>)> {
    let table = Table::read(bytes, &ReadOptions::default())?;
    let columns: Vec<_> = table.names().map(|name| (name.to_owned(), texts(&table, name))).collect();
    let (catalogue, gaps) = Catalogue::from_table(&columns).map_err(|error| match error {
        TableError::BadValue { row, column, value, expected } => {
            anyhow!("{}, column {column:?}: {value:?} is not {expected}", table.place(row - 1))
        }
        other => other.into(),
    })?;
    Ok((catalogue, [table.notes(), &gaps].concat()))
}

/// The texts of a column. Numbers in an unusual notation, such as `0,5` or `NA`, are converted. An unreadable column is empty.
fn texts(table: &Table, name: &str) -> Vec<String> {
    let texts = table.texts(name).unwrap_or_else(|_| vec![None; table.rows()]);
    let texts: Vec<String> = texts.into_iter().map(Option::unwrap_or_default).collect();
    let is_plain = |text: &String| text.is_empty() || text.parse().is_ok_and(f64::is_finite);
    match table.numbers(name) {
        Ok(numbers) if !texts.iter().all(is_plain) => {
            numbers.iter().map(|number| if number.is_nan() { String::new() } else { number.to_string() }).collect()
        }
        _ => texts,
    }
}

/// The unfinished run of this demo, or a new one. In a shared store every demo is a run of its own.
async fn open_run(backends: &Backends, name: &str, playlists: Vec<String>, stand_in: StandIn) -> anyhow::Result<Run> {
    if let Some(run) = unfinished(&*backends.store, name).await? {
        return Ok(run);
    }
    let run = new_run(&playlists, Timestamp::now());
    // Part of the random id, to tell this run from earlier ones of the same demo.
    let run = Run { id: format!("{name}-{}", &run.id[1..9]), stand_in: Some(stand_in), ..run };
    backends.store.save_run(&run).await?;
    Ok(run)
}

async fn unfinished(store: &dyn Store, name: &str) -> store::Result<Option<Run>> {
    let earlier = store.runs().await?.into_iter();
    Ok(earlier.rev().find(|run| run.id.starts_with(name) && is_open(run)))
}

/// Opens the demo's own database in its folder, unless flags name other backends. The environment and the settings file are
/// ignored, lest simulated tracks end up on a team's servers. The database is kept if it holds an unfinished demo with the same
/// parameters, and created anew otherwise.
async fn open(out: &Path, flags: &Flags, stage: &Stage, name: &str) -> anyhow::Result<Backends> {
    let file = out.join(STORE_FILE);
    let own_url = format!("sqlite:{}", file.display());
    let url = |flag: &Option<String>| flag.clone().unwrap_or_else(|| own_url.clone());
    let mut settings = stage.settings(Settings::default());
    settings.queue = url(&flags.queue);
    settings.store = url(&flags.store);
    settings.contact = Some("demo".into());
    // Keeps the simulated service away from a real sign-in.
    settings.spotify.token_file = Some(out.join(TOKEN_FILE).display().to_string());
    settings.spotify.rate = 5_000.0;
    settings.lastfm.rate = 5_000.0;
    settings.lastfm.backoff = BackoffSettings { first: 0.5, cap: 2.0 };
    let is_in_use = [&settings.queue, &settings.store].contains(&&own_url);
    if is_in_use && file.exists() && !is_resumable(&settings, name).await? {
        remove(&file).await?;
    }
    backends::open(settings).await
}

/// Whether the database holds an unfinished demo with this name. An error means that it may: a full disk, for example, keeps it
/// from being read.
async fn is_resumable(settings: &Settings, name: &str) -> anyhow::Result<bool> {
    match host::open_store(settings).await {
        Ok(store) => Ok(unfinished(&*store, name).await?.is_some()),
        Err(StoreError::Unusable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the database of an earlier demo, unless another command is using it.
async fn remove(file: &Path) -> anyhow::Result<()> {
    let unused = file.to_owned();
    let removed = tokio::task::spawn_blocking(move || sqlite::remove_unused(&unused)).await?;
    match removed.with_context(|| format!("cannot delete {}", file.display()))? {
        true => Ok(()),
        false => bail!(
            "{} belongs to an earlier demo and is in use by another command: wait for it to end, or choose another folder with \
             --out",
            file.display()
        ),
    }
}
