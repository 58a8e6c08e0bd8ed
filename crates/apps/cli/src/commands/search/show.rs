//! `spotifai search show`, and the text of a search's standing.

use host::Backends;
use model::dataset::Training;
use model::search::ModelInfo;
use report::Verdict;

use super::board;
use super::standing::{Standing, State, Watched};
use crate::args::SearchShowArgs;
use crate::output::{Look, age, say, say_json, style, thousands};
use crate::summary::{beside_baseline, gain, warning};

/// Shows where a search stands.
pub async fn run(args: &SearchShowArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut watched = Watched::open(backends, args.search.as_deref(), args.top).await?;
    let standing = watched.look(backends).await?;
    if args.json {
        return say_json(&standing);
    }
    let mut text = text(&standing, &watched);
    if let Some(model) = &standing.model {
        text += &format!("\n\n{}", winner(model, &watched));
    }
    say(&text)
}

/// Progress, workers and leaderboard.
pub fn text(standing: &Standing, watched: &Watched) -> String {
    let n = thousands;
    let info = &standing.info;
    let mut lines = vec![
        format!("search   {} ({})", info.id, state(standing)),
        dataset(watched),
        format!("grid     {} settings × {} folds", n(info.settings), info.folds),
        format!("trials   {} of {}", n(standing.trials_done), n(standing.trials)),
        format!("blocks   {} of {}{}", n(standing.blocks_done), n(info.blocks), speed(standing)),
    ];
    if standing.state != State::Finished {
        let at_work: Vec<String> = standing.workers.iter().map(super::standing::AtWork::text).collect();
        let nobody = match standing.declined.is_empty() {
            true => {
                "nobody is at it; the command that began it goes on with it, and `spotifai worker grid` works on what \
                 `search start` put into the queue"
            }
            false => "nobody is at it; it needs a worker of the version that started it",
        };
        lines.push(format!("workers  {}", if at_work.is_empty() { nobody.into() } else { at_work.join(" · ") }));
        lines.extend(standing.declined.iter().map(|by| format!("         {}", by.text())));
    }
    lines.push(String::new());
    lines.push(match standing.leaderboard.is_empty() {
        true => "no setting has all its folds yet".into(),
        false => board::text(&standing.leaderboard, standing.baseline_accuracy, &watched.varied),
    });
    lines.join("\n")
}

fn state(standing: &Standing) -> String {
    let word = match (standing.state, standing.info.cancelled_at) {
        (State::Finished, _) => "finished".into(),
        (State::Cancelled, Some(since)) => style(format!("cancelled {} ago", age(since)), Look::Yellow),
        _ => style("open", Look::Green),
    };
    format!("{word}, started {} ago", age(standing.info.created_at))
}

fn dataset(watched: &Watched) -> String {
    let id: String = watched.search.dataset.chars().take(12).collect();
    let Some(dataset) = &watched.dataset else { return format!("dataset  {id}") };
    let mut line = format!(
        "dataset  {id}: {} rows × {} features, {} labels",
        thousands(dataset.rows),
        thousands(dataset.features),
        dataset.labels.len()
    );
    if let Some(Training { rows, tracks: Some(tracks), .. }) = dataset.training {
        line += &format!(", {} training rows of {} tracks", thousands(rows), thousands(tracks));
    }
    if let Some(imputed) = &dataset.imputed {
        let values = imputed.columns.values().sum::<usize>();
        line += &format!(", {} missing values of {} features imputed", thousands(values), imputed.columns.len());
    }
    line
}

fn speed(standing: &Standing) -> String {
    match standing.blocks_per_second {
        Some(rate) if standing.state == State::Open && rate > 0.0 => {
            format!(", {:.1} a minute, {} left", rate * 60.0, standing.time_left())
        }
        _ => String::new(),
    }
}

/// The winner, its one look at the held-out rows, and what there is to say against it.
pub fn winner(model: &ModelInfo, watched: &Watched) -> String {
    let (heldout, baseline) = (&model.evaluation.heldout, &model.evaluation.baseline);
    let family = &model.winner.family;
    let params = watched.varied.of(family, &model.winner.params);
    let table = beside_baseline("held-out rows", heldout, baseline);
    let gain = model.evaluation.tuned.as_ref().map(|tuned| format!("\n\n{}", gain(heldout, tuned)));
    let verdict = watched.dataset.as_ref().map(|dataset| Verdict::of(dataset, &watched.search, model, None));
    let warning = verdict.filter(|of| !of.problems.is_empty()).map(|of| format!("\n\n{}", warning(&of)));
    format!("winner   {family} {params}\n\n{table}{}{}", gain.unwrap_or_default(), warning.unwrap_or_default())
}
