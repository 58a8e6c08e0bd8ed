//! `spotifai dataset`, and building the dataset from collected tracks.

use std::collections::HashMap;

use anyhow::{Context, bail};
use host::Backends;
use model::dataset::{Dataset, DatasetInfo};
use model::tag::{RULES_VERSION, TaggedTrack};
use model::track::Track;

use crate::args;
use crate::error::usage;
use crate::files::{check_file, save};
use crate::output::{counted, print_json, print_line, table, thousands, warn};
use crate::refusals;

/// Builds or exports the dataset.
pub async fn run(command: args::DatasetCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        args::DatasetCommand::Build { json } => {
            let info = build(backends).await?;
            if json { print_json(&info) } else { describe(&info) }
        }
        args::DatasetCommand::Export { file, spreadsheet } => {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if !["csv", "parquet"].contains(&extension) {
                return Err(usage(format!(
                    "{} must end in .parquet or .csv: the extension selects the format",
                    file.display()
                )));
            }
            let write = match (extension, spreadsheet) {
                ("csv", true) => features::to_spreadsheet,
                ("csv", false) => features::to_csv,
                (_, true) => return Err(usage("--spreadsheet applies only to .csv files")),
                (_, false) => features::to_parquet,
            };
            check_file(&file)?;
            let (info, dataset) = newest(backends).await?;
            let bytes = write(&dataset)?;
            save(&file, &bytes)?;
            print_line(&format!(
                "wrote {}: {} × {}, {}",
                file.display(),
                counted(info.rows, "row"),
                counted(info.features, "feature"),
                counted(info.labels.len(), "label")
            ))
        }
    }
}

/// Builds the dataset from everything collected, and saves it.
pub async fn build(backends: &Backends) -> anyhow::Result<DatasetInfo> {
    let (store, settings) = (&backends.store, &backends.settings.dataset);
    let tracks = store.all_tracks().await?;
    let ids: Vec<String> = tracks.iter().map(|track| track.id.clone()).collect();
    update_tags(backends, &tracks, &ids).await?;
    let sources = features::StoredTracks {
        labelled: store.labelled_tracks(&settings.label_selection).await?,
        tags: store.tags(&ids).await?,
        features: store.features(&ids).await?,
        confidences: store.confidences().await?,
        pitches: store.pitches(&ids).await?,
        tracks,
    };
    if let Some(refusals) = refusals::leaving_nothing(backends).await? {
        bail!(refusals::alternatives(&refusals, "spotifai run PLAYLIST --labels-only"));
    }
    let settings = settings.clone();
    let stand_in = store.runs().await?.into_iter().filter_map(|run| run.stand_in).max();
    let (info, parquet, note) = tokio::task::spawn_blocking(move || {
        let built = features::build(sources, &settings)?;
        let parquet = features::to_parquet(&built.dataset)?;
        anyhow::Ok((DatasetInfo { stand_in, ..built.info(&parquet) }, parquet, built.note))
    })
    .await??;
    note.iter().for_each(|note| warn(note));
    store.save_dataset(&info, &parquet).await?;
    Ok(info)
}

/// Recomputes canonical tags that were made by older rules, so that all labels of a dataset follow the same rules.
async fn update_tags(backends: &Backends, tracks: &[Track], ids: &[String]) -> anyhow::Result<()> {
    let tags = backends.store.tags(ids).await?;
    let old: HashMap<&str, &TaggedTrack> =
        tags.iter().filter(|tags| tags.rules < RULES_VERSION).map(|tags| (tags.track_id.as_str(), tags)).collect();
    for track in tracks {
        if let Some(tags) = old.get(track.id.as_str()) {
            backends.store.save_tags(track, &tags.outcome, tags.source).await?;
        }
    }
    Ok(())
}

/// The newest dataset in the store.
pub async fn newest(backends: &Backends) -> anyhow::Result<(DatasetInfo, Dataset)> {
    match backends.store.latest_dataset().await? {
        Some(info) => {
            let dataset = open(backends, &info.id).await?;
            Ok((info, dataset))
        }
        None => {
            bail!("the store has no dataset yet: `spotifai dataset build` builds one from collected tracks")
        }
    }
}

/// A stored dataset.
pub async fn open(backends: &Backends, id: &str) -> anyhow::Result<Dataset> {
    let blob = backends.store.dataset_blob(id).await?.with_context(|| format!("the store has lost dataset {id}"))?;
    let split = backends.settings.dataset.split.clone();
    Ok(tokio::task::spawn_blocking(move || features::read(&blob, &split)).await??)
}

fn describe(info: &DatasetInfo) -> anyhow::Result<()> {
    print_line(&format!(
        "dataset {}: {} × {}",
        &info.id[..12],
        counted(info.rows, "row"),
        counted(info.features, "feature")
    ))?;
    let labels: Vec<_> =
        info.tags_after.iter().map(|(label, tracks)| vec![label.clone(), thousands(*tracks)]).collect();
    print_line(&table(&["label", "tracks"], &labels))?;
    if !info.dropped.is_empty() {
        let dropped: Vec<_> =
            info.dropped.iter().map(|(reason, tracks)| vec![reason.clone(), thousands(*tracks)]).collect();
        print_line(&table(&["dropped", "tracks"], &dropped))?;
    }
    Ok(())
}
