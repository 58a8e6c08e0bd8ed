//! Metrics. Handles are created once for each kind and each budget, so that counting costs a job next to nothing; and nothing
//! at all without a listener that exports them.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Upper bounds of the buckets of [`JOB_SECONDS`] and [`WAIT_SECONDS`].
pub const BUCKET_SECONDS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Histogram of the time from a job's delivery to its acknowledgement, in seconds.
pub const JOB_SECONDS: &str = "spotifai_job_seconds";
/// Histogram of the waits for a permit of a rate budget, in seconds.
pub const WAIT_SECONDS: &str = "spotifai_budget_wait_seconds";

/// How a delivery ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Done,
    Retried,
    Dead,
    HandedBack,
    Cancelled,
    Stale,
}

impl Ending {
    const ALL: [Self; 6] = [Self::Done, Self::Retried, Self::Dead, Self::HandedBack, Self::Cancelled, Self::Stale];

    /// Its name in metrics and spans.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Dead => "dead",
            Self::HandedBack => "handed_back",
            Self::Cancelled => "cancelled",
            Self::Stale => "stale",
        }
    }
}

/// The metrics of one kind of job.
pub(crate) struct KindMetrics {
    ended: [Counter; 6],
    pub(crate) running: Gauge,
    pub(crate) seconds: Histogram,
    pub(crate) redelivered: Counter,
}

impl KindMetrics {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self {
            ended: Ending::ALL.map(|end| counter!("spotifai_jobs_total", "kind" => kind, "end" => end.as_str())),
            running: gauge!("spotifai_jobs_running", "kind" => kind),
            seconds: histogram!(JOB_SECONDS, "kind" => kind),
            redelivered: counter!("spotifai_jobs_redelivered_total", "kind" => kind),
        }
    }

    pub(crate) fn count(&self, ending: Ending) {
        self.ended[ending as usize].increment(1);
    }
}

/// The metrics of one rate budget.
pub(crate) struct BudgetMetrics {
    pub(crate) permits: Counter,
    pub(crate) wait_seconds: Histogram,
    pub(crate) closed: Counter,
    pub(crate) closed_seconds: Gauge,
}

impl BudgetMetrics {
    pub(crate) fn of(key: &str) -> Self {
        let label = || [("budget", key.to_owned())];
        Self {
            permits: counter!("spotifai_budget_permits_total", &label()),
            wait_seconds: histogram!(WAIT_SECONDS, &label()),
            closed: counter!("spotifai_budget_closed_total", &label()),
            closed_seconds: gauge!("spotifai_budget_closed_seconds", &label()),
        }
    }
}

/// Outages of queue or store, by the part of a worker that notices them.
pub(crate) fn outages(observer: &'static str) -> Counter {
    counter!("spotifai_outages_total", "seen_by" => observer)
}

/// Registers the descriptions of all metrics.
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("spotifai_jobs_total", "Deliveries, by kind of job and by how they ended");
    describe_gauge!("spotifai_jobs_running", "Running jobs");
    describe_histogram!(JOB_SECONDS, Unit::Seconds, "Time from a job's delivery to its acknowledgement");
    describe_counter!("spotifai_jobs_redelivered_total", "Jobs that were redelivered after their worker was lost");
    describe_counter!("spotifai_budget_permits_total", "Requests allowed by a rate budget");
    describe_histogram!(WAIT_SECONDS, Unit::Seconds, "Waits for a permit of a rate budget");
    describe_counter!("spotifai_budget_closed_total", "Throttled answers by which this process closed a rate budget");
    describe_gauge!(
        "spotifai_budget_closed_seconds",
        Unit::Seconds,
        "Time until the rate budget opens; 0 while it is open"
    );
    describe_counter!(
        "spotifai_outages_total",
        "Times the queue or the store became unreachable, by the part of a worker that noticed"
    );
}
