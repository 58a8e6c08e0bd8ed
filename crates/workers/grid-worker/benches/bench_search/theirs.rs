//! scikit-learn's side: the data as files, and the program that reads them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use model::search::Candidate;
use ndarray::{Array2, ArrayView2};
use serde_json::json;

use crate::common::tracks;
use crate::journal::Journal;
use crate::strata::{CostEstimate, SampledFit, estimate, sample};
use crate::{Bench, FOLDS};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bench_search/search.py");

/// The training rows, scaled, as both sides fit them.
pub fn training(rows: usize, features: usize, labels: usize) -> anyhow::Result<learn::Labelled> {
    let tracks = tracks(rows, features, labels);
    let training = tracks.rows_in(model::dataset::Split::Train).len();
    let unscaled = ArrayView2::from_shape((training, features), &tracks.features[..training * features])?;
    let labelled = tracks.labels[..training * labels].iter().map(|&label| label == 1).collect();
    let scaler = learn::scaler::StandardScaler::fit(unscaled);
    Ok(learn::Labelled::new(scaler.transform(unscaled), Array2::from_shape_vec((training, labels), labelled)?))
}

/// Writes them where `search.py` reads them.
pub fn write(folder: &Path, data: &learn::Labelled) -> anyhow::Result<()> {
    let values: Vec<u8> = data.records.iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels: Vec<u8> = data.targets.iter().map(|&label| label.into()).collect();
    let (rows, features) = data.records.dim();
    let shape = json!({ "rows": rows, "features": features, "labels": data.targets.ncols() });
    std::fs::write(folder.join("x.f64"), values)?;
    std::fs::write(folder.join("y.u8"), labels)?;
    Ok(std::fs::write(folder.join("shape.json"), shape.to_string())?)
}

/// Samples a table's fits until the minutes are used up; goes on where a killed run ended.
pub fn run_table(bench: &Bench, table: &str) -> anyhow::Result<()> {
    let candidates = bench.candidates(table)?;
    let asked = bench.data.join(format!("asked-{table}.json"));
    let fits = json!({ "family": table, "folds": FOLDS, "fits": sample(&candidates) });
    std::fs::write(&asked, fits.to_string())?;
    let mut command = python(bench);
    command.arg("tables").arg(&bench.data).arg(&asked).arg(journal(bench, table).path());
    let status = command.arg(bench.args.minutes.to_string()).status().context("cannot run Python")?;
    ensure!(status.success(), "scikit-learn's side of {table} ended with {status}");
    Ok(())
}

/// One fit on the data in a folder, two jobs at a time where the family can.
pub fn single(bench: &Bench, folder: &Path, candidate: &Candidate, seed: u64) -> anyhow::Result<PeerRun> {
    let params = serde_json::to_string(&candidate.params)?;
    let mut command = python(bench);
    command.arg("single").arg(folder).args([&candidate.family, &params, &seed.to_string()]);
    let output = command.output().context("cannot run Python")?;
    ensure!(output.status.success(), "scikit-learn failed: {}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout)?;
    let mut numbers = output.lines().map(str::parse);
    let seconds = numbers.next().context("scikit-learn's side printed nothing")??;
    Ok(PeerRun { seconds, splits: numbers.next().transpose()? })
}

/// A fit by scikit-learn.
pub struct PeerRun {
    pub seconds: f64,
    /// Of trees, how many splits a row of the fit passes: the mean over rows and trees.
    pub splits: Option<f64>,
}

fn python(bench: &Bench) -> Command {
    let mut command = Command::new(&bench.args.python);
    command.arg(SCRIPT).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONWARNINGS", "ignore");
    command
}

/// The sampled fits of a table.
pub fn journal(bench: &Bench, table: &str) -> Journal {
    Journal::new(&bench.data, &format!("scikit-learn-{table}"))
}

/// What a table costs scikit-learn, and the fits that say so; `None`: nothing was sampled yet.
pub fn table_estimate(bench: &Bench, table: &str) -> anyhow::Result<Option<(CostEstimate, Vec<SampledFit>)>> {
    let fits: Vec<SampledFit> = journal(bench, table).read()?;
    Ok(estimate(&bench.candidates(table)?, &fits).map(|estimate| (estimate, fits)))
}
