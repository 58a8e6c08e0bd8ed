//! A request to Spotify, paid from the team's budget, and what a failed one means for the job.

use std::time::Duration;

use spotify::Error;
use worker::{Context, Failure};

/// The budget that every request is paid from.
pub(crate) const BUDGET: &str = "spotify";

/// How long everyone waits for a person to sign in, or to put the settings right.
const PERSON: Duration = Duration::from_secs(60);

/// Makes one request when the budget permits it. The outer error ends the job; of the inner one the job may know better.
pub(crate) async fn paid<T>(
    context: &Context,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Failure> {
    context.budgets.permit(BUDGET).await?;
    let answer = request.await;
    if answer.is_ok() {
        context.budgets.answered(BUDGET).await?;
    }
    Ok(answer)
}

/// What an error that a job has no better answer to means for it.
pub(crate) fn failure(error: Error) -> Failure {
    let reason = error.to_string();
    let pause = |after| Failure::Pause { budget: BUDGET.to_owned(), after, reason: reason.clone() };
    match error {
        Error::RateLimited { after } | Error::Quota { after } => pause(after),
        // It would fail every other job as well, and none of them is at fault.
        Error::NotSignedIn { .. } | Error::Unauthorized { .. } | Error::Setup(_) => pause(Some(PERSON)),
        Error::Unavailable { after, .. } => Failure::Retry { after, reason },
        Error::BadAnswer { .. } => Failure::retry(reason),
        Error::BadId { .. } | Error::Forbidden { .. } | Error::NotFound { .. } | Error::Rejected { .. } => {
            Failure::dead(reason)
        }
    }
}
