#![doc = include_str!("../README.md")]

use std::sync::Arc;

use async_trait::async_trait;
use host::{Backends, Registered, Registration, Scaling, WorkerProgram};
use model::audio::TrackPitches;
use model::job::{Envelope, TrackAnalysisJob, TrackPitchesJob};
use runtime::{Context, Failure, Handler};
use store::{Audio, Store};

/// The program `pitch-worker`.
pub struct PitchWorker;

impl WorkerProgram for PitchWorker {
    const NAME: &'static str = "pitch-worker";
    const DESCRIPTION: &'static str = "Resample the segments of audio analyses to pitch columns";
    const SCALING: Scaling = Scaling { max_pods: 4, jobs_per_pod: 200, limit_reason: "" };
    type Shared = ();
    const HANDLERS: &'static [Registration<()>] = &[Registration::of::<Pitches>()];

    fn shared(_backends: &Backends) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The handler of `track.pitches`.
pub struct Pitches {
    audio: Arc<dyn Audio>,
}

impl Registered<()> for Pitches {
    fn new((): &(), store: Arc<dyn Store>) -> Self {
        Self { audio: store }
    }

    /// One job for each core.
    fn slots() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

#[async_trait]
impl Handler for Pitches {
    type Body = TrackPitchesJob;

    async fn run(&self, job: TrackPitchesJob, _context: &Context) -> Result<Vec<Envelope>, Failure> {
        let track_id = job.track_id;
        if !self.audio.pitches(std::slice::from_ref(&track_id)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(entry) = self.audio.analysis(&track_id).await? else {
            // Never asked for. The follow-up of the job that fetches it is this one again, if there is something to compute.
            return Ok(vec![Envelope::new(&TrackAnalysisJob { track_id })]);
        };
        let Some(analysis) = entry.analysis else {
            return Ok(Vec::new());
        };
        // A few microseconds of arithmetic: not worth a thread of its own.
        let outcome = features::pitches(&analysis.segments).map_err(|error| {
            tracing::info!(track = %track_id, reason = error.as_str(), "no pitch columns: {error}");
            error.as_str().to_owned()
        });
        self.audio.save_pitches(&TrackPitches { track_id, outcome }).await?;
        Ok(Vec::new())
    }
}
