//! Predictions for tracks, or for rows of the model's own dataset, by id.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use features::{MissingData, MissingReason, TrackColumns, TrackParts};
use host::Backends;
use model::job::{Envelope, TracksAudioJob};
use model::settings::Settings;
use model::tag::TagsOutcome;
use model::track::Track;
use runtime::{Shutdown, Until, WorkerError};
use store::Store;

use super::loaded_model::LoadedModel;
use super::prediction::{Prediction, RowContext};
use crate::backends::PrivateQueue;
use crate::commands::run::sign_in;
use crate::commands::worker;

/// Tracks in one job.
const AUDIO_BATCH_TRACKS: usize = 100;

/// Why a track has no prediction.
type Reason = String;

/// A prediction for each of `asked`, in the same order.
pub async fn predict(
    loaded: &LoadedModel,
    asked: &[String],
    store: Arc<dyn Store>,
    settings: Settings,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<Prediction>> {
    let ids: Vec<Result<String, Reason>> = asked.iter().map(|text| id_of(loaded, text)).collect();
    let elsewhere: Vec<String> = ids.iter().flatten().filter(|id| loaded.dataset.row(id).is_none()).cloned().collect();
    let found = features(loaded, &elsewhere, &store, settings, shutdown).await?;
    let valid: Vec<String> = ids.iter().flatten().cloned().collect();
    let names: HashMap<String, String> =
        store.tracks(&valid).await?.iter().map(|track| (track.id.clone(), name(track))).collect();
    let tagged = truths(loaded, &elsewhere, &*store).await?;
    let mut predictions = Vec::new();
    for (text, id) in asked.iter().zip(ids) {
        let known = id.as_deref().ok().and_then(|id| loaded.dataset.row(id));
        let row = match (&id, &known) {
            (Err(why), _) => Err(why.clone()),
            (Ok(_), Some(row)) => Ok(row.features),
            (Ok(id), None) => found[id].as_deref().map_err(Clone::clone),
        };
        predictions.push(match (row, id) {
            (Ok(features), Ok(id)) => {
                let context = RowContext {
                    name: names.get(&id).cloned(),
                    in_training: known
                        .as_ref()
                        .map_or_else(|| loaded.dataset.was_in_training(features), |row| Some(row.in_training)),
                    truth: known.map(|row| row.labels).or_else(|| tagged.get(&id).cloned()),
                    imputed: Vec::new(),
                };
                Prediction::new(loaded.model.assign(&id, features)?, &loaded.info.label_names, context)
            }
            (Err(why), _) | (_, Err(why)) => Prediction::failed(text.clone(), why),
        });
    }
    Ok(predictions)
}

/// The id that a text refers to: a row of the dataset, or else a track.
fn id_of(loaded: &LoadedModel, text: &str) -> Result<String, Reason> {
    if loaded.dataset.row(text.trim()).is_some() {
        return Ok(text.trim().to_owned());
    }
    match spotify::parse_track(text) {
        Ok(id) if loaded.dataset.row(&id).is_some() || track_columns(loaded).is_some() => Ok(id),
        Ok(_) => Err(
            "no such row in the model's table, and its columns do not come from Spotify: use `--data FILE` to predict \
             the rows of a table"
                .to_owned(),
        ),
        Err(bad) => Err(format!("no such row in the model's dataset, and not a track either: {bad}")),
    }
}

/// The model's features as columns of tracks; `None` if they are something else.
fn track_columns(loaded: &LoadedModel) -> Option<TrackColumns> {
    TrackColumns::from_names(loaded.info.feature_names.clone())
}

/// The features of tracks outside the dataset. Those missing from the store are fetched now.
async fn features(
    loaded: &LoadedModel,
    ids: &[String],
    store: &Arc<dyn Store>,
    settings: Settings,
    shutdown: &Shutdown,
) -> anyhow::Result<BTreeMap<String, Result<Vec<f64>, Reason>>> {
    let mut found = BTreeMap::new();
    let Some(columns) = track_columns(loaded) else { return Ok(found) };
    for id in ids {
        found.insert(id.clone(), features_of(&**store, id, &columns).await?);
    }
    let missing: Vec<String> = found.iter().filter(|(_, row)| row.is_err()).map(|(id, _)| id.clone()).collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let private = PrivateQueue::open(store.clone(), settings).await?;
    let failures = fetch(&private.backends, &missing, shutdown).await?;
    for id in missing {
        let row = features_of(&**store, &id, &columns).await?;
        let why = |lack: Reason| match failures.reason(&id) {
            Some(why) => format!("not in the store, and cannot be fetched: {why}"),
            None => lack,
        };
        let row = row.map_err(why);
        found.insert(id, row);
    }
    Ok(found)
}

/// Why tracks could not be fetched.
enum FetchFailures {
    /// None could.
    All(Reason),
    /// Those whose jobs died, by job key.
    DeadJobs(Vec<(String, Reason)>),
}

impl FetchFailures {
    /// Why this track could not be fetched; `None` if nothing went wrong.
    fn reason(&self, id: &str) -> Option<&str> {
        match self {
            Self::All(why) => Some(why),
            Self::DeadJobs(dead) => {
                dead.iter().find(|(key, _)| key.split(',').any(|track| track == id)).map(|(_, why)| &**why)
            }
        }
    }
}

/// Fetches the audio of tracks with the usual jobs.
async fn fetch(backends: &Backends, ids: &[String], shutdown: &Shutdown) -> anyhow::Result<FetchFailures> {
    if let Err(error) = sign_in(backends).await {
        return Ok(FetchFailures::All(format!("{error:#}")));
    }
    for batch in ids.chunks(AUDIO_BATCH_TRACKS) {
        backends.queue.publish(&[Envelope::new(&TracksAudioJob { track_ids: batch.to_vec() })]).await?;
    }
    let worker = worker::for_programs(backends, &["playlist", "pitch"])?;
    match worker.run(Until::Empty, shutdown.clone()).await {
        Err(WorkerError::Declined { reason, .. }) => return Ok(FetchFailures::All(reason)),
        result => result?,
    };
    let dead = backends.queue.dead_letters(None).await?.into_iter();
    Ok(FetchFailures::DeadJobs(dead.filter_map(|letter| Some((letter.key?, letter.reason))).collect()))
}

/// The model's feature columns of one track.
async fn features_of(store: &dyn Store, id: &str, columns: &TrackColumns) -> store::Result<Result<Vec<f64>, Reason>> {
    let ids = [id.to_owned()];
    let (features, pitches) = (store.features(&ids).await?, store.pitches(&ids).await?);
    let analysis = store.analysis(id).await?.and_then(|track| track.analysis);
    let confidences = analysis.and_then(|analysis| analysis.confidences);
    let parts = TrackParts { pitches: pitches.last(), features: features.last(), confidences: confidences.as_ref() };
    let mut row = Vec::new();
    Ok(match columns.append(parts, &mut row) {
        Ok(()) => Ok(row),
        Err(MissingData { reason: MissingReason::Pitches(reason), .. }) => Err(format!("no pitches: {reason}")),
        Err(MissingData { columns: missing, first, .. }) => Err(format!(
            "Spotify returned no value for {missing} of the {} features that the model needs, such as `{first}`",
            columns.names().len()
        )),
    })
}

/// The true labels of tracks outside the dataset that have tags, limited to the labels of the model.
async fn truths(
    loaded: &LoadedModel,
    ids: &[String],
    store: &dyn Store,
) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let Some(label_selection) = loaded.dataset.info.as_ref().and_then(|info| info.label_selection.as_ref()) else {
        return Ok(HashMap::new());
    };
    let mut truths = HashMap::new();
    for tags in store.tags(ids).await? {
        let genres: Vec<&String> =
            tags.canonical.iter().filter(|tag| !label_selection.excluded.contains(tag)).collect();
        if !matches!(tags.outcome, TagsOutcome::Tags(_)) || genres.is_empty() {
            continue;
        }
        let has = |label: &&String| genres.contains(label);
        let mut labels: Vec<String> = loaded.info.label_names.iter().filter(has).cloned().collect();
        if labels.is_empty() {
            labels.push(label_selection.misc.clone());
        }
        truths.insert(tags.track_id, labels);
    }
    Ok(truths)
}

fn name(track: &Track) -> String {
    match track.artists.first() {
        Some(artist) => format!("{} – {}", artist.name, track.name),
        None => track.name.clone(),
    }
}
