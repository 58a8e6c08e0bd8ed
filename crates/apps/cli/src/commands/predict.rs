//! `spotifai predict`.

mod answer;
mod known;
mod table;
mod tracks;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use learn::SavedModel;
use model::search::ModelInfo;
use model::settings::Settings;
use model::terminal::escaped;
use store::Store;
use worker::Shutdown;

use super::search::find;
use crate::args;
use crate::error::{stopped, usage};
use crate::files::check_file;
use crate::home;
use crate::output::{tell, warn};
use crate::stop::unless_stopped;
use answer::{Answer, Format};
use known::Known;

/// Where the demo keeps its store, unless it is told otherwise.
const DEMO: &str = "spotifai-demo/demo.db";

/// A model with what the store knows of the rows it was fitted on.
struct Chosen {
    info: ModelInfo,
    model: SavedModel,
    known: Known,
}

/// Assigns labels to tracks, to rows of the model's own dataset, or to the rows of a file. What cannot be answered is
/// named, the others are answered.
pub async fn run(args: &args::Predict, settings: Settings) -> anyhow::Result<()> {
    // Before any work: a name that tells no format is a slip of the pen.
    let format = Format::of(args).map_err(usage)?;
    args.out.as_deref().map_or(Ok(()), check_file)?;
    // The store alone: a queue that is out of reach is no reason to answer nothing.
    let shutdown = Shutdown::on_signals()?;
    let answered = async {
        let store = home::store(&settings).await?;
        let chosen = Arc::new(choose(&store, args.model.as_deref(), &settings).await?);
        let answers = match &args.data {
            Some(file) => table::answers(&chosen, file, args.impute.map(Into::into)).await?,
            None => tracks::answers(&chosen, &args.tracks, store, settings, &shutdown).await?,
        };
        Ok((chosen, answers))
    };
    let Some((chosen, answers)) = unless_stopped(&shutdown, answered).await? else {
        return Err(stopped(&shutdown, "what was fetched is kept, and the same command goes on"));
    };
    answer::show(&answers, &chosen.info, &chosen.known, &format)?;
    report(&answers)
}

/// The model of a search, or the newest.
async fn choose(store: &Arc<dyn Store>, search: Option<&str>, settings: &Settings) -> anyhow::Result<Chosen> {
    let info = match search {
        Some(id) => {
            let search = find(&**store, Some(id)).await?;
            store.model(&search.id).await?.with_context(|| {
                format!(
                    "search {} has no model yet: `spotifai search show {}` says how far it is",
                    search.id, search.id
                )
            })?
        }
        None => match store.latest_model().await? {
            Some(info) => info,
            None => bail!("there is no model in the store yet: {}", how_to_get_one()),
        },
    };
    let blob = store.model_blob(&info.search).await?.context("the store has lost the model")?;
    let known = Known::of(&**store, &info, &settings.dataset.split).await?;
    let model = tokio::task::spawn_blocking(move || SavedModel::load(&blob)).await??;
    Ok(Chosen { info, model, known })
}

fn how_to_get_one() -> String {
    let demo = if Path::new(DEMO).exists() {
        format!("the demo's is in its own store, `--store sqlite:{DEMO}`; ")
    } else {
        String::new()
    };
    format!("{demo}`spotifai search run` makes one")
}

/// Says on standard error what has to be known of the answers; an error where there are rows without one.
fn report(answers: &[Answer]) -> anyhow::Result<()> {
    let seen = answers.iter().filter(|answer| answer.was_in_training()).count();
    if seen > 0 {
        warn(&format!(
            "{seen} of {} were among the rows that the model was fitted on: what it says of them says nothing of how well it \
             does on others",
            answers.len()
        ));
    }
    let failed: Vec<(&str, &str)> = answers.iter().filter_map(Answer::failure).collect();
    match failed.as_slice() {
        [] => Ok(()),
        [(id, why)] => bail!("{}: {why}", escaped(id)),
        failed => {
            for (id, why) in failed.iter().take(answer::MOST_NAMED) {
                tell(&format!("spotifai: {}", escaped(&format!("{id}: {why}"))));
            }
            let more = if failed.len() > answer::MOST_NAMED { ", the first of them named here" } else { "" };
            bail!("{} of {} could not be answered{more}", failed.len(), answers.len())
        }
    }
}
