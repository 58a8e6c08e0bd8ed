//! Whole tables and their blocks, as Markdown.

use std::collections::HashMap;

use crate::common::verdict;
use crate::markdown::{digits, table};
use crate::ours::{self, Table};
use crate::strata::{Estimate, Fit};
use crate::{Bench, cores, theirs};

/// How many times faster than scikit-learn a table has to be.
const WANTED: [(&str, f64); 5] =
    [("knn", 300.0), ("tree", 600.0), ("extra_trees", 1_000.0), ("random_forest", 100.0), ("mlp", 3.5)];

/// Of the whole search: minutes, and 10^6 bytes.
const MINUTES: f64 = 20.0;
const MEMORY: f64 = 1_500.0;

/// Whole tables beside scikit-learn, and what was sampled of it.
pub fn whole(bench: &Bench) -> anyhow::Result<String> {
    let ours: Vec<Table> = ours::journal(bench).read()?;
    let (mut ratios, mut samples) = (Vec::new(), Vec::new());
    for (table, wanted) in WANTED {
        let ours = ours.iter().find(|of| of.table == table);
        let theirs = theirs::of_table(bench, table)?;
        if let Some(ours) = ours {
            ratios.push(ratio(ours, theirs.as_ref().map(|(estimate, _)| estimate), wanted));
        }
        if let Some((estimate, fits)) = theirs {
            samples.push(sample(table, &estimate, &fits, ours));
        }
    }
    let head = ["table", "settings", "scikit-learn, h", "here, s", "peak MB", "ratio", "wanted", ""];
    let sampled = [
        "table",
        "fits",
        "refused settings",
        "strata",
        "fits run",
        "minutes",
        "strata by their nearest",
        "accuracy of the run fits, scikit-learn",
        "here",
    ];
    let note = "Refused settings are no part of scikit-learn's hours; here they are trials that say why. Accuracy is the mean \
                subset accuracy over the same settings and folds; sampled forests have fewer trees than the table's.";
    Ok([
        table("Whole tables", &head, ratios, &sum(&ours)),
        table("What was sampled of scikit-learn", &sampled, samples, note),
    ]
    .join("\n\n"))
}

fn ratio(ours: &Table, theirs: Option<&Estimate>, wanted: f64) -> Vec<String> {
    let known = |of: &dyn Fn(&Estimate) -> String| theirs.map_or("not sampled".into(), of);
    vec![
        ours.table.clone(),
        ours.settings.to_string(),
        known(&|theirs| digits(theirs.seconds / 3_600.0)),
        digits(ours.wall),
        format!("{:.0}", ours.peak_mb),
        known(&|theirs| digits(theirs.seconds / ours.wall)),
        wanted.to_string(),
        known(&|theirs| verdict(theirs.seconds / ours.wall >= wanted).into()),
    ]
}

fn sum(ours: &[Table]) -> String {
    let seconds: f64 = ours.iter().map(|of| of.wall).sum();
    let peak = ours.iter().map(|of| of.peak_mb).fold(0.0, f64::max);
    let winners = ours.iter().map(|of| format!("{} {:.4}", of.table, of.accuracy)).collect::<Vec<_>>().join(", ");
    let whole = match ours.len() == WANTED.len() {
        true => format!(
            "The whole search: {:.1} minutes, wanted {MINUTES}: {}; most memory {peak:.0} MB, wanted {MEMORY}: {}.",
            seconds / 60.0,
            verdict(seconds <= MINUTES * 60.0),
            verdict(peak <= MEMORY)
        ),
        false => format!("{} of {} tables: {:.1} minutes, {peak:.0} MB.", ours.len(), WANTED.len(), seconds / 60.0),
    };
    format!("{whole} Mean subset accuracy of the best settings: {winners}.")
}

fn sample(name: &str, of: &Estimate, fits: &[Fit], ours: Option<&Table>) -> Vec<String> {
    let trials: HashMap<(u32, u32), f64> = ours
        .iter()
        .flat_map(|of| &of.accuracies)
        .map(|&(setting, fold, accuracy)| ((setting, fold), accuracy))
        .collect();
    let both: Vec<(f64, f64)> = fits
        .iter()
        .filter_map(|fit| Some((fit.accuracy, *trials.get(&(fit.id.setting? as u32, fit.id.fold))?)))
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| match both.is_empty() {
        true => "not run".into(),
        false => format!("{:.4}", both.iter().map(of).sum::<f64>() / both.len() as f64),
    };
    vec![
        name.to_owned(),
        of.fits.to_string(),
        format!("{} of {}", of.rejected, of.settings),
        of.strata.to_string(),
        of.sampled.to_string(),
        digits(of.spent / 60.0),
        of.uncovered.to_string(),
        mean(|of| of.0),
        mean(|of| of.1),
    ]
}

/// Measured blocks beside the plan.
pub fn blocks(bench: &Bench) -> anyhow::Result<String> {
    let tables: Vec<Table> = ours::journal(bench).read()?;
    let all: f64 = tables.iter().map(|of| of.wall).sum();
    let row = |of: &Table| {
        let estimate: f64 = of.blocks.iter().map(|block| block.estimate).sum();
        let processor: f64 = of.blocks.iter().map(|block| block.processor).sum();
        let mut ratios: Vec<f64> = of.blocks.iter().map(|block| block.processor / block.estimate.max(1e-9)).collect();
        ratios.sort_by(f64::total_cmp);
        let longest = of.blocks.iter().map(|block| block.wall).fold(0.0, f64::max);
        vec![
            of.table.clone(),
            of.blocks.len().to_string(),
            digits(estimate),
            digits(processor),
            digits(processor / estimate),
            format!("{} to {}", digits(ratios[0]), digits(ratios[ratios.len() - 1])),
            digits(longest),
            format!("{:.0} %", 100.0 * of.wall / all),
            format!("{:.0} %", 100.0 * processor / (of.wall * cores() as f64)),
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
    let rows = tables.iter().filter(|of| !of.blocks.is_empty()).map(row).collect();
    Ok(table("The plan and the blocks", &head, rows, ""))
}
