//! `tracks.audio`: the audio features of up to 100 tracks.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::job::{Envelope, TrackAnalysisJob, TracksAudioJob};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};

use crate::capability::{self, AUDIO_ANALYSIS, AUDIO_FEATURES};
use crate::ids::{distinct, sound, without};
use crate::request::{failure, paid};

/// Fetches audio features, and names the analyses that are to be fetched.
pub(crate) struct AudioFeatures {
    client: Client,
    /// The batch form was refused and the single one was not: some apps may only ask for one track at a time.
    singly: AtomicBool,
}

#[async_trait]
impl Handler for AudioFeatures {
    type Body = TracksAudioJob;

    async fn run(&self, job: TracksAudioJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let (ids, odd) = sound(job.track_ids);
        let known = distinct(store.features(&ids).await?.into_iter().map(|features| features.track_id));
        let missing = without(&ids, &known);
        let mut apart = match missing.is_empty() || capability::was_refused(store, AUDIO_FEATURES).await? {
            true => Vec::new(),
            false => self.fetch(&missing, context).await?,
        };
        let settled = without(&ids, &distinct(apart.iter().flatten().cloned()));
        apart.extend((!odd.is_empty()).then_some(odd));
        let mut jobs: Vec<Envelope> =
            apart.into_iter().map(|track_ids| Envelope::new(&TracksAudioJob { track_ids })).collect();
        if !capability::was_refused(store, AUDIO_ANALYSIS).await? {
            let analysed = distinct(store.analysed(&settled).await?);
            let analyses = without(&settled, &analysed).into_iter();
            jobs.extend(analyses.map(|track_id| Envelope::new(&TrackAnalysisJob { track_id })));
        }
        Ok(jobs)
    }
}

impl AudioFeatures {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, singly: AtomicBool::new(false) }
    }

    /// Fetches and stores them: in one request, or one by one where that is refused. Returns the ids that want a job of their
    /// own: each that Spotify does not accept, and together those that its answer does not speak of.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let store = &*context.store;
        if self.singly.load(Ordering::Relaxed) {
            return self.fetch_singly(ids, context).await;
        }
        match paid(context, self.client.audio_features(ids)).await? {
            Ok(features) => {
                store.save_features(&features).await?;
                capability::allowed(store, AUDIO_FEATURES).await?;
                let answered = distinct(features.into_iter().map(|features| features.track_id));
                let unanswered = without(ids, &answered);
                match unanswered.len() {
                    0 => Ok(Vec::new()),
                    n if n == ids.len() => {
                        Err(Failure::retry("Spotify's answer speaks of none of the tracks asked for"))
                    }
                    _ => Ok(vec![unanswered]),
                }
            }
            Err(error) if error.is_refusal() => {
                tracing::debug!("trying one track at a time: {error}");
                let rejected = self.fetch_singly(ids, context).await?;
                self.singly.store(!capability::was_refused(store, AUDIO_FEATURES).await?, Ordering::Relaxed);
                Ok(rejected)
            }
            // Something is wrong with this batch, not with the app.
            Err(error @ Error::Rejected { .. }) => {
                tracing::warn!("trying the tracks of this batch one at a time: {error}");
                self.fetch_singly(ids, context).await
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// Stores each one at once, so that a failure on the way costs no request that was made.
    async fn fetch_singly(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let store = &*context.store;
        let (mut rejected, mut is_allowed) = (Vec::new(), false);
        for id in ids {
            match paid(context, self.client.audio_features_of(id)).await? {
                Ok(features) => {
                    store.save_features(&[features]).await?;
                    is_allowed = true;
                }
                Err(error) if error.is_refusal() => {
                    let detail = match error {
                        Error::Forbidden { detail, .. } => detail,
                        other => other.to_string(),
                    };
                    capability::refused(store, AUDIO_FEATURES, &detail).await?;
                    return Ok(rejected);
                }
                Err(error @ Error::Rejected { .. }) if ids.len() == 1 => return Err(failure(error)),
                Err(Error::Rejected { .. }) => rejected.push(vec![id.clone()]),
                Err(error) => return Err(failure(error)),
            }
        }
        if is_allowed {
            capability::allowed(store, AUDIO_FEATURES).await?;
        }
        Ok(rejected)
    }
}
