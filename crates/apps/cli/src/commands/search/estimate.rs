//! `spotifai search plan`: the estimated cost of a search.

use host::Backends;
use learn::plan::{self, DatasetShape};
use model::search::{Block, Candidate};
use serde::Serialize;

use super::data::{check_folds, dataset, import_options, read, warn_about_selection};
use super::spec::SearchSpec;
use crate::args::SearchPlanArgs;
use crate::error::usage;
use crate::output::{counted, print_json, print_line, table, thousands};

/// The size of the data.
#[derive(Serialize)]
struct Size {
    rows: usize,
    training_rows: usize,
    features: usize,
    labels: usize,
}

/// The part of one family.
#[derive(Serialize)]
struct FamilyEstimate {
    family: String,
    settings: usize,
    /// Candidates × folds.
    fits: usize,
    /// Fits left when candidates that are equivalent on this data are counted once.
    distinct_fits: usize,
    /// Computations shared between candidates, over all folds.
    shared: usize,
    blocks: usize,
    /// Estimated time on one core.
    core_seconds: f64,
}

/// The estimate. The field names are those of `--json`.
#[derive(Serialize)]
struct SearchEstimate {
    #[serde(flatten)]
    size: Size,
    folds: u32,
    families: Vec<FamilyEstimate>,
    settings: usize,
    fits: usize,
    blocks: usize,
    workers: u32,
    cores: usize,
    /// Estimated time on all cores of all workers.
    seconds: f64,
}

/// Prints the estimate.
pub async fn run(args: &SearchPlanArgs, backends: &Backends) -> anyhow::Result<()> {
    let spec = SearchSpec::from_grid(&args.grid, 0)?;
    let size = size(args, &spec, backends).await?;
    let shape = DatasetShape { rows: size.training_rows, features: size.features, labels: size.labels };
    let blocks = plan::blocks(&spec.settings, spec.folds, shape);
    let families = families(&spec.settings, spec.folds, shape, &blocks);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let estimate = SearchEstimate {
        settings: spec.settings.len(),
        fits: spec.settings.len() * spec.folds as usize,
        blocks: blocks.len(),
        folds: spec.folds,
        workers: args.workers,
        cores,
        seconds: families.iter().map(|family| family.core_seconds).sum::<f64>()
            / (f64::from(args.workers) * cores as f64),
        families,
        size,
    };
    if args.json { print_json(&estimate) } else { print_line(&text(&estimate)) }
}

/// The size given as numbers, that of the given table, or that of the newest dataset.
async fn size(args: &SearchPlanArgs, spec: &SearchSpec, backends: &Backends) -> anyhow::Result<Size> {
    if let (Some(rows), Some(features)) = (args.rows, args.features) {
        let labels = match args.data.labels().as_slice() {
            [] => 1,
            [label] => match label.parse::<u16>() {
                Ok(labels) if labels > 0 => labels.into(),
                _ => {
                    return Err(usage(format!(
                        "--labels is `{label}`: with --rows it must be a number from 1 to {}",
                        u16::MAX
                    )));
                }
            },
            _ => return Err(usage("--labels is a list: with --rows it must be a number")),
        };
        let test = (backends.settings.dataset.split.test_size * f64::from(rows)).ceil() as usize;
        let rows = rows as usize;
        return Ok(Size { rows, training_rows: rows.saturating_sub(test), features: features as usize, labels });
    }
    let info = match &args.data.data {
        Some(file) => read(file, import_options(&args.data, &backends.settings.dataset)).await?.info(&[]),
        None => dataset(&args.data, backends).await?,
    };
    check_folds(&info, args.grid.folds)?;
    warn_about_selection(&info, &spec.settings, spec.folds);
    let DatasetShape { rows, features, labels } = grid_worker::dataset_shape(&info);
    Ok(Size { rows: info.rows, training_rows: rows, features, labels })
}

/// The estimate of each family, in the order of the grid. A block may hold candidates of several families.
fn families(candidates: &[Candidate], folds: u32, shape: DatasetShape, blocks: &[Block]) -> Vec<FamilyEstimate> {
    let estimate = |part: plan::FamilyPlan| {
        let has = |block: &&Block| block.settings.iter().any(|&at| candidates[at as usize].family == part.family);
        let folds = folds as usize;
        FamilyEstimate {
            blocks: blocks.iter().filter(has).count(),
            family: part.family,
            settings: part.candidates,
            fits: part.candidates * folds,
            distinct_fits: part.distinct * folds,
            shared: part.shared * folds,
            core_seconds: part.seconds,
        }
    };
    plan::summary(candidates, folds, shape).into_iter().map(estimate).collect()
}

fn text(estimate: &SearchEstimate) -> String {
    let row = |name: &str, counts: [usize; 5], seconds: f64| {
        let cells = counts.into_iter().map(thousands).chain([rough_duration(seconds)]);
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<String>>()
    };
    let counts = |f: &FamilyEstimate| [f.settings, f.fits, f.distinct_fits, f.shared, f.blocks];
    let mut rows: Vec<_> = estimate.families.iter().map(|f| row(&f.family, counts(f), f.core_seconds)).collect();
    let sum = |count: fn(&FamilyEstimate) -> usize| estimate.families.iter().map(count).sum();
    let seconds = estimate.families.iter().map(|f| f.core_seconds).sum();
    let totals = [estimate.settings, estimate.fits, sum(|f| f.distinct_fits), sum(|f| f.shared), estimate.blocks];
    rows.push(row("total", totals, seconds));
    let header = ["family", "candidates", "fits", "distinct fits", "shared steps", "blocks", "core time"];
    format!(
        "{} × {}, {}, {} folds\n\n{}\n\nabout {} with {} of {}",
        counted(estimate.size.rows, "row"),
        counted(estimate.size.features, "feature"),
        counted(estimate.size.labels, "label"),
        estimate.folds,
        table(&header, &rows),
        rough_duration(estimate.seconds),
        counted(estimate.workers as usize, "worker"),
        counted(estimate.cores, "core")
    )
}

/// Formats an estimated duration.
fn rough_duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
