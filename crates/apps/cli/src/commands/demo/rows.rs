//! The rows that a table's tracks will become, found out before any of them is collected.

use anyhow::bail;
use features::{DatasetError, StoredTracks};
use model::settings;
use model::tag::{LabelledTracks, TagSource, TaggedTrack, TagsOutcome};
use testkit::Catalogue;

use crate::commands::search::Plan;
use crate::output::thousands;

/// Builds the dataset that the demo will build, and refuses what its search could not be made on.
///
/// # Errors
/// Too few of the tracks have a genre, all audio features and an artist, or no genre of theirs can be a label.
pub fn check(catalogue: &Catalogue) -> anyhow::Result<()> {
    let (settings, folds) = (settings::DatasetSettings::default(), Plan::default().folds as usize);
    let expected = catalogue.expected();
    let ids = match expected.rows - expected.tracks {
        0 => String::new(),
        others => format!(" ({} rows have no Spotify track of their own)", thousands(others)),
    };
    if expected.tracks == 0 {
        bail!("no row has both a Spotify URI of the form `spotify:track:ID` and a title");
    }
    let built = features::build(sources(catalogue, &settings), &settings);
    let (rows, training, dropped) = match built {
        Ok(built) => {
            let info = built.info(&[]);
            (info.rows, info.training.map_or(info.rows, |training| training.rows), info.dropped)
        }
        Err(DatasetError::OneSided { rows, .. }) => (rows, 0, Default::default()),
        Err(DatasetError::NoRows { dropped }) => bail!(
            "none of its {} tracks{ids} has an artist, all audio features and a genre that can become a label: {dropped}",
            thousands(expected.tracks)
        ),
        Err(error) => return Err(error.into()),
    };
    if training >= folds {
        return Ok(());
    }
    let why: Vec<String> = dropped.iter().map(|(reason, tracks)| format!("{reason} {}", thousands(*tracks))).collect();
    let why = if why.is_empty() { String::new() } else { format!("; the others were left out: {}", why.join(", ")) };
    bail!(
        "{} of its tracks{ids} can be used, {training} of them for training, but the demo's search has {folds} folds and needs \
         as many{why}: add tracks",
        thousands(rows)
    )
}

/// What a perfect collector finds. One without an artist is skipped on the way.
fn sources(catalogue: &Catalogue, settings: &settings::DatasetSettings) -> StoredTracks {
    let mut tracks = catalogue.tracks();
    tracks.retain(|track| !track.artists.is_empty());
    let outcomes = catalogue.tags();
    let tags: Vec<TaggedTrack> = tracks
        .iter()
        .filter_map(|track| Some(TaggedTrack::new(track, outcomes.get(&track.id)?, TagSource::Page)))
        .collect();
    let with_tags = tags.iter().filter(|track| matches!(track.outcome, TagsOutcome::Tags(_)));
    let tagged: Vec<_> = with_tags.map(|track| (track.track_id.clone(), track.canonical.clone())).collect();
    StoredTracks {
        labelled: LabelledTracks::select(&tagged, &settings.label_selection),
        features: catalogue.features(),
        tracks,
        tags,
        ..StoredTracks::default()
    }
}
