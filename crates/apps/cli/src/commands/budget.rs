//! `spotifai budget`: the rates that the team shares.

use host::Backends;
use model::Timestamp;
use model::fleet::Budget as Stored;
use serde::Serialize;
use serde_json::json;

use crate::args::BudgetCommand;
use crate::error::usage;
use crate::output::{length, say, say_json, table};

/// A rate budget. The names are those of `--json`.
#[derive(Serialize)]
struct Line {
    name: String,
    closed_until: Option<Timestamp>,
    reason: Option<String>,
    throttled: u32,
}

/// Lists budgets, or opens a closed one for the whole team.
pub async fn run(command: BudgetCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        BudgetCommand::List { json } => list(backends, json).await,
        BudgetCommand::Open { name, json } => open(backends, &name, json).await,
    }
}

async fn list(backends: &Backends, json: bool) -> anyhow::Result<()> {
    let lines = lines(backends).await?;
    if json {
        return say_json(&lines);
    }
    if lines.is_empty() {
        return say("no budget was used yet");
    }
    let row = |line: &Line| {
        let state = line.closed_until.map_or_else(|| "open".into(), |until| format!("closed for {}", left(until)));
        vec![line.name.clone(), state, line.throttled.to_string(), line.reason.clone().unwrap_or_else(|| "–".into())]
    };
    say(&table(&["budget", "state", "throttled", "why"], &lines.iter().map(row).collect::<Vec<_>>()))
}

async fn open(backends: &Backends, name: &str, json: bool) -> anyhow::Result<()> {
    let lines = lines(backends).await?;
    let unknown = || usage(format!("there is no budget `{name}`; `spotifai budget list` shows them"));
    let line = lines.into_iter().find(|line| line.name == name).ok_or_else(unknown)?;
    let was_closed = backends.store.unblock_budget(name).await?;
    if json {
        return say_json(&json!({ "name": name, "was_closed": was_closed }));
    }
    say(&match line.closed_until {
        Some(until) if was_closed => {
            let why = line.reason.map(|why| format!(": {why}")).unwrap_or_default();
            format!("opened {name}, which was closed for {} more{why}; a throttled answer closes it again", left(until))
        }
        _ => format!("{name} was open already"),
    })
}

async fn lines(backends: &Backends) -> anyhow::Result<Vec<Line>> {
    let now = Timestamp::now();
    let line = |budget: Stored| {
        let is_closed = budget.blocked_until > now;
        Line {
            closed_until: is_closed.then_some(budget.blocked_until),
            reason: budget.reason.filter(|_| is_closed),
            throttled: budget.throttled,
            name: budget.name,
        }
    };
    let budgets = backends.store.budgets().await?.into_iter();
    Ok(budgets.filter(|budget| budget.name != super::doctor::BUDGET).map(line).collect())
}

fn left(until: Timestamp) -> String {
    length(until.duration_since(Timestamp::now()))
}
