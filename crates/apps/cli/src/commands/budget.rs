//! `spotifai budget`: the request rates that the team shares.

use host::Backends;
use model::Timestamp;
use model::fleet::Budget as Stored;
use serde::Serialize;
use serde_json::json;

use crate::args::BudgetCommand;
use crate::error::usage;
use crate::output::{format_duration, print_json, print_line, table};

/// A rate budget. The field names are those of `--json`.
#[derive(Serialize)]
struct BudgetStatus {
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
    let budgets = statuses(backends).await?;
    if json {
        return print_json(&budgets);
    }
    if budgets.is_empty() {
        return print_line("no rate budget has been used yet");
    }
    let row = |budget: &BudgetStatus| {
        let closed = |until| format!("closed for {}", time_left(until));
        vec![
            budget.name.clone(),
            budget.closed_until.map_or_else(|| "open".into(), closed),
            budget.throttled.to_string(),
            budget.reason.clone().unwrap_or_else(|| "–".into()),
        ]
    };
    print_line(&table(&["budget", "state", "throttled", "reason"], &budgets.iter().map(row).collect::<Vec<_>>()))
}

async fn open(backends: &Backends, name: &str, json: bool) -> anyhow::Result<()> {
    let budgets = statuses(backends).await?;
    let unknown = || usage(format!("no budget `{name}`; `spotifai budget list` lists them"));
    let budget = budgets.into_iter().find(|budget| budget.name == name).ok_or_else(unknown)?;
    let was_closed = backends.store.unblock_budget(name).await?;
    if json {
        return print_json(&json!({ "name": name, "was_closed": was_closed }));
    }
    print_line(&match budget.closed_until {
        Some(until) if was_closed => {
            let reason = budget.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let left = time_left(until);
            format!("opened {name}, {left} early{reason}; the next rate-limit response closes it again")
        }
        _ => format!("{name} was already open"),
    })
}

async fn statuses(backends: &Backends) -> anyhow::Result<Vec<BudgetStatus>> {
    let now = Timestamp::now();
    let status = |budget: Stored| {
        let is_closed = budget.blocked_until > now;
        BudgetStatus {
            closed_until: is_closed.then_some(budget.blocked_until),
            reason: budget.reason.filter(|_| is_closed),
            throttled: budget.throttled,
            name: budget.name,
        }
    };
    let budgets = backends.store.budgets().await?.into_iter();
    Ok(budgets.filter(|budget| budget.name != super::doctor::PROBE_BUDGET).map(status).collect())
}

fn time_left(until: Timestamp) -> String {
    format_duration(until.duration_since(Timestamp::now()))
}
