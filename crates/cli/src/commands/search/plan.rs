//! `spotifai search plan`: what a search would be, before it costs anything.

use std::collections::BTreeMap;

use model::search::{Block, Setting};
use serde::Serialize;
use worker::Home;

use super::Plan;
use super::data::{check_folds, dataset, import_of, read};
use crate::args::SearchPlan;
use crate::error::usage;
use crate::output::{say, say_json, table, thousands};

/// The size of a dataset.
#[derive(Serialize)]
struct Size {
    rows: usize,
    features: usize,
    labels: usize,
}

/// A family's part of a plan.
#[derive(Serialize)]
struct Family {
    family: String,
    settings: usize,
    fits: usize,
    blocks: usize,
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
    blocks_of_a_worker: usize,
}

/// Prints the plan.
pub async fn run(args: &SearchPlan, home: &Home) -> anyhow::Result<()> {
    let plan = Plan::of(&args.grid, 0)?;
    let size = size(args, home).await?;
    let blocks = learn::plan::blocks(&plan.settings, plan.folds, size.rows, size.features);
    let families = families(&plan.settings, plan.folds, &blocks);
    let planned = Planned {
        settings: plan.settings.len(),
        fits: plan.settings.len() * plan.folds as usize,
        blocks: blocks.len(),
        folds: plan.folds,
        workers: args.workers,
        blocks_of_a_worker: blocks.len().div_ceil(args.workers as usize),
        families,
        size,
    };
    if args.json { say_json(&planned) } else { say(&text(&planned)) }
}

/// What is planned for: the numbers given, the table given, or the newest dataset.
async fn size(args: &SearchPlan, home: &Home) -> anyhow::Result<Size> {
    if let (Some(rows), Some(features)) = (args.rows, args.features) {
        let labels = match args.data.labels.as_slice() {
            [] => 1,
            [one] => one.parse().map_err(|_| usage(format!("--labels is `{one}`: with --rows it is a number")))?,
            _ => return Err(usage("--labels is a list: with --rows it is a number")),
        };
        return Ok(Size { rows: rows as usize, features: features as usize, labels });
    }
    let info = match &args.data.data {
        Some(file) => read(file, import_of(&args.data, &home.settings.dataset.split)).await?.info(&[]),
        None => dataset(&args.data, home).await?,
    };
    check_folds(&info, args.grid.folds)?;
    Ok(Size { rows: info.rows, features: info.features, labels: info.labels.len() })
}

/// The parts of the families, in the order of the grid. A block may hold settings of several.
fn families(settings: &[Setting], folds: u32, blocks: &[Block]) -> Vec<Family> {
    let mut order: Vec<&str> = settings.iter().map(|setting| setting.family.as_str()).collect();
    let mut seen = BTreeMap::new();
    order.retain(|family| seen.insert(*family, ()).is_none());
    let of = |family: &str| {
        let is_of = |setting: &Setting| setting.family == family;
        let count = settings.iter().filter(|setting| is_of(setting)).count();
        let has = |block: &&Block| block.settings.iter().any(|&setting| is_of(&settings[setting as usize]));
        Family {
            family: family.to_owned(),
            settings: count,
            fits: count * folds as usize,
            blocks: blocks.iter().filter(has).count(),
        }
    };
    order.into_iter().map(of).collect()
}

fn text(plan: &Planned) -> String {
    let n = |number: usize| thousands(number);
    let row = |name: &str, settings, fits, blocks| vec![name.to_owned(), n(settings), n(fits), n(blocks)];
    let mut rows: Vec<_> = plan.families.iter().map(|f| row(&f.family, f.settings, f.fits, f.blocks)).collect();
    rows.push(row("all", plan.settings, plan.fits, plan.blocks));
    format!(
        "{} rows × {} features, {} labels, {} folds\n\n{}\n\n{} blocks a worker, with {} workers",
        n(plan.size.rows),
        n(plan.size.features),
        n(plan.size.labels),
        plan.folds,
        table(&["family", "settings", "fits", "blocks"], &rows),
        n(plan.blocks_of_a_worker),
        plan.workers
    )
}
