//! Whole tables and their blocks, as Markdown.

use std::collections::HashMap;

use crate::common::verdict;
use crate::markdown::{digits, table};
use crate::ours::{self, SearchedTable};
use crate::strata::{CostEstimate, SampledFit};
use crate::{Bench, cores, theirs};

/// How many times faster than scikit-learn each table has to be.
const MIN_SPEEDUPS: [(&str, f64); 5] =
    [("knn", 300.0), ("tree", 600.0), ("extra_trees", 1_000.0), ("random_forest", 100.0), ("mlp", 3.5)];

/// Of the whole search: minutes, and 10^6 bytes.
const MAX_SEARCH_MINUTES: f64 = 20.0;
const MAX_MEMORY_MB: f64 = 1_500.0;

/// Whole tables beside scikit-learn, and what was sampled of it.
pub fn whole(bench: &Bench) -> anyhow::Result<String> {
    let ours: Vec<SearchedTable> = ours::journal(bench).read()?;
    let (mut ratios, mut samples) = (Vec::new(), Vec::new());
    for (table, min_speedup) in MIN_SPEEDUPS {
        let ours = ours.iter().find(|searched| searched.table == table);
        let theirs = theirs::table_estimate(bench, table)?;
        if let Some(ours) = ours {
            ratios.push(ratio(ours, theirs.as_ref().map(|(estimate, _)| estimate), min_speedup));
        }
        if let Some((estimate, fits)) = theirs {
            samples.push(sample(table, &estimate, &fits, ours));
        }
    }
    let head = ["table", "candidates", "scikit-learn, h", "here, s", "peak MB", "ratio", "wanted", ""];
    let sampled = [
        "table",
        "fits",
        "refused candidates",
        "strata",
        "fits run",
        "minutes",
        "strata by their nearest",
        "accuracy of the run fits, scikit-learn",
        "here",
    ];
    let note = "Refused candidates are no part of scikit-learn's hours; here they are trials that say why. Accuracy is the mean \
                subset accuracy over the same candidates and folds; sampled forests have fewer trees than the table's.";
    Ok([
        table("Whole tables", &head, ratios, &summary(&ours)),
        table("What was sampled of scikit-learn", &sampled, samples, note),
    ]
    .join("\n\n"))
}

fn ratio(ours: &SearchedTable, theirs: Option<&CostEstimate>, min_speedup: f64) -> Vec<String> {
    let known = |value: &dyn Fn(&CostEstimate) -> String| theirs.map_or("not sampled".into(), value);
    vec![
        ours.table.clone(),
        ours.candidates.to_string(),
        known(&|theirs| digits(theirs.seconds / 3_600.0)),
        digits(ours.wall),
        format!("{:.0}", ours.peak_mb),
        known(&|theirs| digits(theirs.seconds / ours.wall)),
        min_speedup.to_string(),
        known(&|theirs| verdict(theirs.seconds / ours.wall >= min_speedup).into()),
    ]
}

fn summary(ours: &[SearchedTable]) -> String {
    let seconds: f64 = ours.iter().map(|table| table.wall).sum();
    let peak = ours.iter().map(|table| table.peak_mb).fold(0.0, f64::max);
    let winners =
        ours.iter().map(|table| format!("{} {:.4}", table.table, table.accuracy)).collect::<Vec<_>>().join(", ");
    let whole = match ours.len() == MIN_SPEEDUPS.len() {
        true => format!(
            "The whole search: {:.1} minutes, wanted {MAX_SEARCH_MINUTES}: {}; most memory {peak:.0} MB, wanted {MAX_MEMORY_MB}: {}.",
            seconds / 60.0,
            verdict(seconds <= MAX_SEARCH_MINUTES * 60.0),
            verdict(peak <= MAX_MEMORY_MB)
        ),
        false => {
            format!("{} of {} tables: {:.1} minutes, {peak:.0} MB.", ours.len(), MIN_SPEEDUPS.len(), seconds / 60.0)
        }
    };
    format!("{whole} Mean subset accuracy of the best candidates: {winners}.")
}

fn sample(name: &str, estimate: &CostEstimate, fits: &[SampledFit], ours: Option<&SearchedTable>) -> Vec<String> {
    let trials: HashMap<(u32, u32), f64> = ours
        .iter()
        .flat_map(|table| &table.accuracies)
        .map(|&(candidate, fold, accuracy)| ((candidate, fold), accuracy))
        .collect();
    let both: Vec<(f64, f64)> = fits
        .iter()
        .filter_map(|fit| Some((fit.accuracy, *trials.get(&(fit.id.candidate? as u32, fit.id.fold))?)))
        .collect();
    let mean = |accuracy: fn(&(f64, f64)) -> f64| match both.is_empty() {
        true => "not run".into(),
        false => format!("{:.4}", both.iter().map(accuracy).sum::<f64>() / both.len() as f64),
    };
    vec![
        name.to_owned(),
        estimate.fits.to_string(),
        format!("{} of {}", estimate.rejected, estimate.candidates),
        estimate.strata.to_string(),
        estimate.sampled.to_string(),
        digits(estimate.spent / 60.0),
        estimate.uncovered.to_string(),
        mean(|pair| pair.0),
        mean(|pair| pair.1),
    ]
}

/// Measured blocks beside the plan.
pub fn blocks(bench: &Bench) -> anyhow::Result<String> {
    let tables: Vec<SearchedTable> = ours::journal(bench).read()?;
    let all: f64 = tables.iter().map(|table| table.wall).sum();
    let row = |table: &SearchedTable| {
        let estimate: f64 = table.blocks.iter().map(|block| block.estimate).sum();
        let processor: f64 = table.blocks.iter().map(|block| block.processor).sum();
        let mut ratios: Vec<f64> =
            table.blocks.iter().map(|block| block.processor / block.estimate.max(1e-9)).collect();
        ratios.sort_by(f64::total_cmp);
        let longest = table.blocks.iter().map(|block| block.wall).fold(0.0, f64::max);
        vec![
            table.table.clone(),
            table.blocks.len().to_string(),
            digits(estimate),
            digits(processor),
            digits(processor / estimate),
            format!("{} to {}", digits(ratios[0]), digits(ratios[ratios.len() - 1])),
            digits(longest),
            format!("{:.0} %", 100.0 * table.wall / all),
            format!("{:.0} %", 100.0 * processor / (table.wall * cores() as f64)),
        ]
    };
    let head = [
        "table",
        "blocks",
        "planned, processor s",
        "measured, processor s",
        "measured : planned",
        "of a block",
        "longest block, s",
        "part of the search",
        "cores in use",
    ];
    let rows = tables.iter().filter(|table| !table.blocks.is_empty()).map(row).collect();
    Ok(table("The plan and the blocks", &head, rows, ""))
}
