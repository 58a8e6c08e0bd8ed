//! `spotifai pause` and `spotifai resume`.

use host::Backends;
use model::Timestamp;
use model::fleet::Pause;
use serde::Serialize;

use crate::args::PauseArgs;
use crate::output::{self, age, say, say_json};
use crate::programs;

/// A kind that is paused now. The names are those of `--json`.
#[derive(Serialize)]
struct Paused {
    kind: String,
    since: Timestamp,
    was_paused: bool,
}

/// A kind that is not paused any more. The names are those of `--json`.
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
        let before = earlier.iter().find(|pause| pause.kind == kind);
        let pause = before.cloned().unwrap_or(Pause { kind, since: Timestamp::now() });
        backends.store.pause_kind(&pause).await?;
        paused.push(Paused { kind: pause.kind, since: pause.since, was_paused: before.is_some() });
    }
    if args.json {
        return say_json(&paused);
    }
    for Paused { kind, since, was_paused } in paused {
        say(&match was_paused {
            true => format!("{kind} was paused already, for {}", age(since)),
            false => format!("paused {kind}; `spotifai resume {kind}` lets workers take its jobs again"),
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
        return say_json(&resumed);
    }
    for Resumed { kind, was_paused } in resumed {
        say(&if was_paused { format!("resumed {kind}") } else { format!("{kind} was not paused") })?;
    }
    Ok(())
}

/// Says on standard error which of these kinds a command that needs them has to wait for.
pub async fn warn(backends: &Backends, kinds: &[&str]) -> anyhow::Result<()> {
    let pauses = backends.store.pauses().await?.into_iter();
    for Pause { kind, since } in pauses.filter(|pause| kinds.contains(&pause.kind.as_str())) {
        output::warn(&format!("{kind} is paused for {}: this waits until `spotifai resume {kind}`", age(since)));
    }
    Ok(())
}

fn kinds(args: &PauseArgs) -> Vec<String> {
    if args.all { programs::names().into_iter().map(str::to_owned).collect() } else { args.kinds.clone() }
}
