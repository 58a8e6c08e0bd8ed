//! Label selection for tags that are not in a store.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{LabelSelection, LabelledTrack, LabelledTracks};

impl LabelledTracks {
    /// Selects labels for tracks that have tags, as a store's view `labelled_tracks` does. `tagged` has each track once, with
    /// its canonical tags.
    pub fn select(tagged: &[(String, Vec<String>)], label_selection: &LabelSelection) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        tagged.iter().flat_map(|(_, tags)| tags).for_each(|tag| *counts.entry(tag).or_default() += 1);
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        // Stable, and the input is sorted by name.
        counts.sort_by_key(|(_, tracks)| Reverse(*tracks));
        let is_excluded = |tag: &str| label_selection.excluded.iter().any(|excluded| excluded == tag);
        let ranked = counts.iter().map(|(tag, _)| *tag).filter(|tag| !is_excluded(tag));
        let top: BTreeSet<&str> = ranked.take(label_selection.top).collect();
        let labelled = |(track_id, tags): &(String, Vec<String>)| {
            let kept: BTreeSet<&str> = tags.iter().map(String::as_str).filter(|tag| !is_excluded(tag)).collect();
            let mut labels: Vec<String> = kept.intersection(&top).map(|tag| tag.to_string()).collect();
            if labels.is_empty() {
                labels.push(label_selection.misc.clone());
            }
            (!kept.is_empty()).then(|| LabelledTrack { track_id: track_id.clone(), labels })
        };
        let mut tracks: Vec<LabelledTrack> = tagged.iter().filter_map(labelled).collect();
        tracks.sort_by(|a, b| a.track_id.cmp(&b.track_id));
        let with_genre = tagged.iter().filter(|(_, tags)| !tags.is_empty()).count();
        Self {
            only_excluded: with_genre - tracks.len(),
            no_genre: tagged.len() - with_genre,
            tag_counts: counts.into_iter().map(|(tag, tracks)| (tag.to_owned(), tracks)).collect(),
            tracks,
        }
    }
}
