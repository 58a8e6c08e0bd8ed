//! Times one search by one `grid-worker` process on one core and by two on one core each, compares every score, and prints
//! the ratio: `cargo xtask bench grid`.
//!
//! The clock goes from the start of the processes to the model of the winner: reading the dataset and the refit are in it.

mod common;

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use host::Backends;
use model::dataset::DatasetInfo;
use model::search::{Search, Trial};
use model::settings::Settings;

use crate::common::{median, processor_seconds, tracks, verdict};

const FEATURES: usize = 1_241;
const LABELS: usize = 10;
const FOLDS: u32 = 5;

/// How often the store is polled for the model.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Parser)]
struct GridBenchArgs {
    /// Where the program `grid-worker` is.
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,
    /// Tracks of the generated dataset; 30 in 100 are held out.
    #[arg(long, default_value_t = 2_400)]
    tracks: usize,
    /// Rounds, one process and two in turn; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where jobs wait: an empty queue of its own, such as amqp://user:password@host:port/vhost (default: a SQLite file)
    #[arg(long)]
    queue: Option<String>,
    /// Its management API.
    #[arg(long)]
    management: Option<String>,
    /// Where results are kept, such as mongodb://host:port/database (default: a SQLite file)
    #[arg(long)]
    store: Option<String>,
    /// `cargo bench` says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One search by some processes.
struct SearchRun {
    /// Seconds.
    wall: f64,
    trials: Vec<Trial>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = GridBenchArgs::parse();
    host::install_crypto();
    let dataset = tracks(args.tracks, FEATURES, LABELS);
    let parquet = features::to_parquet(&dataset)?;
    let info = features::describe(&dataset, &parquet);
    drop(dataset);
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    println!("{} tracks x {FEATURES} features, the quick grid, {FOLDS} folds", args.tracks);
    println!("{:>10}{:>10}{:>18}{:>10}{:>10}", "processes", "wall s", "processor s", "trials", "blocks");
    for _ in 0..args.rounds {
        let first = search(&args, &info, &parquet, &["0"]).await?;
        let second = search(&args, &info, &parquet, &["0", "1"]).await?;
        ensure!(first.trials == second.trials, "the scores differ");
        alone.push(first.wall);
        together.push(second.wall);
    }
    println!("scores of all candidates and folds are equal, bit for bit");
    let ratio = median(alone) / median(together);
    println!("two : one = {ratio:.3}, wanted 1.9: {}", verdict(ratio >= 1.9));
    Ok(())
}

/// Runs the search by a process on each of `cores`, on a store that has never seen it.
async fn search(args: &GridBenchArgs, info: &DatasetInfo, parquet: &[u8], cores: &[&str]) -> anyhow::Result<SearchRun> {
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("bench.db").display());
    let settings = Settings {
        queue: args.queue.clone().unwrap_or_else(|| file.clone()),
        queue_management_url: args.management.clone(),
        store: args.store.clone().unwrap_or(file),
        ..Settings::default()
    };
    let backends = Backends::open(settings).await?;
    // A name of its own: a store that others use too may know the same search already.
    let id = folder.path().file_name().unwrap_or_default().to_string_lossy();
    let info = DatasetInfo { id: format!("bench{id}"), ..info.clone() };
    backends.store.save_dataset(&info, parquet).await?;
    let (search, jobs) = grid_worker::plan_search(&info, learn::grid::read(learn::grid::QUICK, &[])?, FOLDS, 0, false);
    backends.store.save_search(&search).await?;
    backends.queue.publish(&jobs).await?;

    let began = Instant::now();
    let mut workers: Vec<Worker> =
        cores.iter().map(|core| Worker::start(args, &backends, core)).collect::<Result<_, _>>()?;
    while backends.store.model(&search.id).await?.is_none() {
        workers.iter_mut().try_for_each(Worker::is_alive)?;
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let wall = began.elapsed().as_secs_f64();
    let cpu = workers.iter().map(|worker| processor_seconds(worker.0.id())).collect::<anyhow::Result<Vec<f64>>>()?;
    let cpu: Vec<String> = cpu.iter().map(|seconds| format!("{seconds:.2}")).collect();
    workers.into_iter().try_for_each(Worker::stop)?;
    let trials = comparable(backends.store.trials(&search.id).await?, &search)?;
    println!("{:>10}{wall:>10.2}{:>18}{:>10}{:>10}", cores.len(), cpu.join(" + "), trials.len(), search.blocks.len());
    Ok(SearchRun { wall, trials })
}

/// All trials of a search, without what may differ: its name, and times.
fn comparable(trials: Vec<Trial>, search: &Search) -> anyhow::Result<Vec<Trial>> {
    ensure!(trials.len() == search.trials(), "{} of {} trials were saved", trials.len(), search.trials());
    let timeless = |trial| Trial { search: String::new(), fit_seconds: 0.0, ..trial };
    Ok(trials.into_iter().map(timeless).collect())
}

/// A `grid-worker` that does not outlive its measurement.
struct Worker(Child);

impl Worker {
    fn start(args: &GridBenchArgs, backends: &Backends, core: &str) -> anyhow::Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", core]).arg(args.programs.join("grid-worker"));
        command.env("SPOTIFAI_QUEUE", &backends.settings.queue).env("SPOTIFAI_STORE", &backends.settings.store);
        command.env("SPOTIFAI_LOG", "warn");
        if let Some(management) = &args.management {
            command.env("SPOTIFAI_QUEUE_MANAGEMENT_URL", management);
        }
        Ok(Self(command.spawn().context("cannot run taskset")?))
    }

    fn is_alive(&mut self) -> anyhow::Result<()> {
        ensure!(self.0.try_wait()?.is_none(), "a grid-worker ended by itself");
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        ensure!(self.0.wait()?.success(), "a grid-worker did not stop well");
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
