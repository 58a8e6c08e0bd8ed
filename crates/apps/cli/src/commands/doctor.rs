//! `spotifai doctor`: checks everything that the system needs.

mod check;
mod servers;
mod sources;

use std::sync::Arc;

use anyhow::bail;
use host::Flags;
use model::settings::Settings;
use serde_json::json;

use crate::args;
use crate::output::{counted, print_json, print_line};
use check::{Check, CheckState, with_timeout};

/// The rate budget used to test writing to the store; nothing else uses it.
pub const PROBE_BUDGET: &str = "doctor";

/// Runs all checks concurrently and prints the results.
///
/// # Errors
/// A check failed.
pub async fn run(args: &args::DoctorArgs, flags: &Flags) -> anyhow::Result<()> {
    let checks = match host::load_settings(flags) {
        Ok(settings) => run_checks(Arc::new(settings)).await,
        Err(error) => vec![Check::failed("settings", &error, "fix this first: the other checks depend on it")],
    };
    let failed = checks.iter().filter(|check| check.state == CheckState::Failed).count();
    if args.json {
        print_json(&json!({ "ok": failed == 0, "checks": checks }))?;
    } else {
        let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        checks.iter().try_for_each(|check| print_line(&check.line(width)))?;
    }
    if failed > 0 {
        bail!("{} failed", counted(failed, "check"));
    }
    Ok(())
}

async fn run_checks(settings: Arc<Settings>) -> Vec<Check> {
    let valid = vec![Check::ok("settings", "valid")];
    let (queue, management, store, workers, spotify, contact, robots, api) = tokio::join!(
        with_timeout("queue", servers::queue(settings.clone())),
        with_timeout("queue-management", servers::management(settings.clone())),
        with_timeout("store", servers::store(settings.clone())),
        with_timeout("workers", servers::workers(settings.clone())),
        with_timeout("spotify", sources::spotify(settings.clone())),
        with_timeout("contact", sources::contact(settings.clone())),
        with_timeout("lastfm-pages", sources::lastfm_pages(settings.clone())),
        with_timeout("lastfm-api", sources::lastfm_api(settings.clone())),
    );
    [valid, queue, management, store, workers, spotify, contact, robots, api].concat()
}
