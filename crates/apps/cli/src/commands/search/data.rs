//! The data of a search.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use features::{DatasetError, GenreColumn, ImportOptions, ImportedDataset};
use host::Backends;
use learn::plan::DatasetShape;
use learn::select::warnings;
use model::dataset::{DatasetInfo, Training};
use model::run::StandIn;
use model::search::Candidate;
use model::settings;

use super::grid::Plan;
use crate::args;
use crate::error::usage;
use crate::output::warn;

/// The dataset of a file, which is saved, or the newest one of the store.
pub async fn dataset(args: &args::DataArgs, backends: &Backends) -> anyhow::Result<DatasetInfo> {
    let Some(file) = &args.data else {
        if !args.labels.is_empty() {
            return Err(usage("--labels names columns of a file: name the file with --data"));
        }
        let newest = backends.store.latest_dataset().await?;
        let Some(info) = newest else {
            bail!(
                "there is no dataset in the store yet: make one of what was collected with `spotifai dataset build`, or name \
                 a table with `--data FILE`"
            );
        };
        return Ok(info);
    };
    let imported = read(file, import_of(args, &backends.settings.dataset)).await?;
    let made = tokio::task::spawn_blocking(move || {
        let parquet = features::to_parquet(&imported.dataset)?;
        let info = imported.info(&parquet);
        // Labels that were cut from a column of genres are no collection.
        let stand_in = info.label_selection.is_some().then_some(StandIn::File);
        anyhow::Ok((DatasetInfo { stand_in, ..info }, parquet))
    });
    let (info, parquet) = made.await?.with_context(|| file.display().to_string())?;
    // What was built here knows more about itself than a file that came back.
    if let Some(known) = backends.store.dataset(&info.id).await? {
        return Ok(DatasetInfo { training: info.training, imputed: info.imputed.or(known.imputed), ..known });
    }
    backends.store.save_dataset(&info, &parquet).await?;
    Ok(info)
}

/// How the arguments say that a file is to be read.
pub fn import_of(args: &args::DataArgs, settings: &settings::DatasetSettings) -> ImportOptions {
    let impute = args.impute.map(Into::into);
    let genres = args.genre_column.as_ref().map(|name| GenreColumn {
        name: name.clone(),
        separator: args.genre_separator.clone(),
        label_selection: settings.label_selection.clone(),
    });
    ImportOptions { labels: args.labels(), ignored: args.ignored(), impute, split: settings.split.clone(), genres }
}

/// Reads a file and prints what is doubtful about it. A choice of columns that does not fit the file is a usage error.
pub async fn read(file: &Path, import: ImportOptions) -> anyhow::Result<ImportedDataset> {
    let bytes = tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    let read = tokio::task::spawn_blocking(move || features::import(&bytes, &import)).await?;
    let imported = read.map_err(|error| match error {
        DatasetError::NoColumn { .. } => usage(format!("{}: {error}", file.display())),
        DatasetError::TooLarge { .. } | DatasetError::TooMuchText { .. } => {
            anyhow!("{}: {error} with `--ignore`", file.display())
        }
        error => anyhow::Error::new(error).context(file.display().to_string()),
    })?;
    imported.notes.iter().for_each(|note| warn(&format!("{}: {note}", file.display())));
    Ok(imported)
}

/// Says on standard error where settings select more features than there are.
pub fn warn_of_excess(info: &DatasetInfo, settings: &[Candidate], folds: u32) {
    let DatasetShape { rows, features, .. } = grid_worker::dataset_shape(info);
    let fitted = rows - rows.div_ceil(folds as usize);
    for sentence in warnings(settings, fitted, features) {
        warn(&sentence);
    }
}

/// Refuses a run's dataset that is too small for its search. Nobody chose the folds: it is no usage error.
pub fn check_collected(info: &DatasetInfo, plan: &Plan) -> anyhow::Result<()> {
    let Some(Training { rows, .. }) = info.training.filter(|training| training.rows < plan.folds as usize) else {
        return Ok(());
    };
    let fewer = match &plan.command {
        Some(command) if rows >= 2 => format!(", or use `{command} --folds {rows}`"),
        _ => String::new(),
    };
    bail!(
        "only {rows} of the dataset's {} tracks are for training, too few for the {} folds of the search: collect a larger \
         playlist{fewer}",
        info.rows,
        plan.folds
    )
}

/// Refuses more folds than the training rows can be cut into; copies of a track are not parted.
pub fn check_folds(info: &DatasetInfo, folds: u32) -> anyhow::Result<()> {
    let Some(Training { rows, tracks, .. }) = info.training else { return Ok(()) };
    let most = tracks.unwrap_or(rows);
    if most >= folds as usize {
        return Ok(());
    }
    let (more, of) = match tracks {
        Some(tracks) => ("tracks", format!("copies of {tracks} tracks, of {} rows", info.rows)),
        None => ("rows", format!("of {} rows", info.rows)),
    };
    let way_out = if most < 2 { format!("add {more}") } else { format!("use --folds {most} or fewer, or add {more}") };
    Err(usage(format!("the dataset has {rows} training rows ({of}), too few for {folds} folds: {way_out}")))
}
