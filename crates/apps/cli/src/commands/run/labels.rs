//! `spotifai run --labels-only`: tracks with their tags and labels, and no audio.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use host::Backends;
use model::run::Run;
use model::tag::{LabelledTrack, TaggedTrack};
use model::track::Track;
use runtime::Shutdown;

use super::{collect, ending};
use crate::files::{save, turn_to_write};
use crate::output::thousands;
use crate::playlist_run::Goal;
use crate::summary::{self, collected};

/// The file of tracks with their labels.
pub const LABELS: &str = "labels.csv";

/// Collects a run's tracks and tags, and writes `labels.csv`; what was found, for people, or `None` when it was stopped.
pub async fn collect(
    backends: &Backends,
    run: &Run,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<String>> {
    if !collect::collect(backends, run, Goal::Labels, shutdown).await? {
        return Ok(None);
    }
    let table = Table::of_run(backends, run).await?;
    let file = out.join(LABELS);
    let _turn = turn_to_write(out).await?;
    save(&file, &table.csv()?)?;
    ending::save(backends, run, None).await?;
    let found = summary::collection(backends, Some(run)).await?;
    Ok(Some(format!(
        "{}found      {}\nwrote      {}: {} tracks with {}\n\nEach row is a track with its labels and no features. Joined by \
         track_id with a table that has some, it trains a model: spotifai search run --data JOINED.csv --ignore title,tags",
        collected(&found),
        summary::tags(&found),
        file.display(),
        thousands(table.rows.len()),
        table.counts(),
    )))
}

/// The labelled tracks of a run.
struct Table {
    /// By track id.
    rows: Vec<LabelledTrack>,
    labels: BTreeSet<String>,
    tracks: HashMap<String, Track>,
    tags: HashMap<String, TaggedTrack>,
}

impl Table {
    async fn of_run(backends: &Backends, run: &Run) -> anyhow::Result<Self> {
        let store = &backends.store;
        let pages = store.pages(Some(&run.id)).await?;
        let of_run: BTreeSet<String> = pages.into_iter().flat_map(|page| page.track_ids).collect();
        let ids: Vec<String> = of_run.iter().cloned().collect();
        let labelled = store.labelled_tracks(&backends.settings.dataset.label_selection).await?;
        let rows: Vec<_> = labelled.tracks.into_iter().filter(|track| of_run.contains(&track.track_id)).collect();
        Ok(Self {
            labels: rows.iter().flat_map(|track| track.labels.iter().cloned()).collect(),
            rows,
            tracks: store.tracks(&ids).await?.into_iter().map(|track| (track.id.clone(), track)).collect(),
            tags: store.tags(&ids).await?.into_iter().map(|tags| (tags.track_id.clone(), tags)).collect(),
        })
    }

    /// The columns of an exported dataset without its features, and the tags that the labels were cut from.
    fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let names = self.labels.iter().map(|label| format!("label:{label}"));
        csv.write_record(["track_id", "artist", "title", "tags"].map(str::to_owned).into_iter().chain(names))?;
        for row in &self.rows {
            let track = self.tracks.get(&row.track_id);
            let artist = track.and_then(|track| track.artists.first()).map_or("", |artist| artist.name.as_str());
            let tags = self.tags.get(&row.track_id).map(|tags| tags.canonical.join(",")).unwrap_or_default();
            let texts = [row.track_id.as_str(), artist, track.map_or("", |track| &track.name), &tags];
            let bits = self.labels.iter().map(|label| if row.labels.contains(label) { "1" } else { "0" });
            csv.write_record(texts.into_iter().chain(bits))?;
        }
        Ok(csv.into_inner()?)
    }

    /// "3 labels: pop 7, jazz 5, misc 1".
    fn counts(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in self.rows.iter().flat_map(|track| &track.labels) {
            *counts.entry(label).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, tracks)| std::cmp::Reverse(*tracks));
        let counts: Vec<_> = counts.iter().map(|(label, tracks)| format!("{label} {}", thousands(*tracks))).collect();
        format!("{} labels: {}", counts.len(), if counts.is_empty() { "none".to_owned() } else { counts.join(", ") })
    }
}
