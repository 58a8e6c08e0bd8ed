#![doc = include_str!("../README.md")]

use async_trait::async_trait;
use host::{Backends, Pods, Registered, Registration, WorkerProgram};
use model::audio::TrackPitches;
use model::job::{Envelope, TrackAnalysisJob, TrackPitchesJob};
use runtime::{Context, Failure, Handler};

/// The program `pitch-worker`.
pub struct PitchWorker;

impl WorkerProgram for PitchWorker {
    const NAME: &'static str = "pitch-worker";
    const ABOUT: &'static str = "Resample the segments of audio analyses to pitch columns";
    const PODS: Pods = Pods { most: 4, jobs_each: 200, why: "" };
    type Shared = ();
    const HANDLERS: &'static [Registration<()>] = &[Registration::of::<Pitches>()];

    fn open(_home: &Backends) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The handler of `track.pitches`.
pub struct Pitches;

impl Registered<()> for Pitches {
    fn new((): &()) -> Self {
        Self
    }

    /// A job a core.
    fn slots() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

#[async_trait]
impl Handler for Pitches {
    type Body = TrackPitchesJob;

    async fn run(&self, job: TrackPitchesJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let (store, track_id) = (&context.store, job.track_id);
        if !store.pitches(std::slice::from_ref(&track_id)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(entry) = store.analysis(&track_id).await? else {
            // Never asked for: the job that fetches it names this one again, once there is something to compute.
            return Ok(vec![Envelope::new(&TrackAnalysisJob { track_id })]);
        };
        let Some(analysis) = entry.analysis else {
            return Ok(Vec::new());
        };
        // Some microseconds of arithmetic: not worth a thread of its own.
        let outcome = features::pitches(&analysis.segments).map_err(|error| {
            tracing::info!(track = %track_id, reason = error.as_str(), "no pitch columns: {error}");
            error.as_str().to_owned()
        });
        store.save_pitches(&TrackPitches { track_id, outcome }).await?;
        Ok(Vec::new())
    }
}
