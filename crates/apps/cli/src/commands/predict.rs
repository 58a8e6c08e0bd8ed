//! `spotifai predict`.

mod answer;
mod chosen;
mod known;
mod table;
mod tracks;

use std::sync::Arc;

use anyhow::bail;
use model::settings::Settings;
use model::terminal::escaped;

use crate::args;
use crate::backends;
use crate::error::{stopped, usage};
use crate::files::check_file;
use crate::output::{tell, warn};
use crate::stop::unless_stopped;
use answer::{Answer, Format};
use chosen::choose;

/// Assigns labels to tracks, to rows of the model's own dataset, or to the rows of a file. What cannot be answered is
/// named, the others are answered.
pub async fn run(args: &args::PredictArgs, settings: Settings) -> anyhow::Result<()> {
    // Before any work: a name that tells no format is a slip of the pen.
    let format = Format::of(args).map_err(usage)?;
    args.out.as_deref().map_or(Ok(()), check_file)?;
    // The store alone: a queue that is out of reach is no reason to answer nothing.
    let shutdown = host::signals::on_signals()?;
    let answered = async {
        let store = backends::store(&settings).await?;
        let chosen = Arc::new(choose(&store, args.model.as_deref(), &settings).await?);
        let answers = match &args.data {
            Some(file) => table::answers(&chosen, file, args.impute.map(Into::into)).await?,
            None => tracks::answers(&chosen, &args.tracks, store, settings, &shutdown).await?,
        };
        Ok((chosen, answers))
    };
    let Some((chosen, answers)) = unless_stopped(&shutdown, answered).await? else {
        return Err(stopped("what was fetched is kept, and the same command goes on"));
    };
    answer::show(&answers, &chosen.info, &chosen.known, &format)?;
    report(&answers)
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
