//! `track.analysis`: the audio analysis of one track.

use std::sync::Arc;

use async_trait::async_trait;
use host::Registered;
use model::analysis::TrackAnalysis;
use model::job::{Envelope, TrackAnalysisJob, TrackPitchesJob};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};
use store::{Audio, Store};

use crate::capability::{AUDIO_ANALYSIS, ApiAccess};
use crate::request::{SLOTS, failure, paid};

/// Fetches audio analyses.
pub(crate) struct AudioAnalysis {
    client: Client,
    audio: Arc<dyn Audio>,
    access: ApiAccess,
}

impl Registered<Client> for AudioAnalysis {
    fn new(client: &Client, store: Arc<dyn Store>) -> Self {
        Self { client: client.clone(), audio: store.clone(), access: ApiAccess::new(store) }
    }

    fn slots() -> usize {
        SLOTS
    }
}

#[async_trait]
impl Handler for AudioAnalysis {
    type Body = TrackAnalysisJob;

    async fn run(&self, job: TrackAnalysisJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let track = [job.track_id];
        let analysed = match self.audio.analysis(&track[0]).await? {
            Some(known) => Some(known),
            None => self.fetch(&track[0], context).await?,
        };
        let has_segments = analysed.is_some_and(|track| track.analysis.is_some());
        if !has_segments || !self.audio.pitches(&track).await?.is_empty() {
            return Ok(Vec::new());
        }
        let [track_id] = track;
        Ok(vec![Envelope::new(&TrackPitchesJob { track_id })])
    }
}

impl AudioAnalysis {
    /// Fetches and stores it; `None` if the app may not read it.
    async fn fetch(&self, id: &str, context: &Context) -> Result<Option<TrackAnalysis>, Failure> {
        if self.access.is_refused(AUDIO_ANALYSIS).await? {
            return Ok(None);
        }
        match paid(context, self.client.audio_analysis(id)).await? {
            Ok(analysis) => {
                self.audio.save_analysis(&analysis).await?;
                self.access.record_grant(AUDIO_ANALYSIS).await?;
                Ok(Some(analysis))
            }
            Err(Error::Forbidden { detail, .. }) => {
                self.access.record_refusal(AUDIO_ANALYSIS, &detail).await?;
                Ok(None)
            }
            Err(error) => Err(failure(error)),
        }
    }
}
