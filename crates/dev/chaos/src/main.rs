#![doc = include_str!("../README.md")]

mod checks;
mod fleet;
mod garbage;
mod plan;
mod rate;
mod rows;
mod storm;
mod world;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, bail};
use clap::Parser;
use services::Folder;

use crate::checks::Check;
use crate::fleet::Fleet;
use crate::plan::Plan;
use crate::world::World;

#[derive(Parser)]
#[command(name = "chaos", about = "The whole fleet on real servers, with everything that can die dying")]
struct Args {
    /// Folder for the servers of this run
    #[arg(long)]
    services: PathBuf,
    /// Program of the store's server
    #[arg(long)]
    store_program: PathBuf,
    /// Folder for the workers' logs
    #[arg(long)]
    logs: PathBuf,
    /// Fewer tracks and shorter outages
    #[arg(long)]
    short: bool,
    /// Another catalogue and another order of events
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let result = tokio::select! {
        result = run(&args) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}; the workers' logs are in {}", args.logs.display());
            ExitCode::FAILURE
        }
    }
}

/// Whether everything holds.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plan = if args.short { Plan::short(args.seed) } else { Plan::long(args.seed) };
    println!("{} tracks, seed {}: starting RabbitMQ and the store's server", plan.tracks, plan.seed);
    std::fs::create_dir_all(&args.logs).with_context(|| format!("cannot make {}", args.logs.display()))?;
    let folder = Folder::create(&args.services)?;
    let mut world = World::start(&folder, &args.store_program, &plan).await?;
    let queue = queue::open(&world.queue_url(), Some(&world.management_url())).await?;
    let environment = world.environment(&plan);
    enqueue(&environment, &world.stage.playlists(), &args.logs).await?;
    let fleet = Fleet::start(environment, &args.logs).await?;

    let seen = storm::storm(&mut world, &fleet, &*queue, &plan).await?;
    let (kills, ends) = fleet.losses();
    fleet.end().await?;
    println!(
        "done in {:.0} s: {kills} kills, {ends} workers ended by themselves and were started again, {} events",
        seen.took.as_secs_f64(),
        seen.events
    );
    let store = store::open(&world.store_url()).await?;
    Ok(report(&checks::all(&world, &*queue, &*store, &plan, &seen).await?, &args.logs))
}

/// Begins the work as a person does.
async fn enqueue(environment: &[(String, String)], playlists: &[String], logs: &Path) -> anyhow::Result<()> {
    let program = std::env::current_exe()?.with_file_name("spotifai");
    let mut command = tokio::process::Command::new(&program);
    command.args(["enqueue", "playlist"]).args(playlists).env_clear().current_dir(logs).stdout(Stdio::null());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let status = command.status().await.with_context(|| format!("cannot start {}", program.display()))?;
    if !status.success() {
        bail!("`spotifai enqueue` ended with {status}");
    }
    Ok(())
}

fn report(checks: &[Check], logs: &Path) -> bool {
    for Check { name, holds, said } in checks {
        println!("{}  {name}: {said}", if *holds { "holds " } else { "FAILED" });
    }
    let failed: Vec<&str> = checks.iter().filter(|check| !check.holds).map(|check| check.name).collect();
    if !failed.is_empty() {
        eprintln!("chaos: failed: {}; the workers' logs are in {}", failed.join(", "), logs.display());
    }
    failed.is_empty()
}
