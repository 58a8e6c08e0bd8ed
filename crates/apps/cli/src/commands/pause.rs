//! `spotifai pause` and `spotifai resume`.

use host::Backends;
use model::Timestamp;
use model::fleet::Pause;
use serde::Serialize;

use crate::args::PauseArgs;
use crate::output::{self, age, print_json, print_line};
use crate::programs;

/// A paused kind. The field names are those of `--json`.
#[derive(Serialize)]
struct Paused {
    kind: String,
    since: Timestamp,
    was_paused: bool,
}

/// A resumed kind. The field names are those of `--json`.
#[derive(Serialize)]
struct Resumed {
    kind: String,
    was_paused: bool,
}

/// Pauses kinds, for the whole team.
pub async fn pause(args: &PauseArgs, backends: &Backends) -> anyhow::Result<()> {
    let earlier = backends.store.pauses().await?;
    let mut paused = Vec::new();
    for kind in kinds(args) {
        let previous = earlier.iter().find(|pause| pause.kind == kind);
        let pause = previous.cloned().unwrap_or(Pause { kind, since: Timestamp::now() });
        backends.store.pause_kind(&pause).await?;
        paused.push(Paused { kind: pause.kind, since: pause.since, was_paused: previous.is_some() });
    }
    if args.json {
        return print_json(&paused);
    }
    for Paused { kind, since, was_paused } in paused {
        print_line(&match was_paused {
            true => format!("{kind} was already paused {} ago", age(since)),
            false => format!("paused {kind}; `spotifai resume {kind}` resumes it"),
        })?;
    }
    Ok(())
}

/// Resumes kinds, for the whole team.
pub async fn resume(args: &PauseArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut resumed = Vec::new();
    for kind in kinds(args) {
        let was_paused = backends.store.resume_kind(&kind).await?;
        resumed.push(Resumed { kind, was_paused });
    }
    if args.json {
        return print_json(&resumed);
    }
    for Resumed { kind, was_paused } in resumed {
        print_line(&if was_paused { format!("resumed {kind}") } else { format!("{kind} was not paused") })?;
    }
    Ok(())
}

/// Warns about paused kinds that a command has to wait for.
pub async fn warn(backends: &Backends, kinds: &[&str]) -> anyhow::Result<()> {
    let pauses = backends.store.pauses().await?.into_iter();
    for Pause { kind, since } in pauses.filter(|pause| kinds.contains(&pause.kind.as_str())) {
        output::warn(&format!(
            "{kind} has been paused for {}; waiting until you run `spotifai resume {kind}`",
            age(since)
        ));
    }
    Ok(())
}

fn kinds(args: &PauseArgs) -> Vec<String> {
    if args.all { programs::kind_names().into_iter().map(str::to_owned).collect() } else { args.kinds.clone() }
}
