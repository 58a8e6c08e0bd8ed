//! `spotifai search plan`: what a search would be, before it costs anything.

use host::Backends;
use learn::plan::{self, DatasetShape};
use model::search::{Block, Candidate};
use serde::Serialize;

use super::data::{check_folds, dataset, import_of, read, warn_of_excess};
use super::grid::Plan;
use crate::args::SearchPlanArgs;
use crate::error::usage;
use crate::output::{say, say_json, table, thousands};

/// The size of a dataset, and how many of its rows are for training.
#[derive(Serialize)]
struct Size {
    rows: usize,
    training_rows: usize,
    features: usize,
    labels: usize,
}

/// A family's part of a plan.
#[derive(Serialize)]
struct Family {
    family: String,
    settings: usize,
    /// Settings × folds.
    fits: usize,
    /// Settings that differ in what acts, times folds.
    distinct_fits: usize,
    /// Pieces of work that serve all settings which share them, times folds.
    shared: usize,
    blocks: usize,
    /// Estimated, on one core.
    core_seconds: f64,
}

/// The plan. The names are those of `--json`.
#[derive(Serialize)]
struct Planned {
    #[serde(flatten)]
    size: Size,
    folds: u32,
    families: Vec<Family>,
    settings: usize,
    fits: usize,
    blocks: usize,
    workers: u32,
    cores: usize,
    /// Estimated, on so many workers with so many cores each.
    seconds: f64,
}

/// Prints the plan.
pub async fn run(args: &SearchPlanArgs, backends: &Backends) -> anyhow::Result<()> {
    let plan = Plan::of(&args.grid, 0)?;
    let size = size(args, &plan, backends).await?;
    let shape = DatasetShape { rows: size.training_rows, features: size.features, labels: size.labels };
    let blocks = plan::blocks(&plan.settings, plan.folds, shape);
    let families = families(&plan.settings, plan.folds, shape, &blocks);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let planned = Planned {
        settings: plan.settings.len(),
        fits: plan.settings.len() * plan.folds as usize,
        blocks: blocks.len(),
        folds: plan.folds,
        workers: args.workers,
        cores,
        seconds: families.iter().map(|of| of.core_seconds).sum::<f64>() / (f64::from(args.workers) * cores as f64),
        families,
        size,
    };
    if args.json { say_json(&planned) } else { say(&text(&planned)) }
}

/// What is planned for: the numbers given, the table given, or the newest dataset.
async fn size(args: &SearchPlanArgs, plan: &Plan, backends: &Backends) -> anyhow::Result<Size> {
    if let (Some(rows), Some(features)) = (args.rows, args.features) {
        let labels = match args.data.labels().as_slice() {
            [] => 1,
            [one] => match one.parse::<u16>() {
                Ok(labels) if labels > 0 => labels.into(),
                _ => {
                    return Err(usage(format!(
                        "--labels is `{one}`: with --rows it is a number from 1 to {}",
                        u16::MAX
                    )));
                }
            },
            _ => return Err(usage("--labels is a list: with --rows it is a number")),
        };
        let test = (backends.settings.dataset.split.test_size * f64::from(rows)).ceil() as usize;
        let rows = rows as usize;
        return Ok(Size { rows, training_rows: rows.saturating_sub(test), features: features as usize, labels });
    }
    let info = match &args.data.data {
        Some(file) => read(file, import_of(&args.data, &backends.settings.dataset)).await?.info(&[]),
        None => dataset(&args.data, backends).await?,
    };
    check_folds(&info, args.grid.folds)?;
    warn_of_excess(&info, &plan.settings, plan.folds);
    let DatasetShape { rows, features, labels } = grid_worker::dataset_shape(&info);
    Ok(Size { rows: info.rows, training_rows: rows, features, labels })
}

/// The parts of the families, in the order of the grid. A block may hold settings of several.
fn families(settings: &[Candidate], folds: u32, shape: DatasetShape, blocks: &[Block]) -> Vec<Family> {
    let of = |part: plan::FamilyPlan| {
        let has = |block: &&Block| block.settings.iter().any(|&at| settings[at as usize].family == part.family);
        let folds = folds as usize;
        Family {
            blocks: blocks.iter().filter(has).count(),
            family: part.family,
            settings: part.candidates,
            fits: part.candidates * folds,
            distinct_fits: part.distinct * folds,
            shared: part.shared * folds,
            core_seconds: part.seconds,
        }
    };
    plan::summary(settings, folds, shape).into_iter().map(of).collect()
}

fn text(plan: &Planned) -> String {
    let n = |number: usize| thousands(number);
    let row = |name: &str, numbers: [usize; 5], seconds: f64| {
        let numbers = numbers.into_iter().map(n).chain([duration(seconds)]);
        std::iter::once(name.to_owned()).chain(numbers).collect::<Vec<String>>()
    };
    let of = |f: &Family| [f.settings, f.fits, f.distinct_fits, f.shared, f.blocks];
    let mut rows: Vec<_> = plan.families.iter().map(|f| row(&f.family, of(f), f.core_seconds)).collect();
    let sum = |of: fn(&Family) -> usize| plan.families.iter().map(of).sum();
    let seconds = plan.families.iter().map(|f| f.core_seconds).sum();
    let all = [plan.settings, plan.fits, sum(|f| f.distinct_fits), sum(|f| f.shared), plan.blocks];
    rows.push(row("all", all, seconds));
    format!(
        "{} rows × {} features, {} labels, {} folds\n\n{}\n\nabout {} on {}, {} cores each",
        n(plan.size.rows),
        n(plan.size.features),
        n(plan.size.labels),
        plan.folds,
        table(&["family", "settings", "fits", "distinct", "shared work", "blocks", "core time"], &rows),
        duration(plan.seconds),
        if plan.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", n(plan.workers as usize)) },
        plan.cores
    )
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
