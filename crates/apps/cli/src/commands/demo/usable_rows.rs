//! Checks, before anything is collected, that a table has enough usable tracks.

use anyhow::bail;
use features::{DatasetError, StoredTracks};
use model::settings;
use model::tag::{LabelledTracks, TagSource, TaggedTrack, TagsOutcome};
use testkit::Catalogue;

use crate::commands::search::SearchSpec;
use crate::output::{counted, thousands};

/// Builds the dataset that the demo will build, and refuses a table that its search could not use.
///
/// # Errors
/// Too few tracks have a genre, all audio features and an artist, or none of their genres can become a label.
pub fn check(catalogue: &Catalogue) -> anyhow::Result<()> {
    let (settings, folds) = (settings::DatasetSettings::default(), SearchSpec::default().folds as usize);
    let expected = catalogue.expected();
    let ids = match expected.rows - expected.tracks {
        0 => String::new(),
        others => format!(" ({} without a Spotify track ID, or with a repeated one)", counted(others, "row")),
    };
    if expected.tracks == 0 {
        bail!("no row has both a Spotify URI (`spotify:track:ID`) and a title");
    }
    let built = features::build(sources(catalogue, &settings), &settings);
    let (rows, training, dropped) = match built {
        Ok(built) => {
            let info = built.info(&[]);
            (info.rows, info.training.map_or(info.rows, |training| training.rows), info.dropped)
        }
        Err(DatasetError::OneSided { rows, .. }) => (rows, 0, Default::default()),
        Err(DatasetError::NoRows { dropped }) => bail!(
            "none of its {}{ids} has an artist, all audio features and a genre that can become a label: {dropped}",
            counted(expected.tracks, "track")
        ),
        Err(error) => return Err(error.into()),
    };
    if training >= folds {
        return Ok(());
    }
    let reasons: Vec<String> =
        dropped.iter().map(|(reason, tracks)| format!("{reason} {}", thousands(*tracks))).collect();
    let dropped =
        if reasons.is_empty() { String::new() } else { format!("; the others were dropped: {}", reasons.join(", ")) };
    bail!(
        "only {} usable{ids}, {training} of them for training, but the demo's search needs at least {folds} for its \
         {folds} folds{dropped}: add tracks",
        if rows == 1 { "1 track is".to_owned() } else { format!("{} tracks are", thousands(rows)) }
    )
}

/// What a perfect collection would find. Tracks without an artist are skipped on the way.
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
