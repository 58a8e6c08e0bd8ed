//! What a deployment has to know of the workers.

use model::job::{
    ArtistsGenres, Body, PlaylistPageJob, SearchBlock, SearchRefit, TrackAnalysisJob, TrackMetadata, TrackPitchesJob,
    TrackTags, TracksAudio,
};

/// The workers, each with the kinds of job that it runs.
pub const WORKERS: &[(&str, &[&str])] = &[
    (
        "playlist-worker",
        &[PlaylistPageJob::KIND, TrackMetadata::KIND, TracksAudio::KIND, TrackAnalysisJob::KIND, ArtistsGenres::KIND],
    ),
    ("lastfm-worker", &[TrackTags::KIND]),
    ("pitch-worker", &[TrackPitchesJob::KIND]),
    ("grid-worker", &[SearchBlock::KIND, SearchRefit::KIND]),
];

/// Seconds beyond `worker.grace_seconds` that a stopping worker needs to hand back what is left.
pub const HAND_BACK_SECONDS: f64 = 3.0;
