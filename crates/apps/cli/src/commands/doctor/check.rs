//! A check and its result.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use crate::output::{Style, style};

/// The longest a check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(8);

/// The result of a check. The field names are those of `--json`.
#[derive(Clone, Serialize)]
pub struct Check {
    /// What was checked. Scripts rely on it: do not change it.
    pub name: &'static str,
    /// The verdict.
    pub state: CheckState,
    /// What was found.
    pub detail: String,
    /// What to do about a problem.
    pub advice: Option<String>,
}

/// The verdict of a check.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Works.
    Ok,
    /// Does not work, but is optional.
    Warning,
    /// Does not work.
    Failed,
}

impl Check {
    /// It works.
    pub fn ok(name: &'static str, detail: impl Display) -> Self {
        Self { name, state: CheckState::Ok, detail: one_line(detail), advice: None }
    }

    /// It does not work, but is optional.
    pub fn warning(name: &'static str, detail: impl Display, advice: impl Display) -> Self {
        Self { name, state: CheckState::Warning, detail: one_line(detail), advice: Some(one_line(advice)) }
    }

    /// It does not work.
    pub fn failed(name: &'static str, detail: impl Display, advice: impl Display) -> Self {
        Self { state: CheckState::Failed, ..Self::warning(name, detail, advice) }
    }

    /// It does not work, and the error itself says what to do.
    pub fn failed_with(name: &'static str, error: impl Display) -> Self {
        Self { name, state: CheckState::Failed, detail: one_line(error), advice: None }
    }

    /// The result for people. `width` is the length of the longest name.
    pub fn line(&self, width: usize) -> String {
        let (word, colour) = match self.state {
            CheckState::Ok => ("ok", Style::Green),
            CheckState::Warning => ("warning", Style::Yellow),
            CheckState::Failed => ("failed", Style::Red),
        };
        // Padded before styling, because style marks would count as characters.
        let state = style(format!("{word:<7}"), colour);
        let advice = self.advice.as_ref().map(|advice| format!(" → {advice}")).unwrap_or_default();
        format!("{state}  {:<width$}  {}{advice}", self.name, self.detail)
    }
}

/// Runs a check, which fails if it takes too long.
pub async fn with_timeout(
    name: &'static str,
    checking: impl Future<Output = Vec<Check>> + Send + 'static,
) -> Vec<Check> {
    // In a separate task: dropping a driver's call half-way can leave its connection unusable.
    match tokio::time::timeout(CHECK_TIMEOUT, tokio::spawn(checking)).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(error)) => vec![Check::failed_with(name, error)],
        Err(_) => {
            let detail = format!("no answer within {} s", CHECK_TIMEOUT.as_secs());
            vec![Check::failed(name, detail, "check whether it is overloaded, and the network path to it")]
        }
    }
}

fn one_line(text: impl Display) -> String {
    text.to_string().replace('\n', " ")
}
