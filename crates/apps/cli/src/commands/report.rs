//! `spotifai report`, which writes `leaderboard.csv` and `report.html`.

use std::path::Path;

use anyhow::{Context, bail};
use host::Backends;
use model::run::Run;
use model::search::Ranked;

use crate::args;
use crate::commands::dataset;
use crate::files::{check_folder, lock_folder, save};
use crate::finished_search::FinishedSearch;
use crate::output::print_line;
use crate::summary;

/// The file name of the leaderboard.
pub const LEADERBOARD_FILE: &str = "leaderboard.csv";

/// The file name of the report.
pub const REPORT_FILE: &str = "report.html";

/// Writes the report on the newest model.
pub async fn run(command: &args::ReportArgs, backends: &Backends) -> anyhow::Result<()> {
    check_folder(&command.out)?;
    let found = newest(backends).await?;
    let _lock = lock_folder(&command.out).await?;
    write(backends, &found, None, &command.out).await?;
    print_line(&format!("wrote {}", command.out.join(REPORT_FILE).display()))
}

async fn newest(backends: &Backends) -> anyhow::Result<FinishedSearch> {
    let store = &backends.store;
    let Some(model) = store.latest_model().await? else {
        bail!("the store has no model yet: `spotifai search run` trains one");
    };
    let search = store.search(&model.search).await?.context("the store has lost the model's search")?;
    let dataset = store.dataset(&search.dataset).await?.context("the store has lost the model's dataset")?;
    let trials = store.trials(&search.id).await?;
    Ok(FinishedSearch { dataset, search, trials, model, command: None })
}

/// Writes `leaderboard.csv` and `report.html`.
pub async fn write(backends: &Backends, found: &FinishedSearch, run: Option<&Run>, out: &Path) -> anyhow::Result<()> {
    let leaderboard = learn::leaderboard(&found.search, &found.trials);
    save(&out.join(LEADERBOARD_FILE), &leaderboard_csv(found, &leaderboard)?)?;
    let matrix = dataset::open(backends, &found.dataset.id).await?;
    let collection = summary::collection(backends, run).await?;
    let examples: Vec<String> =
        found.model.evaluation.examples.iter().map(|example| example.track_id.clone()).collect();
    let tracks = backends.store.tracks(&examples).await?;
    let page = report::render(&report::Input {
        // An imported file has nothing to do with what was collected.
        collection: report::is_collected(&found.dataset).then_some(&collection),
        info: &found.dataset,
        dataset: &matrix,
        search: &found.search,
        leaderboard: &leaderboard,
        model: &found.model,
        tracks: &tracks,
        command: found.command.as_deref(),
    });
    save(&out.join(REPORT_FILE), page.as_bytes())
}

fn leaderboard_csv(found: &FinishedSearch, leaderboard: &[Ranked]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let folds = found.search.folds as usize;
    let head = ["family", "params"].map(str::to_owned).into_iter();
    let scores = ["mean_accuracy", "std_accuracy", "mean_f1_micro", "mean_f1_macro", "fit_seconds"].map(str::to_owned);
    csv.write_record(head.chain((0..folds).map(|fold| format!("accuracy_fold_{fold}"))).chain(scores))?;
    for row in leaderboard {
        let candidate = &found.search.settings[row.setting as usize];
        let mut record = vec![candidate.family.clone(), serde_json::to_string(&candidate.params)?];
        // A candidate that cannot be fitted keeps its row, with empty scores.
        let number = |value: f64| if row.error.is_none() { format!("{value:?}") } else { String::new() };
        record
            .extend((0..folds).map(|fold| row.fold_accuracies.get(fold).map(|a| format!("{a:?}")).unwrap_or_default()));
        let scores = [row.mean_accuracy, row.std_accuracy, row.mean_f1_micro, row.mean_f1_macro, row.fit_seconds];
        record.extend(scores.map(number));
        csv.write_record(record)?;
    }
    Ok(csv.into_inner()?)
}
