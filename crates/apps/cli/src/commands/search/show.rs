//! `spotifai search show`, and the text form of a search's status.

use host::Backends;
use model::dataset::Training;
use model::search::ModelInfo;
use report::Verdict;

use super::leaderboard;
use super::status::{ActiveJob, SearchMonitor, SearchState, SearchStatus};
use crate::args::SearchShowArgs;
use crate::output::{Style, age, counted, print_json, print_line, style, thousands};
use crate::summary::{score_table, threshold_effect, warning};

/// Shows the status of a search.
pub async fn run(args: &SearchShowArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut monitor = SearchMonitor::open(backends, args.search.as_deref(), args.top).await?;
    let status = monitor.poll(backends).await?;
    if args.json {
        return print_json(&status);
    }
    let mut text = text(&status, &monitor);
    if let Some(model) = &status.model {
        text += &format!("\n\n{}", winner(model, &monitor));
    }
    print_line(&text)
}

/// Progress, workers and leaderboard.
pub fn text(status: &SearchStatus, monitor: &SearchMonitor) -> String {
    let info = &status.info;
    let mut lines = vec![
        format!("search   {} ({})", info.id, state(status)),
        dataset(monitor),
        format!("grid     {} × {} folds", counted(info.settings, "candidate"), info.folds),
        format!("fits     {} of {}", thousands(status.trials_done), thousands(status.trials)),
        format!("blocks   {} of {}{}", thousands(status.blocks_done), thousands(info.blocks), speed(status)),
    ];
    if status.state != SearchState::Finished {
        let active: Vec<String> = status.workers.iter().map(ActiveJob::text).collect();
        let none = match status.declined.is_empty() {
            true => {
                "none; run the command that started it again to resume, or `spotifai worker grid` if it was started with \
                 `search start`"
            }
            false => "none; it needs a worker of the version that started it",
        };
        lines.push(format!("workers  {}", if active.is_empty() { none.into() } else { active.join(" · ") }));
        lines.extend(status.declined.iter().map(|decline| format!("         {}", decline.text())));
    }
    lines.push(String::new());
    lines.push(match status.leaderboard.is_empty() {
        true => "no candidate has finished all its folds yet".into(),
        false => leaderboard::text(&status.leaderboard, status.baseline_accuracy, &monitor.varied),
    });
    lines.join("\n")
}

fn state(status: &SearchStatus) -> String {
    let word = match (status.state, status.info.cancelled_at) {
        (SearchState::Finished, _) => "finished".into(),
        (SearchState::Cancelled, Some(since)) => style(format!("cancelled {} ago", age(since)), Style::Yellow),
        _ => style("open", Style::Green),
    };
    format!("{word}, started {} ago", age(status.info.created_at))
}

fn dataset(monitor: &SearchMonitor) -> String {
    let id: String = monitor.search.dataset.chars().take(12).collect();
    let Some(dataset) = &monitor.dataset else { return format!("dataset  {id}") };
    let mut line = format!(
        "dataset  {id}: {} × {}, {}",
        counted(dataset.rows, "row"),
        counted(dataset.features, "feature"),
        counted(dataset.labels.len(), "label")
    );
    if let Some(Training { rows, tracks: Some(tracks), .. }) = dataset.training {
        line += &format!(", {} training rows from {}", thousands(rows), counted(tracks, "track"));
    }
    if let Some(imputed) = &dataset.imputed {
        let values = imputed.columns.values().sum::<usize>();
        line +=
            &format!(", {} missing values imputed in {}", thousands(values), counted(imputed.columns.len(), "feature"));
    }
    line
}

fn speed(status: &SearchStatus) -> String {
    match status.blocks_per_second {
        Some(rate) if status.state == SearchState::Open && rate > 0.0 => {
            format!(", {:.1} per minute, {} left", rate * 60.0, status.time_left())
        }
        _ => String::new(),
    }
}

/// The winner, its scores on the held-out rows, and its problems.
pub fn winner(model: &ModelInfo, monitor: &SearchMonitor) -> String {
    let (heldout, baseline) = (&model.evaluation.heldout, &model.evaluation.baseline);
    let winner = monitor.varied.describe(&model.winner);
    let table = score_table("held-out rows", heldout, baseline);
    let thresholds = model.evaluation.tuned.as_ref().map(|tuned| format!("\n\n{}", threshold_effect(heldout, tuned)));
    let verdict = monitor.dataset.as_ref().map(|dataset| Verdict::of(dataset, &monitor.search, model, None));
    let warning =
        verdict.filter(|verdict| !verdict.problems.is_empty()).map(|verdict| format!("\n\n{}", warning(&verdict)));
    format!("winner   {winner}\n\n{table}{}{}", thresholds.unwrap_or_default(), warning.unwrap_or_default())
}
