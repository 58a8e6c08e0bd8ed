//! Tracks, or rows of the model's own dataset, by their ids.

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

use super::answer::{Answer, Beside};
use super::chosen::Chosen;
use crate::backends::OwnQueue;
use crate::commands::run::sign_in;
use crate::commands::work;

/// Why a track has no features.
type Reason = String;

/// An answer for each of `asked`, in its order.
pub async fn answers(
    chosen: &Chosen,
    asked: &[String],
    store: Arc<dyn Store>,
    settings: Settings,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<Answer>> {
    let ids: Vec<Result<String, Reason>> = asked.iter().map(|text| id_of(chosen, text)).collect();
    let elsewhere: Vec<String> = ids.iter().flatten().filter(|id| chosen.known.row(id).is_none()).cloned().collect();
    let found = features(chosen, &elsewhere, &store, settings, shutdown).await?;
    let valid: Vec<String> = ids.iter().flatten().cloned().collect();
    let names: HashMap<String, String> =
        store.tracks(&valid).await?.iter().map(|track| (track.id.clone(), name(track))).collect();
    let tagged = truths(chosen, &elsewhere, &*store).await?;
    let mut answers = Vec::new();
    for (text, id) in asked.iter().zip(ids) {
        let known = id.as_deref().ok().and_then(|id| chosen.known.row(id));
        let row = match (&id, &known) {
            (Err(why), _) => Err(why.clone()),
            (Ok(_), Some(row)) => Ok(row.features),
            (Ok(id), None) => found[id].as_deref().map_err(Clone::clone),
        };
        answers.push(match (row, id) {
            (Ok(features), Ok(id)) => {
                let beside = Beside {
                    name: names.get(&id).cloned(),
                    in_training: known
                        .as_ref()
                        .map_or_else(|| chosen.known.was_in_training(features), |row| Some(row.in_training)),
                    truth: known.map(|row| row.labels).or_else(|| tagged.get(&id).cloned()),
                    imputed: Vec::new(),
                };
                Answer::new(chosen.model.assign(&id, features)?, &chosen.info.label_names, beside)
            }
            (Err(why), _) | (_, Err(why)) => Answer::failed(text.clone(), why),
        });
    }
    Ok(answers)
}

/// The id that a text names: a row of the dataset by any id, else a track.
fn id_of(chosen: &Chosen, text: &str) -> Result<String, Reason> {
    if chosen.known.row(text.trim()).is_some() {
        return Ok(text.trim().to_owned());
    }
    match spotify::parse_track(text) {
        Ok(id) if chosen.known.row(&id).is_some() || track_columns(chosen).is_some() => Ok(id),
        Ok(_) => Err(
            "the model's table has no such row, and its columns are none that Spotify has: `--data FILE` takes rows \
                      of a table"
                .to_owned(),
        ),
        Err(bad) => Err(format!("the model's dataset has no such row, and it is no track: {bad}")),
    }
}

/// The model's features as columns of tracks; none if they are others.
fn track_columns(chosen: &Chosen) -> Option<TrackColumns> {
    TrackColumns::from_names(chosen.info.feature_names.clone())
}

/// The features of tracks that are not in the dataset, those that the store lacks fetched now.
async fn features(
    chosen: &Chosen,
    ids: &[String],
    store: &Arc<dyn Store>,
    settings: Settings,
    shutdown: &Shutdown,
) -> anyhow::Result<BTreeMap<String, Result<Vec<f64>, Reason>>> {
    let mut found = BTreeMap::new();
    let Some(columns) = track_columns(chosen) else { return Ok(found) };
    for id in ids {
        found.insert(id.clone(), features_of(&**store, id, &columns).await?);
    }
    let missing: Vec<String> = found.iter().filter(|(_, of)| of.is_err()).map(|(id, _)| id.clone()).collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let own = OwnQueue::open(store.clone(), settings).await?;
    let refused = fetch(&own.backends, &missing, shutdown).await?;
    for id in missing {
        let now = features_of(&**store, &id, &columns).await?;
        let why = |lack: Reason| match refused.of(&id) {
            Some(why) => format!("it is not in the store, and cannot be fetched: {why}"),
            None => lack,
        };
        let now = now.map_err(why);
        found.insert(id, now);
    }
    Ok(found)
}

/// Why tracks could not be fetched.
enum Refused {
    /// All of them.
    All(Reason),
    /// Those of dead jobs, by what each job was about.
    Some(Vec<(String, Reason)>),
}

impl Refused {
    /// Why this track could not; `None`: it was asked for, and nothing went wrong.
    fn of(&self, id: &str) -> Option<&str> {
        match self {
            Self::All(why) => Some(why),
            Self::Some(dead) => dead.iter().find(|(key, _)| key.split(',').any(|of| of == id)).map(|(_, why)| &**why),
        }
    }
}

/// Fetches the audio of tracks by the same jobs as ever; says why where that cannot be.
async fn fetch(backends: &Backends, ids: &[String], shutdown: &Shutdown) -> anyhow::Result<Refused> {
    if let Err(error) = sign_in(backends).await {
        return Ok(Refused::All(format!("{error:#}")));
    }
    for batch in ids.chunks(100) {
        backends.queue.publish(&[Envelope::new(&TracksAudioJob { track_ids: batch.to_vec() })]).await?;
    }
    let worker = work::of_programs(backends, &["playlist", "pitch"])?;
    match worker.run(Until::Empty, shutdown.clone()).await {
        Err(WorkerError::Declined { reason, .. }) => return Ok(Refused::All(reason)),
        ended => ended?,
    };
    let dead = backends.queue.dead_letters(None).await?.into_iter();
    Ok(Refused::Some(dead.filter_map(|letter| Some((letter.key?, letter.reason))).collect()))
}

/// The model's feature columns of one track.
async fn features_of(store: &dyn Store, id: &str, columns: &TrackColumns) -> store::Result<Result<Vec<f64>, Reason>> {
    let one = [id.to_owned()];
    let (features, pitches) = (store.features(&one).await?, store.pitches(&one).await?);
    let analysis = store.analysis(id).await?.and_then(|track| track.analysis);
    let confidences = analysis.and_then(|analysis| analysis.confidences);
    let parts = TrackParts { pitches: pitches.last(), features: features.last(), confidences: confidences.as_ref() };
    let mut row = Vec::new();
    Ok(match columns.append(parts, &mut row) {
        Ok(()) => Ok(row),
        Err(MissingData { reason: MissingReason::Pitches(reason), .. }) => Err(format!("it has no pitches: {reason}")),
        Err(MissingData { columns: missing, first, .. }) => Err(format!(
            "it lacks {missing} of the {} features that the model takes, `{first}` first: Spotify gave none",
            columns.names().len()
        )),
    })
}

/// The labels of tracks that have tags and are in no dataset, as far as the model knows them.
async fn truths(chosen: &Chosen, ids: &[String], store: &dyn Store) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let Some(label_selection) = chosen.known.info.as_ref().and_then(|info| info.label_selection.as_ref()) else {
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
        let mut labels: Vec<String> = chosen.info.label_names.iter().filter(has).cloned().collect();
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
