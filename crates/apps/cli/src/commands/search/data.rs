//! The data that a search runs on.

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

use super::spec::SearchSpec;
use crate::args;
use crate::error::usage;
use crate::output::{counted, thousands, warn};

/// Imports the file given by the arguments into the store, or takes the newest stored dataset.
pub async fn dataset(args: &args::DataArgs, backends: &Backends) -> anyhow::Result<DatasetInfo> {
    let Some(file) = &args.data else {
        if !args.labels.is_empty() {
            return Err(usage("--labels selects columns of a file; pass the file with --data"));
        }
        let newest = backends.store.latest_dataset().await?;
        let Some(info) = newest else {
            bail!(
                "the store has no dataset yet: build one from collected tracks with `spotifai dataset build`, or pass a table \
                 with `--data FILE`"
            );
        };
        return Ok(info);
    };
    let imported = read(file, import_options(args, &backends.settings.dataset)).await?;
    let made = tokio::task::spawn_blocking(move || {
        let parquet = features::to_parquet(&imported.dataset)?;
        let info = imported.info(&parquet);
        // Labels selected from a genre column do not make the file a collection of ours.
        let stand_in = info.label_selection.is_some().then_some(StandIn::File);
        anyhow::Ok((DatasetInfo { stand_in, ..info }, parquet))
    });
    let (info, parquet) = made.await?.with_context(|| file.display().to_string())?;
    // For a dataset exported from here, the stored information is more complete than the file's.
    if let Some(known) = backends.store.dataset(&info.id).await? {
        return Ok(DatasetInfo { training: info.training, imputed: info.imputed.or(known.imputed), ..known });
    }
    backends.store.save_dataset(&info, &parquet).await?;
    Ok(info)
}

/// The import options given by the arguments.
pub fn import_options(args: &args::DataArgs, settings: &settings::DatasetSettings) -> ImportOptions {
    let impute = args.impute.map(Into::into);
    let genres = args.genre_column.as_ref().map(|name| GenreColumn {
        name: name.clone(),
        separator: args.genre_separator.clone(),
        label_selection: settings.label_selection.clone(),
    });
    ImportOptions { labels: args.labels(), ignored: args.ignored(), impute, split: settings.split.clone(), genres }
}

/// Imports a file and prints warnings about it. Naming columns that it does not have is a usage error.
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

/// Warns about candidates that select more features than there are.
pub fn warn_about_selection(info: &DatasetInfo, candidates: &[Candidate], folds: u32) {
    let DatasetShape { rows, features, .. } = grid_worker::dataset_shape(info);
    let fitted = rows - rows.div_ceil(folds as usize);
    for sentence in warnings(candidates, fitted, features) {
        warn(&sentence);
    }
}

/// Refuses a collected dataset that is too small for the search. The user did not choose the folds, so it is no usage error.
pub fn check_collected(info: &DatasetInfo, spec: &SearchSpec) -> anyhow::Result<()> {
    let Some(Training { rows, .. }) = info.training.filter(|training| training.rows < spec.folds as usize) else {
        return Ok(());
    };
    let fewer = match &spec.command {
        Some(command) if rows >= 2 => format!(", or use `{command} --folds {rows}`"),
        _ => String::new(),
    };
    bail!(
        "only {rows} of the dataset's {} are for training, too few for the search's {} folds: collect a larger \
         playlist{fewer}",
        counted(info.rows, "track"),
        spec.folds
    )
}

/// Refuses more folds than the training rows can fill. Copies of a track stay in one fold.
pub fn check_folds(info: &DatasetInfo, folds: u32) -> anyhow::Result<()> {
    let Some(Training { rows, tracks, .. }) = info.training else { return Ok(()) };
    let max_folds = tracks.unwrap_or(rows);
    if max_folds >= folds as usize {
        return Ok(());
    }
    let (unit, origin) = match tracks {
        Some(tracks) => ("tracks", format!("copies of {}, of {}", counted(tracks, "track"), counted(info.rows, "row"))),
        None => ("rows", format!("of {}", counted(info.rows, "row"))),
    };
    let advice =
        if max_folds < 2 { format!("add {unit}") } else { format!("use --folds {max_folds} or fewer, or add {unit}") };
    Err(usage(format!(
        "the dataset has {} ({origin}), too few for {folds} folds: {advice}",
        if rows == 1 { "1 training row".to_owned() } else { format!("{} training rows", thousands(rows)) }
    )))
}
