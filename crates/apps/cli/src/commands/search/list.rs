//! `spotifai search list` and `spotifai search cancel`.

use host::Backends;
use model::Timestamp;
use model::search::SearchInfo;
use serde::Serialize;

use super::standing::{State, find};
use crate::args::{LiveArgs, SearchCancelArgs};
use crate::output::{Look, age, say, say_json, style, table, thousands};
use crate::watch::{self, View};

/// One search. The names are those of `--json`.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    info: SearchInfo,
    state: State,
    trials: usize,
    trials_done: usize,
}

/// Shows the searches once, or every second.
pub async fn run(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(live, async || {
        let mut lines = Vec::new();
        for info in backends.store.searches().await? {
            let has_model = backends.store.model(&info.id).await?.is_some();
            let trials_done = backends.store.trial_count(&info.id).await?;
            lines.push(Line { state: State::of(&info, has_model), trials: info.trials(), trials_done, info });
        }
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
    })
    .await
}

fn text(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no searches yet; `spotifai search start` makes one".into();
    }
    let row = |line: &Line| {
        let state = match line.state {
            State::Open => style("open", Look::Green),
            State::Finished => "finished".into(),
            State::Cancelled => style("cancelled", Look::Yellow),
        };
        vec![
            line.info.id.clone(),
            format!("{} ago", age(line.info.created_at)),
            state,
            format!("{}/{}", thousands(line.trials_done), thousands(line.trials)),
            thousands(line.info.settings),
            line.info.folds.to_string(),
            line.info.dataset.chars().take(12).collect(),
        ]
    };
    let header = ["search", "started", "state", "trials", "settings", "folds", "dataset"];
    table(&header, &lines.iter().map(row).collect::<Vec<_>>())
}

/// Cancels a search.
pub async fn cancel(args: &SearchCancelArgs, backends: &Backends) -> anyhow::Result<()> {
    let id = find(&*backends.store, Some(&args.search)).await?.id;
    if backends.store.model(&id).await?.is_some() {
        return match args.json {
            true => say_json(&backends.store.search_info(&id).await?),
            false => say(&format!("{id} is finished already: nothing is left to cancel")),
        };
    }
    let now = Timestamp::now();
    let info = backends.store.cancel_search(&id, now).await?;
    if args.json {
        return say_json(&info);
    }
    say(&match info.and_then(|info| info.cancelled_at) {
        Some(since) if since < now => format!("{id} was cancelled already, {} ago", age(since)),
        _ => format!("cancelled {id}: blocks under way end, others do nothing, finished trials stay"),
    })
}
