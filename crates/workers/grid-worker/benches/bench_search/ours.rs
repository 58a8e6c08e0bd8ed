//! Our side: whole tables on all folds, in one process, block by block as a worker runs them.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use learn::plan::{DatasetShape, summary};
use learn::{Prepared, prepare};
use model::Timestamp;
use model::dataset::Split;
use model::search::{Candidate, Search, Trial};
use serde::{Deserialize, Serialize};

use crate::common::{processor_seconds, tracks};
use crate::journal::Journal;
use crate::{Bench, FOLDS};

/// A table that was searched to its end.
#[derive(Serialize, Deserialize)]
pub struct SearchedTable {
    pub table: String,
    #[serde(rename = "settings")]
    pub candidates: usize,
    /// Wall seconds of all blocks.
    pub wall: f64,
    /// Most memory in use while it ran.
    pub peak_mb: f64,
    pub blocks: Vec<BlockTime>,
    /// The best candidate and its mean subset accuracy over the folds.
    pub winner: Candidate,
    pub accuracy: f64,
    /// Candidate, fold and subset accuracy of each trial that could be fitted.
    pub accuracies: Vec<(u32, u32, f64)>,
}

/// A block as it was planned and as it ran.
#[derive(Serialize, Deserialize)]
pub struct BlockTime {
    /// Estimated seconds on one core.
    pub estimate: f64,
    /// Processor seconds of all cores.
    pub processor: f64,
    /// Wall seconds.
    pub wall: f64,
}

/// What is known of the tables.
pub fn journal(bench: &Bench) -> Journal {
    Journal::new(&bench.ours, "tables")
}

/// Searches the tables that were not searched yet in a process of their own, whose memory nothing else uses.
pub fn run_tables(bench: &Bench) -> anyhow::Result<()> {
    let args = &bench.args;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--here").arg("--tables").arg(args.tables.join(",")).arg("--folder").arg(&args.folder);
    for (name, size) in [("--rows", args.rows), ("--features", args.features), ("--labels", args.labels)] {
        command.arg(name).arg(size.to_string());
    }
    let status = command.status().context("cannot run the tables")?;
    ensure!(status.success(), "our side ended with {status}");
    Ok(())
}

/// Searches them in this process.
pub fn run_here(bench: &Bench) -> anyhow::Result<()> {
    let done: Vec<SearchedTable> = journal(bench).read()?;
    let left: Vec<&String> =
        bench.args.tables.iter().filter(|table| done.iter().all(|other| other.table != **table)).collect();
    if left.is_empty() {
        return Ok(());
    }
    let dataset = tracks(bench.args.rows, bench.args.features, bench.args.labels);
    let shape = DatasetShape {
        rows: dataset.rows_in(Split::Train).len(),
        features: bench.args.features,
        labels: bench.args.labels,
    };
    let data = prepare(&dataset)?;
    drop(dataset);
    for table in left {
        let searched = run_table(&data, table, bench.candidates(table)?, shape)?;
        println!("{table}: {:.1} s, {:.0} MB", searched.wall, searched.peak_mb);
        journal(bench).add(&searched)?;
    }
    Ok(())
}

fn run_table(
    data: &Prepared,
    table: &str,
    candidates: Vec<Candidate>,
    shape: DatasetShape,
) -> anyhow::Result<SearchedTable> {
    let search = search(candidates, shape);
    reset_peak()?;
    let mut blocks = Vec::new();
    let mut trials: Vec<Trial> = Vec::new();
    for (index, block) in search.blocks.iter().enumerate() {
        let of_block: Vec<Candidate> = block.settings.iter().map(|&at| search.settings[at as usize].clone()).collect();
        let estimate: f64 = summary(&of_block, FOLDS, shape).iter().map(|plan| plan.seconds).sum();
        let (began, processor) = (Instant::now(), processor_seconds(std::process::id())?);
        trials.extend(learn::run_block(data, &search, index as u32, &learn::Cancel::new())?);
        let time = BlockTime {
            estimate: estimate * block.folds.len() as f64 / f64::from(FOLDS),
            processor: processor_seconds(std::process::id())? - processor,
            wall: began.elapsed().as_secs_f64(),
        };
        println!(
            "{table} block {} of {}: {} candidates, estimated {:.2} s, processor {:.2} s, wall {:.2} s",
            index + 1,
            search.blocks.len(),
            of_block.len(),
            time.estimate,
            time.processor,
            time.wall
        );
        blocks.push(time);
    }
    ensure!(trials.len() == search.trials(), "{} of {} trials were run", trials.len(), search.trials());
    let ranked = learn::leaderboard(&search, &trials);
    let best = ranked.first().context("the table is empty")?;
    let accuracy = |trial: &Trial| Some((trial.setting, trial.fold, trial.outcome.as_ref().ok()?.accuracy));
    Ok(SearchedTable {
        table: table.to_owned(),
        candidates: search.settings.len(),
        wall: blocks.iter().map(|block| block.wall).sum(),
        peak_mb: peak_mb()?,
        blocks,
        winner: search.settings[best.setting as usize].clone(),
        accuracy: best.mean_accuracy,
        accuracies: trials.iter().filter_map(accuracy).collect(),
    })
}

fn search(candidates: Vec<Candidate>, shape: DatasetShape) -> Search {
    Search {
        id: "bench".into(),
        dataset: "bench".into(),
        kernel: learn::kernel(false),
        blocks: learn::plan::blocks(&candidates, FOLDS, shape),
        settings: candidates,
        folds: FOLDS,
        seed: 0,
        thresholds: false,
        created_at: Timestamp::now(),
    }
}

/// Most memory that this process has used since its peak was forgotten, in 10^6 bytes.
fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse().context("VmHWM is no number")?;
    Ok(kib * 1024.0 / 1e6)
}

/// Makes the peak the memory in use now (proc(5), `clear_refs`).
fn reset_peak() -> anyhow::Result<()> {
    std::fs::write(Path::new("/proc/self/clear_refs"), "5").context("cannot reset the peak of the memory in use")
}
