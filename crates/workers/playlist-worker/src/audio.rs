//! `tracks.audio`: the audio features of up to 100 tracks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use host::Registered;
use model::job::{Envelope, TrackAnalysisJob, TracksAudioJob};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};
use store::{Audio, Store};

use crate::capability::{AUDIO_ANALYSIS, AUDIO_FEATURES, ApiAccess};
use crate::ids::{distinct, split_malformed, without};
use crate::request::{SLOTS, failure, paid};

/// Fetches audio features; its follow-up jobs fetch the missing analyses.
pub(crate) struct AudioFeatures {
    client: Client,
    audio: Arc<dyn Audio>,
    access: ApiAccess,
    /// Batches were refused, but single requests were not: some apps may only ask for one track at a time.
    one_by_one: AtomicBool,
}

impl Registered<Client> for AudioFeatures {
    fn new(client: &Client, store: Arc<dyn Store>) -> Self {
        Self {
            client: client.clone(),
            audio: store.clone(),
            access: ApiAccess::new(store),
            one_by_one: AtomicBool::new(false),
        }
    }

    fn slots() -> usize {
        SLOTS
    }
}

#[async_trait]
impl Handler for AudioFeatures {
    type Body = TracksAudioJob;

    async fn run(&self, job: TracksAudioJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let (ids, malformed) = split_malformed(job.track_ids);
        let known = distinct(self.audio.features(&ids).await?.into_iter().map(|features| features.track_id));
        let missing = without(&ids, &known);
        let mut separate = match missing.is_empty() || self.access.is_refused(AUDIO_FEATURES).await? {
            true => Vec::new(),
            false => self.fetch(&missing, context).await?,
        };
        let resolved = without(&ids, &distinct(separate.iter().flatten().cloned()));
        separate.extend((!malformed.is_empty()).then_some(malformed));
        let mut jobs: Vec<Envelope> =
            separate.into_iter().map(|track_ids| Envelope::new(&TracksAudioJob { track_ids })).collect();
        if !self.access.is_refused(AUDIO_ANALYSIS).await? {
            let analysed = distinct(self.audio.analysed(&resolved).await?);
            let analyses = without(&resolved, &analysed).into_iter();
            jobs.extend(analyses.map(|track_id| Envelope::new(&TrackAnalysisJob { track_id })));
        }
        Ok(jobs)
    }
}

impl AudioFeatures {
    /// Fetches and stores them: in one request, or one by one if that is refused. Returns the ids
    /// that need jobs of their own: each one that Spotify rejects, and together those that its answer does not mention.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        if self.one_by_one.load(Ordering::Relaxed) {
            return self.fetch_one_by_one(ids, context).await;
        }
        match paid(context, self.client.audio_features(ids)).await? {
            Ok(features) => {
                self.audio.save_features(&features).await?;
                self.access.record_grant(AUDIO_FEATURES).await?;
                let answered = distinct(features.into_iter().map(|features| features.track_id));
                let unanswered = without(ids, &answered);
                match unanswered.len() {
                    0 => Ok(Vec::new()),
                    n if n == ids.len() => {
                        Err(Failure::retry("Spotify's answer contains none of the tracks asked for"))
                    }
                    _ => Ok(vec![unanswered]),
                }
            }
            Err(error) if error.is_refusal() => {
                tracing::debug!("trying one track at a time: {error}");
                let rejected = self.fetch_one_by_one(ids, context).await?;
                self.one_by_one.store(!self.access.is_refused(AUDIO_FEATURES).await?, Ordering::Relaxed);
                Ok(rejected)
            }
            // The batch is at fault, not the app.
            Err(error @ Error::Rejected { .. }) => {
                tracing::warn!("trying the tracks of this batch one at a time: {error}");
                self.fetch_one_by_one(ids, context).await
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// Stores each one at once, so that a failure does not waste the requests before it.
    async fn fetch_one_by_one(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let (mut rejected, mut is_allowed) = (Vec::new(), false);
        for id in ids {
            match paid(context, self.client.audio_features_of(id)).await? {
                Ok(features) => {
                    self.audio.save_features(&[features]).await?;
                    is_allowed = true;
                }
                Err(error) if error.is_refusal() => {
                    let detail = match error {
                        Error::Forbidden { detail, .. } => detail,
                        other => other.to_string(),
                    };
                    self.access.record_refusal(AUDIO_FEATURES, &detail).await?;
                    return Ok(rejected);
                }
                Err(error @ Error::Rejected { .. }) if ids.len() == 1 => return Err(failure(error)),
                Err(Error::Rejected { .. }) => rejected.push(vec![id.clone()]),
                Err(error) => return Err(failure(error)),
            }
        }
        if is_allowed {
            self.access.record_grant(AUDIO_FEATURES).await?;
        }
        Ok(rejected)
    }
}
