//! `spotifai predict`.

mod loaded_model;
mod model_dataset;
mod prediction;
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
use crate::interrupt::unless_stopped;
use crate::output::{eprint_line, thousands, warn};
use loaded_model::load;
use prediction::{Destination, Prediction};

/// Predicts labels for tracks, for rows of the model's own dataset, or for the rows of a file. Rows that cannot be predicted are
/// reported; the others are predicted anyway.
pub async fn run(args: &args::PredictArgs, settings: Settings) -> anyhow::Result<()> {
    // Before any work: an unknown file extension is probably a typo.
    let destination = Destination::from_args(args).map_err(usage)?;
    args.out.as_deref().map_or(Ok(()), check_file)?;
    // Only the store: an unreachable queue need not prevent predictions.
    let shutdown = host::signals::on_signals()?;
    let work = async {
        let store = backends::store(&settings).await?;
        let loaded = Arc::new(load(&store, args.model.as_deref(), &settings).await?);
        let predictions = match &args.data {
            Some(file) => table::predict(&loaded, file, args.impute.map(Into::into)).await?,
            None => tracks::predict(&loaded, &args.tracks, store, settings, &shutdown).await?,
        };
        Ok((loaded, predictions))
    };
    let Some((loaded, predictions)) = unless_stopped(&shutdown, work).await? else {
        return Err(stopped("fetched data is kept; run the same command again to resume"));
    };
    prediction::show(&predictions, &loaded.info, &loaded.dataset, &destination)?;
    report(&predictions)
}

/// Prints warnings about the predictions. Rows without one are an error.
fn report(predictions: &[Prediction]) -> anyhow::Result<()> {
    let trained_on = predictions.iter().filter(|prediction| prediction.was_in_training()).count();
    if trained_on > 0 {
        warn(&format!(
            "{} of {} were in the model's training data: how well it does there says nothing about how well it does elsewhere",
            thousands(trained_on),
            thousands(predictions.len())
        ));
    }
    let failed: Vec<(&str, &str)> = predictions.iter().filter_map(Prediction::failure).collect();
    match failed.as_slice() {
        [] => Ok(()),
        [(id, why)] => bail!("{}: {why}", escaped(id)),
        failed => {
            for (id, why) in failed.iter().take(prediction::MAX_LISTED_FAILURES) {
                eprint_line(&format!("spotifai: {}", escaped(&format!("{id}: {why}"))));
            }
            let more = if failed.len() > prediction::MAX_LISTED_FAILURES { "; the first are listed above" } else { "" };
            bail!("{} of {} could not be predicted{more}", thousands(failed.len()), thousands(predictions.len()))
        }
    }
}
