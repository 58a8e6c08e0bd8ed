//! `spotifai doctor`: everything that the system needs, asked whether it is there.

mod check;
mod servers;
mod sources;

use std::sync::Arc;

use anyhow::bail;
use host::Flags;
use model::settings::Settings;
use serde_json::json;

use crate::args;
use crate::output::{say, say_json};
use check::{Check, State, within};

/// The budget that a write to the store is tried with; nobody else uses it.
pub const BUDGET: &str = "doctor";

/// Makes all checks side by side and prints them.
///
/// # Errors
/// When one of them failed.
pub async fn run(args: &args::DoctorArgs, flags: &Flags) -> anyhow::Result<()> {
    let checks = match host::load_settings(flags) {
        Ok(settings) => all(Arc::new(settings)).await,
        Err(error) => vec![Check::failed("settings", &error, "mend it: nothing else can be checked before")],
    };
    let failed = checks.iter().filter(|check| check.state == State::Failed).count();
    if args.json {
        say_json(&json!({ "ok": failed == 0, "checks": checks }))?;
    } else {
        let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        checks.iter().try_for_each(|check| say(&check.line(width)))?;
    }
    match failed {
        0 => Ok(()),
        1 => bail!("1 check failed"),
        failed => bail!("{failed} checks failed"),
    }
}

async fn all(settings: Arc<Settings>) -> Vec<Check> {
    let valid = vec![Check::ok("settings", "valid")];
    let (queue, management, store, workers, spotify, contact, robots, api) = tokio::join!(
        within("queue", servers::queue(settings.clone())),
        within("queue-management", servers::management(settings.clone())),
        within("store", servers::store(settings.clone())),
        within("workers", servers::workers(settings.clone())),
        within("spotify", sources::spotify(settings.clone())),
        within("contact", sources::contact(settings.clone())),
        within("lastfm-pages", sources::lastfm_pages(settings.clone())),
        within("lastfm-api", sources::lastfm_api(settings.clone())),
    );
    [valid, queue, management, store, workers, spotify, contact, robots, api].concat()
}
