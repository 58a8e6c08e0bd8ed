//! The log, and the export of spans.

use std::io::{self, IsTerminal, Write};

use model::settings::redacted;
use model::terminal::{escaped, escaped_json};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt};

use crate::otlp;
use crate::settings::trimmed;

/// The environment variable that sets the level: `debug`, `warn`, `worker=debug,info` ….
const LEVEL_VARIABLE: &str = "SPOTIFAI_LOG";

/// The level if none is set.
const DEFAULT_LEVEL: &str = "info";

/// Applies at every level: what lapin logs about a lost connection also comes as an error that says more, and its trace level
/// shows every frame, including the one with the password.
const WITHOUT_LAPIN: &str = "lapin=off";

/// The variable that sets the format: `human` or `json`.
const FORMAT_VARIABLE: &str = "SPOTIFAI_LOG_FORMAT";

/// The variable that names a collector of spans.
const COLLECTOR_VARIABLE: &str = "SPOTIFAI_OTLP_URL";

/// The log of this process. Call [`finish`](Self::finish) at the end, or the last spans are lost.
pub struct Logging {
    spans: Option<SdkTracerProvider>,
}

/// Starts logging to standard error, at level `info` unless `SPOTIFAI_LOG` says otherwise. To be called once in a process,
/// within a tokio runtime. A panic is logged as one line, unless `RUST_BACKTRACE` asks for more.
pub fn init_logging() -> Logging {
    let (level, format, collector) =
        (variable(LEVEL_VARIABLE), variable(FORMAT_VARIABLE), variable(COLLECTOR_VARIABLE));
    let filter = EnvFilter::try_new(if level.is_empty() { DEFAULT_LEVEL } else { &level });
    let refused = filter.as_ref().err().map(ToString::to_string);
    let spans = Some(&collector).filter(|url| !url.is_empty()).map(|url| otlp::start(url)).transpose();
    let exporting = spans.as_ref().ok().and_then(Option::as_ref);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(DEFAULT_LEVEL));
    let filter = filter.add_directive(WITHOUT_LAPIN.parse().expect("a directive"));
    let started = start(filter, format == "json", exporting);
    if let Some(why) = refused {
        let (level, why) = (redacted(&level), redacted(&why));
        tracing::warn!("{LEVEL_VARIABLE} is `{level}`, which is not a level ({why}); using `{DEFAULT_LEVEL}`");
    }
    if !["", "human", "json"].contains(&&*format) {
        tracing::warn!("{FORMAT_VARIABLE} is `{}`, expected human or json; using human", redacted(&format));
    }
    if started.is_ok() && std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked: {}", panic.payload_as_str().unwrap_or("without a message"));
        }));
    }
    let spans = spans.unwrap_or_else(|error| {
        tracing::warn!("{COLLECTOR_VARIABLE}: spans are not exported: {error:#}");
        None
    });
    Logging { spans }
}

impl Logging {
    /// Sends the spans that were not sent yet. This blocks, so within a runtime it belongs in `spawn_blocking`.
    pub fn finish(self) {
        if let Some(Err(error)) = self.spans.map(|spans| spans.shutdown()) {
            tracing::warn!("the last spans were not exported: {error}");
        }
    }
}

/// If nothing is exported, one filter serves all layers, which costs less than one filter each. A line that cannot be written is
/// lost: the library would report that on standard error, which is what cannot be written to, and panic.
fn start(filter: EnvFilter, json: bool, spans: Option<&SdkTracerProvider>) -> Result<(), TryInitError> {
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match json {
        true => Box::new(
            fmt::layer()
                .log_internal_errors(false)
                .json()
                .flatten_event(true)
                .with_writer(|| JsonWriter(io::stderr()))
                .with_target(false),
        ),
        false => Box::new(
            fmt::layer()
                .log_internal_errors(false)
                .fmt_fields(debug_fn(write_field).delimited(" "))
                .with_writer(io::stderr)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false),
        ),
    };
    let registry = tracing_subscriber::registry();
    match spans {
        None => registry.with(lines).with(filter).try_init(),
        Some(spans) => {
            let spans = tracing_opentelemetry::layer().with_tracer(otlp::tracer(spans)).with_filter(LevelFilter::INFO);
            registry.with(lines.with_filter(filter)).with(spans).try_init()
        }
    }
}

/// Writes a field of an event or span on one line and without terminal control sequences: names, reasons and answers come
/// from outside.
fn write_field(out: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug) -> std::fmt::Result {
    let value = format!("{value:?}");
    match field.name() {
        "message" => write!(out, "{}", escaped(&value)),
        // From a library that uses `log`: the line already contains it.
        name if name.starts_with("log.") => Ok(()),
        name => write!(out, "{name}={}", escaped(&value)),
    }
}

/// A writer of JSON lines, each event in one write.
struct JsonWriter<W>(W);

impl<W: Write> Write for JsonWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped_json(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn variable(name: &str) -> String {
    trimmed(&std::env::var(name).unwrap_or_default()).to_owned()
}
