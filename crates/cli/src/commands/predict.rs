//! `spotifai predict`.

use std::collections::HashMap;

use anyhow::{Context, bail};
use learn::SavedModel;
use model::audio::{CONFIDENCES, SCALARS, pitch_columns};
use model::job::{Envelope, TracksAudio};
use model::search::Assignment;
use model::track::Track;
use worker::{Home, Shutdown, Until};

use crate::args::{self, WorkerKind};
use crate::commands::run::sign_in;
use crate::commands::work;
use crate::error::{stopped, usage};
use crate::output::{say, say_json, table};

/// Assigns genres to tracks of the store; what is not there yet is fetched now.
pub async fn run(args: &args::Predict, home: &Home) -> anyhow::Result<()> {
    let ids: Result<Vec<_>, _> = args.tracks.iter().map(|track| spotify::parse_track(track)).collect();
    let ids = ids.map_err(usage)?;
    let Some(info) = home.store.latest_model().await? else {
        bail!("there is no model in the store yet: `spotifai search run` makes one");
    };
    let blob = home.store.model_blob(&info.search).await?.context("the store has lost the model")?;
    let model = SavedModel::load(&blob)?;
    let shutdown = Shutdown::on_signals()?;
    fetch(home, &ids, &info.feature_names, &shutdown).await?;
    if shutdown.is_stopping() {
        return Err(stopped(&shutdown, "what was fetched is kept, and the same command goes on"));
    }
    let mut assignments = Vec::new();
    for id in &ids {
        let row = features_of(home, id, &info.feature_names).await?;
        assignments.push(model.assign(id, &row)?);
    }
    if args.json { say_json(&assignments) } else { show(home, &ids, &assignments, &info.label_names).await }
}

/// Fetches the audio of tracks that lack it, by the same jobs as ever, on a queue of their own.
async fn fetch(home: &Home, ids: &[String], columns: &[String], shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for id in ids {
        if features_of(home, id, columns).await.is_err() {
            missing.push(id.clone());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    sign_in(home).await?;
    let folder = tempfile::tempdir()?;
    let queue = queue::open(&format!("sqlite:{}", folder.path().join("predict.db").display()), None).await?;
    let fetching = Home { queue, ..home.clone() };
    for batch in missing.chunks(100) {
        fetching.queue.publish(&[Envelope::new(&TracksAudio { track_ids: batch.to_vec() })]).await?;
    }
    let worker = work::of_kinds(&fetching, &[WorkerKind::Playlist, WorkerKind::Pitch])?;
    worker.run(Until::Empty, shutdown.clone()).await?;
    match fetching.queue.dead_letters(None).await?.first() {
        Some(letter) => bail!("the audio could not be fetched: {}", letter.reason),
        None => Ok(()),
    }
}

/// The model's feature columns of one track.
async fn features_of(home: &Home, id: &str, columns: &[String]) -> anyhow::Result<Vec<f64>> {
    let one = [id.to_owned()];
    let mut values: HashMap<String, f64> = HashMap::new();
    for features in home.store.features(&one).await? {
        let scalars = SCALARS.iter().zip(features.values.into_iter().flatten());
        values.extend(scalars.filter_map(|(name, value)| Some((name.to_string(), value?))));
    }
    if let Some(analysis) = home.store.analysis(id).await?.and_then(|track| track.analysis) {
        values.extend(CONFIDENCES.iter().map(ToString::to_string).zip(analysis.confidences.into_iter().flatten()));
    }
    for pitches in home.store.pitches(&one).await? {
        match pitches.outcome {
            Ok(row) => values.extend(pitch_columns().into_iter().zip(row)),
            Err(reason) => bail!("track {id} has no pitches: {reason}"),
        }
    }
    let value = |column: &String| values.get(column).copied().ok_or_else(|| column.clone());
    let row: Result<Vec<f64>, String> = columns.iter().map(value).collect();
    row.map_err(|column| {
        anyhow::anyhow!("track {id} lacks the feature `{column}` that the model needs: Spotify gave none")
    })
}

async fn show(home: &Home, ids: &[String], assignments: &[Assignment], labels: &[String]) -> anyhow::Result<()> {
    let tracks: HashMap<String, Track> = home.store.tracks(ids).await?.into_iter().map(|t| (t.id.clone(), t)).collect();
    let row = |assignment: &Assignment| {
        let name = match tracks.get(&assignment.track_id) {
            Some(track) => format!("{} – {}", track.artists.first().map_or("", |a| a.name.as_str()), track.name),
            None => assignment.track_id.clone(),
        };
        let mut ranked: Vec<(&String, f64)> = labels.iter().zip(assignment.probabilities.iter().copied()).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let likely: Vec<String> =
            ranked.iter().filter(|(_, p)| *p > 0.0).map(|(label, p)| format!("{label} {:.0}%", p * 100.0)).collect();
        vec![
            name,
            if assignment.assigned.is_empty() { "–".into() } else { assignment.assigned.join(", ") },
            likely.join(" · "),
        ]
    };
    say(&table(&["track", "genres", "probabilities"], &assignments.iter().map(row).collect::<Vec<_>>()))
}
