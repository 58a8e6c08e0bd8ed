//! Times the queue's two homes beside their peers and measures worker processes: `cargo xtask bench queue`.
//!
//! All sides do the same: jobs that do nothing, published before the clock starts, each acknowledged after it ran. The
//! clock of a run goes from its first job to its last, so that nobody pays for a start.

mod bare;
mod broker;
mod figures;
mod memory;
mod ours;
mod peers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use host::{init_logging, install_crypto};
use model::job::{Envelope, TrackPitchesJob};

use crate::broker::Broker;
use crate::figures::{Figure, say_ratio};

#[derive(Parser)]
struct Args {
    /// What to measure; all of it where nothing is named.
    #[command(subcommand)]
    part: Option<Part>,
    /// A RabbitMQ of one's own: amqp://user:password@host:port
    #[arg(long, env = "SPOTIFAI_TEST_QUEUE", global = true)]
    queue: Option<String>,
    /// Its management API.
    #[arg(long, env = "SPOTIFAI_TEST_QUEUE_MANAGEMENT", default_value = "http://127.0.0.1:15672", global = true)]
    management: String,
    /// A store for the idle workers: mongodb://host:port (default: an embedded one)
    #[arg(long, env = "SPOTIFAI_TEST_STORE", global = true)]
    store: Option<String>,
    /// A Python that has Celery.
    #[arg(long, default_value = "python3", global = true)]
    python: PathBuf,
    /// The apalis program.
    #[arg(long, default_value = "apalis-peer", global = true)]
    apalis: PathBuf,
    /// Where the worker programs are.
    #[arg(long, default_value = "target/release", global = true)]
    programs: PathBuf,
    /// Rounds of each throughput figure, all sides in turn.
    #[arg(long, default_value_t = 5, global = true)]
    rounds: usize,
    /// Jobs of a round; Celery is given a quarter of them, apalis, which slows down with their number, a tenth.
    #[arg(long, default_value_t = 30_000, global = true)]
    jobs: usize,
    /// `cargo bench` says this to every benchmark.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Clone, Subcommand)]
enum Part {
    /// RabbitMQ: the whole runtime, a bare lapin loop, Celery
    Broker,
    /// SQLite: the whole runtime, apalis-sqlite
    Embedded,
    /// Memory of worker processes
    Memory {
        /// Jobs that the busy one runs.
        #[arg(long, default_value_t = 1_000_000)]
        total: usize,
    },
    /// A worker process that is measured from outside
    #[command(hide = true)]
    Busy(memory::Busy),
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    install_crypto();
    let _logging = init_logging();
    let result = match args.part.clone() {
        Some(Part::Broker) => broker(&args).await,
        Some(Part::Embedded) => embedded(&args).await,
        Some(Part::Memory { total }) => memory(&args, total).await,
        Some(Part::Busy(busy)) => busy.run().await,
        None => all(&args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench_queue: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn all(args: &Args) -> anyhow::Result<()> {
    broker(args).await?;
    embedded(args).await?;
    memory(args, 1_000_000).await
}

async fn broker(args: &Args) -> anyhow::Result<()> {
    let broker = Broker::new(args.queue.as_deref(), &args.management)?;
    let for_celery = args.jobs / 4;
    let mut publish = ["this queue, with confirms", "bare lapin, with confirms", "Celery, without"].map(Figure::new);
    let mut run = ["this worker, 64 slots", "bare lapin, prefetch 64", "Celery, 2 x 16"].map(Figure::new);
    for _ in 0..args.rounds {
        let vhost = broker.vhost().await?;
        let backends = ours::backends(vhost.url(), Some(&args.management)).await?;
        publish[0].add(ours::publish(&backends.queue, args.jobs).await?);
        run[0].add(ours::run(backends, args.jobs).await?);
        vhost.delete().await?;

        let vhost = broker.vhost().await?;
        let bare = bare::Bare::connect(vhost.url()).await?;
        publish[1].add(bare.publish(args.jobs).await?);
        run[1].add(bare.run(args.jobs).await?);
        vhost.delete().await?;

        let vhost = broker.vhost().await?;
        publish[2].add(peers::celery(&args.python, "publish", vhost.url(), for_celery)?);
        run[2].add(peers::celery(&args.python, "run", vhost.url(), for_celery)?);
        vhost.delete().await?;
    }
    figures::say("RabbitMQ, enqueue: jobs a second", &publish);
    say_ratio(&publish[0], &publish[2], 5.0);
    figures::say("RabbitMQ, late acknowledgement: jobs a second", &run);
    say_ratio(&run[0], &run[2], 8.0);
    say_ratio(&run[0], &run[1], 0.9);
    Ok(())
}

async fn embedded(args: &Args) -> anyhow::Result<()> {
    let mut publish = ["this queue", "apalis-sqlite"].map(Figure::new);
    let mut run = ["this worker, 64 slots", "apalis-sqlite, 64 at once"].map(Figure::new);
    for _ in 0..args.rounds {
        let folder = tempfile::tempdir()?;
        let backends = ours::backends(&format!("sqlite:{}", folder.path().join("ours.db").display()), None).await?;
        publish[0].add(ours::publish(&backends.queue, args.jobs).await?);
        run[0].add(ours::run(backends, args.jobs).await?);

        let apalis = peers::apalis(&args.apalis, &folder.path().join("apalis.db"), args.jobs / 10)?;
        publish[1].add(apalis.publish);
        run[1].add(apalis.run);
    }
    figures::say("SQLite file (WAL, synchronous NORMAL), enqueue in thousands: jobs a second", &publish);
    figures::say("SQLite file (WAL, synchronous NORMAL), run: jobs a second", &run);
    say_ratio(&run[0], &run[1], 3.0);
    Ok(())
}

async fn memory(args: &Args, total: usize) -> anyhow::Result<()> {
    let broker = Broker::new(args.queue.as_deref(), &args.management)?;
    memory::idle(&broker, args.store.as_deref(), &args.programs).await?;
    memory::busy(&broker, total).await
}

/// The jobs of a round: a real kind, with a body as large as real ones.
fn jobs(count: usize) -> Vec<Envelope> {
    let job = |number| Envelope::new(&TrackPitchesJob { track_id: format!("track{number:017}") });
    (0..count).map(job).collect()
}
