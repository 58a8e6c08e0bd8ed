//! The span of a job, and the trace that its follow-up jobs inherit.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use model::job::Envelope;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::metrics::Ending;

static EXPORTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The trace of the job whose span is being created on this thread.
    static TRACE: Cell<TraceId> = const { Cell::new(TraceId::INVALID) };
}

/// Gives spans ids and attributes from now on. To be called by an exporter of spans, whose generator of ids takes those of
/// traces from [`new_trace`].
pub fn export_spans() {
    EXPORTED.store(true, Ordering::Relaxed);
}

/// The trace id for the span that is being created: that of its job; `None` if it belongs to no job.
pub fn new_trace() -> Option<TraceId> {
    Some(TRACE.get()).filter(|trace| *trace != TraceId::INVALID)
}

fn is_exported() -> bool {
    EXPORTED.load(Ordering::Relaxed)
}

/// Creates a span whose trace, if it starts one, has this id.
fn with_trace<T>(trace: TraceId, create: impl FnOnce() -> T) -> T {
    TRACE.set(trace);
    let created = create();
    TRACE.set(TraceId::INVALID);
    created
}

/// One attempt of a job in its trace.
///
/// The trace is that of the job which this one follows from. A first job starts a trace with its own id, so that all of its
/// attempts and all that follows from them are one trace, whether spans are exported or not.
pub(crate) struct JobSpan {
    pub(crate) span: Span,
    trace: TraceId,
    id: SpanId,
}

impl JobSpan {
    /// The span of an attempt that starts now.
    pub(crate) fn start(job: &Envelope) -> Self {
        let parent = job.trace.as_deref().and_then(parent);
        let trace = parent.as_ref().map_or_else(|| first_trace(&job.id), SpanContext::trace_id);
        let attempt = u64::from(job.attempt) + 1;
        let run = job.run.as_deref();
        let span = tracing::info_span!("job", kind = job.kind, key = job.key, attempt, run, %trace);
        let id = if is_exported() { register(&span, parent, trace, &job.kind) } else { random_id() };
        Self { span, trace, id }
    }

    /// The span of a message that is not a job.
    pub(crate) fn of_malformed(kind: &str) -> Self {
        let span = tracing::info_span!("message", kind);
        Self { span, trace: TraceId::INVALID, id: SpanId::INVALID }
    }

    /// Makes the follow-up jobs part of the trace and the run of this job, unless they belong to others.
    pub(crate) fn pass_on(&self, job: &Envelope, follow_ups: &mut [Envelope]) {
        for next in follow_ups {
            next.trace.get_or_insert_with(|| format!("00-{}-{}-01", self.trace, self.id));
            if next.run.is_none() {
                next.run.clone_from(&job.run);
            }
        }
    }

    /// Records how the attempt ended.
    pub(crate) fn record_end(&self, ending: Ending, reason: Option<&str>) {
        if is_exported() {
            self.span.set_attribute("end", ending.as_str());
            if let Some(reason) = reason {
                self.span.set_status(Status::error(reason.to_owned()));
            }
        }
    }
}

/// Registers the span with the exporter, as a child of the job that it follows from; returns its id there.
fn register(span: &Span, parent: Option<SpanContext>, trace: TraceId, kind: &str) -> SpanId {
    if let Some(parent) = parent {
        // It cannot be refused: the span is new, and if it is disabled there is nothing to set.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
    }
    let context = with_trace(trace, || span.context());
    let exported = context.span();
    exported.update_name(kind.to_owned());
    match exported.span_context().span_id() {
        SpanId::INVALID => random_id(),
        id => id,
    }
}

/// Parses a W3C `traceparent`; a malformed one counts as none.
fn parent(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (_version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE)).filter(SpanContext::is_valid)
}

/// The trace of a job that follows from none: its id, where that is a UUID.
fn first_trace(id: &str) -> TraceId {
    TraceId::from(uuid::Uuid::parse_str(id).unwrap_or_else(|_| uuid::Uuid::new_v4()).as_u128())
}

fn random_id() -> SpanId {
    SpanId::from(rand::random::<u64>().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_and_anything_else_is_none() {
        let good = parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(good.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((good.span_id().to_string().as_str(), good.is_sampled()), ("b7ad6b7169203331", true));
        for bad in ["", "00", "00-x-y-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "é-é-é-é"] {
            assert!(parent(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn all_attempts_of_a_first_job_are_one_trace() {
        assert_eq!(first_trace("0af76519-16cd-43dd-8448-eb211c80319c").to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_ne!(first_trace("job 7"), first_trace("job 7"));
    }
}
