//! One check and what came of it.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use crate::output::{Look, style};

/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What came of a check. The names are those of `--json`.
#[derive(Clone, Serialize)]
pub struct Check {
    /// What was checked; stays the same over versions.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// What to do, unless all is well.
    pub advice: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Something does not work that one can do without.
    Warning,
    /// Something does not work.
    Failed,
}

impl Check {
    /// All is well.
    pub fn ok(name: &'static str, detail: impl Display) -> Self {
        Self { name, state: State::Ok, detail: one_line(detail), advice: None }
    }

    /// One can do without.
    pub fn warning(name: &'static str, detail: impl Display, advice: impl Display) -> Self {
        Self { name, state: State::Warning, detail: one_line(detail), advice: Some(one_line(advice)) }
    }

    /// It does not work.
    pub fn failed(name: &'static str, detail: impl Display, advice: impl Display) -> Self {
        Self { state: State::Failed, ..Self::warning(name, detail, advice) }
    }

    /// It does not work, and the error says itself what to do.
    pub fn failed_with(name: &'static str, error: impl Display) -> Self {
        Self { name, state: State::Failed, detail: one_line(error), advice: None }
    }

    /// For people; `width` is that of the longest name.
    pub fn line(&self, width: usize) -> String {
        let (word, look) = match self.state {
            State::Ok => ("ok", Look::Green),
            State::Warning => ("warning", Look::Yellow),
            State::Failed => ("failed", Look::Red),
        };
        // Padded before it is coloured: colours have no width.
        let state = style(format!("{word:<7}"), look);
        let advice = self.advice.as_ref().map(|advice| format!(" → {advice}")).unwrap_or_default();
        format!("{state}  {:<width$}  {}{advice}", self.name, self.detail)
    }
}

/// The results of a check that ends in time.
pub async fn within(name: &'static str, checking: impl Future<Output = Vec<Check>> + Send + 'static) -> Vec<Check> {
    // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
    match tokio::time::timeout(PATIENCE, tokio::spawn(checking)).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(error)) => vec![Check::failed_with(name, error)],
        Err(_) => {
            let detail = format!("no answer within {} s", PATIENCE.as_secs());
            vec![Check::failed(name, detail, "see whether it is overloaded, or the network on the way to it is")]
        }
    }
}

fn one_line(text: impl Display) -> String {
    text.to_string().replace('\n', " ")
}
