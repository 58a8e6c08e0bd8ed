//! `track.analysis`: the audio analysis of one track.

use async_trait::async_trait;
use model::analysis::TrackAnalysis;
use model::job::{Envelope, TrackAnalysisJob, TrackPitchesJob};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};

use crate::capability::{self, AUDIO_ANALYSIS};
use crate::request::{failure, paid};

/// Fetches audio analyses.
pub(crate) struct AudioAnalysis {
    pub(crate) client: Client,
}

#[async_trait]
impl Handler for AudioAnalysis {
    type Body = TrackAnalysisJob;

    async fn run(&self, job: TrackAnalysisJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let track = [job.track_id];
        let analysed = match store.analysis(&track[0]).await? {
            Some(known) => Some(known),
            None => self.fetch(&track[0], context).await?,
        };
        let has_segments = analysed.is_some_and(|track| track.analysis.is_some());
        if !has_segments || !store.pitches(&track).await?.is_empty() {
            return Ok(Vec::new());
        }
        let [track_id] = track;
        Ok(vec![Envelope::new(&TrackPitchesJob { track_id })])
    }
}

impl AudioAnalysis {
    /// Fetches and stores it; `None` where the app may not have it.
    async fn fetch(&self, id: &str, context: &Context) -> Result<Option<TrackAnalysis>, Failure> {
        let store = &*context.store;
        if capability::was_refused(store, AUDIO_ANALYSIS).await? {
            return Ok(None);
        }
        match paid(context, self.client.audio_analysis(id)).await? {
            Ok(analysis) => {
                store.save_analysis(&analysis).await?;
                capability::allowed(store, AUDIO_ANALYSIS).await?;
                Ok(Some(analysis))
            }
            Err(Error::Forbidden { detail, .. }) => {
                capability::refused(store, AUDIO_ANALYSIS, &detail).await?;
                Ok(None)
            }
            Err(error) => Err(failure(error)),
        }
    }
}
