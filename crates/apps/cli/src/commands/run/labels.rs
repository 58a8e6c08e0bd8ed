//! `spotifai run --labels-only`: tracks with tags and labels, without audio.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use host::Backends;
use model::run::Run;
use model::tag::{LabelledTrack, TaggedTrack};
use model::track::Track;
use runtime::Shutdown;

use super::{collect, ending};
use crate::files::{lock_folder, save};
use crate::output::{counted, thousands};
use crate::playlist_run::RunGoal;
use crate::summary::{self, collected};

/// The file name of the labelled tracks.
pub const LABELS_FILE: &str = "labels.csv";

/// Collects the tracks and tags of a run and writes `labels.csv`. Returns a summary for people; `None` if interrupted.
pub async fn collect(
    backends: &Backends,
    run: &Run,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<String>> {
    if !collect::collect(backends, run, RunGoal::Labels, shutdown).await? {
        return Ok(None);
    }
    let table = LabelTable::of_run(backends, run).await?;
    let file = out.join(LABELS_FILE);
    let _lock = lock_folder(out).await?;
    save(&file, &table.csv()?)?;
    ending::record(backends, run, None).await?;
    let found = summary::collection(backends, Some(run)).await?;
    Ok(Some(format!(
        "{}found      {}\nwrote      {}: {} with {}\n\nEach row is a track with its labels but without features. To train a \
         model, join it by track_id with a table of features: spotifai search run --data JOINED.csv --ignore title,tags",
        collected(&found),
        summary::tags(&found),
        file.display(),
        counted(table.rows.len(), "track"),
        table.label_counts(),
    )))
}

/// The labelled tracks of a run.
struct LabelTable {
    /// Sorted by track id.
    rows: Vec<LabelledTrack>,
    labels: BTreeSet<String>,
    tracks: HashMap<String, Track>,
    tags: HashMap<String, TaggedTrack>,
}

impl LabelTable {
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

    /// The columns of an exported dataset except the features, and the tags that the labels were selected from.
    fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let names = self.labels.iter().map(|label| format!("label:{label}"));
        csv.write_record(["track_id", "artist", "title", "tags"].map(str::to_owned).into_iter().chain(names))?;
        for row in &self.rows {
            let track = self.tracks.get(&row.track_id);
            let artist = track.and_then(|track| track.artists.first()).map_or("", |artist| artist.name.as_str());
            let tags = self.tags.get(&row.track_id).map(|tags| tags.canonical.join(",")).unwrap_or_default();
            let texts = [row.track_id.as_str(), artist, track.map_or("", |track| &track.name), &tags];
            let indicators = self.labels.iter().map(|label| if row.labels.contains(label) { "1" } else { "0" });
            csv.write_record(texts.into_iter().chain(indicators))?;
        }
        Ok(csv.into_inner()?)
    }

    /// "3 labels: pop 7, jazz 5, misc 1".
    fn label_counts(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in self.rows.iter().flat_map(|track| &track.labels) {
            *counts.entry(label).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, tracks)| std::cmp::Reverse(*tracks));
        let counts: Vec<_> = counts.iter().map(|(label, tracks)| format!("{label} {}", thousands(*tracks))).collect();
        match counts.len() {
            0 => "no labels".to_owned(),
            labels => format!("{}: {}", counted(labels, "label"), counts.join(", ")),
        }
    }
}
