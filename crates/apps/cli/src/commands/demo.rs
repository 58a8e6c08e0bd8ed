//! `spotifai demo`: the whole way, offline.

mod rows;

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
use crate::commands::report::REPORT;
use crate::commands::run::{to_its_end, whole_way};
use crate::commands::search::Plan;
use crate::commands::waiting;
use crate::error::stopped;
use crate::files::{make_folder, try_turn};
use crate::output::{say, warn};
use crate::playlist_run::{is_open, new_run};
use crate::shell;
use crate::stop::unless_stopped;

/// The demo's own store and queue.
const STORE: &str = "demo.db";

/// What one demo at a time has.
const LOCK: &str = "demo.lock";

/// What the stand-in for Spotify signs in.
const TOKEN: &str = "token.json";

/// The files of a demo's own.
pub const FILES: [&str; 3] = [STORE, LOCK, TOKEN];

/// Serves a catalogue as Spotify and last.fm over loopback and collects it with the real workers.
pub async fn run(args: DemoArgs, flags: &Flags) -> anyhow::Result<()> {
    flags.warn_of_passwords();
    let shutdown = host::signals::on_signals()?;
    let (catalogue, oddities, name) = catalogue(&args)?;
    make_folder(&args.out)?;
    let Some(_turn) = try_turn(&args.out.join(LOCK))? else {
        bail!("another demo is at work in {}: let it end, or name another folder with --out", args.out.display());
    };
    let stage = testkit::serve(catalogue, oddities).await?;
    let stand_in = if args.catalogue.is_some() { StandIn::Table } else { StandIn::Sample };
    let begun = async {
        let backends = open(&args.out, flags, &stage, &name).await?;
        let run = begin(&backends, &name, stage.playlists(), stand_in).await?;
        waiting::name_others(&backends, &run).await?;
        Ok((backends, run))
    };
    let Some((backends, run)) = unless_stopped(&shutdown, begun).await? else {
        return Err(stopped("nothing had begun"));
    };
    let [queue, store] = [&backends.settings.queue, &backends.settings.store].map(|url| redacted_url(url));
    let plan = Plan::quick(vec!["--queue".to_owned(), queue, "--store".to_owned(), store], args.seed);
    let way = whole_way(&backends, &run, &plan, &args.out, &shutdown);
    let Some(summary) = to_its_end(&backends, &run, &shutdown, way).await? else {
        return Err(stopped("nothing is lost, and the same command goes on"));
    };
    say(&summary.to_string())?;
    say(&format!("\nOpen {}", args.out.join(REPORT).display()))?;
    say(&predict_command(&backends).await?)
}

/// How to ask the demo's model for the genres of a track that it was not fitted on.
async fn predict_command(backends: &Backends) -> anyhow::Result<String> {
    let model = backends.store.latest_model().await?.context("the store has lost the model")?;
    let track = model.evaluation.examples.first().context("the model was tried on no track")?.track_id.clone();
    let store = redacted_url(&backends.settings.store);
    let words = ["--store".to_owned(), store, "predict".to_owned(), track];
    Ok(format!("Genres of a track: {}", shell::command(words)))
}

/// The catalogue to serve, how odd its services are, and a name that is the same for the same demo.
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
            let (catalogue, notes) = of_table(&bytes)
                .and_then(|(catalogue, notes)| rows::check(&catalogue).map(|()| (catalogue, notes)))
                .with_context(|| file.display().to_string())?;
            notes.iter().for_each(|note| warn(&format!("{}: {note}", file.display())));
            (catalogue, Oddities::none())
        }
    };
    Ok((catalogue, oddities, format!("demo-{:016x}", hasher.finish())))
}

/// The catalogue of a table, and what is doubtful about it.
fn of_table(bytes: &[u8]) -> anyhow::Result<(Catalogue, Vec<String>)> {
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

/// The texts of a column; numbers in a form of the table's own, such as `0,5` or `NA`, in the usual one. A column that
/// cannot be read at all has none.
fn texts(table: &Table, name: &str) -> Vec<String> {
    let texts = table.texts(name).unwrap_or_else(|_| vec![None; table.rows()]);
    let texts: Vec<String> = texts.into_iter().map(Option::unwrap_or_default).collect();
    let is_usual = |text: &String| text.is_empty() || text.parse().is_ok_and(f64::is_finite);
    match table.numbers(name) {
        Ok(numbers) if !texts.iter().all(is_usual) => {
            numbers.iter().map(|number| if number.is_nan() { String::new() } else { number.to_string() }).collect()
        }
        _ => texts,
    }
}

/// The unfinished run of this demo, or a new one: in a store that others share, every demo is a run of its own.
async fn begin(backends: &Backends, name: &str, playlists: Vec<String>, stand_in: StandIn) -> anyhow::Result<Run> {
    if let Some(run) = unfinished(&*backends.store, name).await? {
        return Ok(run);
    }
    let run = new_run(&playlists, Timestamp::now());
    // Enough of it to be another one than yesterday's.
    let run = Run { id: format!("{name}-{}", &run.id[1..9]), stand_in: Some(stand_in), ..run };
    backends.store.save_run(&run).await?;
    Ok(run)
}

async fn unfinished(store: &dyn Store, name: &str) -> store::Result<Option<Run>> {
    let earlier = store.runs().await?.into_iter();
    Ok(earlier.rev().find(|run| run.id.starts_with(name) && is_open(run)))
}

/// The demo's own home in its folder, unless flags name another: neither environment nor settings file may send the
/// stand-in's tracks to a team's servers. The own file is kept where an unfinished demo of the same parameters left it,
/// else made anew.
async fn open(out: &Path, flags: &Flags, stage: &Stage, name: &str) -> anyhow::Result<Backends> {
    let file = out.join(STORE);
    let own = format!("sqlite:{}", file.display());
    let url = |flag: &Option<String>| flag.clone().unwrap_or_else(|| own.clone());
    let mut settings = stage.settings(Settings::default());
    settings.queue = url(&flags.queue);
    settings.store = url(&flags.store);
    settings.contact = Some("demo".into());
    // Not the file of a real sign-in, which the stand-in must neither see nor replace.
    settings.spotify.token_file = Some(out.join(TOKEN).display().to_string());
    settings.spotify.rate = 5_000.0;
    settings.lastfm.rate = 5_000.0;
    settings.lastfm.backoff = BackoffSettings { first: 0.5, cap: 2.0 };
    let is_in_use = [&settings.queue, &settings.store].contains(&&own);
    if is_in_use && file.exists() && !goes_on(&settings, name).await? {
        remove(&file).await?;
    }
    backends::open(settings).await
}

/// Whether the file holds an unfinished demo of this name. What cannot be read, be it for a full disk, may be one.
async fn goes_on(settings: &Settings, name: &str) -> anyhow::Result<bool> {
    match host::open_store(settings).await {
        Ok(store) => Ok(unfinished(&*store, name).await?.is_some()),
        Err(StoreError::Unusable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Deletes what an earlier demo left. Another command may be at work on it.
async fn remove(file: &Path) -> anyhow::Result<()> {
    let unused = file.to_owned();
    let removed = tokio::task::spawn_blocking(move || sqlite::remove_unused(&unused)).await?;
    match removed.with_context(|| format!("cannot delete {}", file.display()))? {
        true => Ok(()),
        false => bail!(
            "{} is of an earlier demo, and another command is using it: let that end, or name another folder with --out",
            file.display()
        ),
    }
}
