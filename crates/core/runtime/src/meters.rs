//! Metrics. Handles are made once for each kind and each budget, so that counting costs a job next to nothing; without a
//! listener that shows them it costs nothing.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Upper bounds of the buckets of [`JOB_SECONDS`] and [`WAIT_SECONDS`], in seconds.
pub const BUCKETS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
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
pub(crate) struct KindMeters {
    ended: [Counter; 6],
    pub(crate) running: Gauge,
    pub(crate) seconds: Histogram,
    pub(crate) redelivered: Counter,
}

impl KindMeters {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self {
            ended: Ending::ALL.map(|end| counter!("spotifai_jobs_total", "kind" => kind, "end" => end.as_str())),
            running: gauge!("spotifai_jobs_running", "kind" => kind),
            seconds: histogram!(JOB_SECONDS, "kind" => kind),
            redelivered: counter!("spotifai_jobs_redelivered_total", "kind" => kind),
        }
    }

    pub(crate) fn ended(&self, ending: Ending) {
        self.ended[ending as usize].increment(1);
    }
}

/// The metrics of one rate budget.
pub(crate) struct BudgetMeters {
    pub(crate) permits: Counter,
    pub(crate) wait_seconds: Histogram,
    pub(crate) closed: Counter,
    pub(crate) closed_seconds: Gauge,
}

impl BudgetMeters {
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

/// Outages of queue or store, as those notice them who take jobs, run them or open the two.
pub(crate) fn outages(seen_by: &'static str) -> Counter {
    counter!("spotifai_outages_total", "seen_by" => seen_by)
}

/// Says what the metrics are.
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("spotifai_jobs_total", "Deliveries by kind of job and by how they ended");
    describe_gauge!("spotifai_jobs_running", "Jobs under way");
    describe_histogram!(JOB_SECONDS, Unit::Seconds, "From a job's delivery to its acknowledgement");
    describe_counter!("spotifai_jobs_redelivered_total", "Jobs that came back from a lost worker");
    describe_counter!("spotifai_budget_permits_total", "Requests that a rate budget allowed");
    describe_histogram!(WAIT_SECONDS, Unit::Seconds, "Waits for a permit of a rate budget");
    describe_counter!("spotifai_budget_closed_total", "Throttled answers by which this process closed a rate budget");
    describe_gauge!("spotifai_budget_closed_seconds", Unit::Seconds, "Until a closed rate budget opens; 0 while open");
    describe_counter!(
        "spotifai_outages_total",
        "Times that the queue or the store went out of reach, by whom it was missed"
    );
}
