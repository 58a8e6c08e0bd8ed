//! `tracks.audio`: the audio features of up to 100 tracks.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::job::{Envelope, TrackAnalysisJob, TracksAudio};
use spotify::{Client, Error};
use worker::{Context, Failure, Handler};

use crate::capability::{self, AUDIO_ANALYSIS, AUDIO_FEATURES};
use crate::ids::{distinct, without};
use crate::request::{BUDGET, failure, paid};

/// Fetches audio features, and names the analyses that are to be fetched.
pub(crate) struct AudioFeatures {
    client: Client,
    /// The batch form was refused and the single one was not: some apps may only ask for one track at a time.
    singly: AtomicBool,
}

#[async_trait]
impl Handler for AudioFeatures {
    type Body = TracksAudio;

    fn budgets(&self) -> &[&'static str] {
        &[BUDGET]
    }

    async fn run(&self, job: TracksAudio, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let ids = distinct(job.track_ids);
        let known = distinct(store.features(&ids).await?.into_iter().map(|features| features.track_id));
        let missing = without(&ids, &known);
        if !missing.is_empty() && !capability::was_refused(store, AUDIO_FEATURES).await? {
            self.fetch(&missing, context).await?;
        }
        if capability::was_refused(store, AUDIO_ANALYSIS).await? {
            return Ok(Vec::new());
        }
        let analysed = distinct(store.analysed(&ids).await?);
        let analyses = without(&ids, &analysed).into_iter();
        Ok(analyses.map(|track_id| Envelope::new(&TrackAnalysisJob { track_id })).collect())
    }
}

impl AudioFeatures {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, singly: AtomicBool::new(false) }
    }

    /// Fetches and stores them: in one request, or one by one where that is refused.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<(), Failure> {
        if !self.singly.load(Ordering::Relaxed) {
            match paid(context, self.client.audio_features(ids)).await? {
                Ok(features) => {
                    context.store.save_features(&features).await?;
                    return Ok(capability::allowed(&*context.store, AUDIO_FEATURES).await?);
                }
                Err(error) if error.is_refusal() => tracing::debug!("trying one track at a time: {error}"),
                Err(error) => return Err(failure(error)),
            }
        }
        self.fetch_singly(ids, context).await
    }

    /// Stores each one at once, so that a failure on the way costs no request that was made.
    async fn fetch_singly(&self, ids: &[String], context: &Context) -> Result<(), Failure> {
        let store = &*context.store;
        for id in ids {
            match paid(context, self.client.audio_features_of(id)).await? {
                Ok(features) => store.save_features(&[features]).await?,
                Err(error) if error.is_refusal() => {
                    let detail = match error {
                        Error::Forbidden { detail, .. } => detail,
                        other => other.to_string(),
                    };
                    return Ok(capability::refused(store, AUDIO_FEATURES, &detail).await?);
                }
                Err(error) => return Err(failure(error)),
            }
        }
        self.singly.store(true, Ordering::Relaxed);
        Ok(capability::allowed(store, AUDIO_FEATURES).await?)
    }
}
