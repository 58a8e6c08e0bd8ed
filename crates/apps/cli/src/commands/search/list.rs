//! `spotifai search list` and `spotifai search cancel`.

use host::Backends;
use model::Timestamp;
use model::search::SearchInfo;
use serde::Serialize;

use super::status::{SearchState, find};
use crate::args::{LiveArgs, SearchCancelArgs};
use crate::output::{Style, age, print_json, print_line, style, table, thousands};
use crate::watch::{self, View};

/// A search. The field names are those of `--json`.
#[derive(Serialize)]
struct SearchListing {
    #[serde(flatten)]
    info: SearchInfo,
    state: SearchState,
    trials: usize,
    trials_done: usize,
}

/// Lists the searches once, or every second.
pub async fn run(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(live, async || {
        let mut lines = Vec::new();
        for info in backends.store.searches().await? {
            let has_model = backends.store.model(&info.id).await?.is_some();
            let trials_done = backends.store.trial_count(&info.id).await?;
            lines.push(SearchListing {
                state: SearchState::of(&info, has_model),
                trials: info.trials(),
                trials_done,
                info,
            });
        }
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
    })
    .await
}

fn text(lines: &[SearchListing]) -> String {
    if lines.is_empty() {
        return "no searches yet; `spotifai search start` starts one".into();
    }
    let row = |line: &SearchListing| {
        let state = match line.state {
            SearchState::Open => style("open", Style::Green),
            SearchState::Finished => "finished".into(),
            SearchState::Cancelled => style("cancelled", Style::Yellow),
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
    let header = ["search", "started", "state", "fits", "candidates", "folds", "dataset"];
    table(&header, &lines.iter().map(row).collect::<Vec<_>>())
}

/// Cancels a search.
pub async fn cancel(args: &SearchCancelArgs, backends: &Backends) -> anyhow::Result<()> {
    let id = find(&*backends.store, Some(&args.search)).await?.id;
    if backends.store.model(&id).await?.is_some() {
        return match args.json {
            true => print_json(&backends.store.search_info(&id).await?),
            false => print_line(&format!("{id} is already finished; nothing to cancel")),
        };
    }
    let now = Timestamp::now();
    let info = backends.store.cancel_search(&id, now).await?;
    if args.json {
        return print_json(&info);
    }
    print_line(&match info.and_then(|info| info.cancelled_at) {
        Some(since) if since < now => format!("{id} was already cancelled {} ago", age(since)),
        _ => format!("cancelled {id}: running blocks finish, the others are skipped, and finished fits are kept"),
    })
}
