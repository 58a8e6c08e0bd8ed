//! A request to Spotify, paid from the team's budget, and what a failed one means for the job.

use model::job::SPOTIFY_BUDGET;
use runtime::{Context, Failure};
use spotify::Error;

/// Makes one request when the budget permits it. The outer error ends the job; of the inner one the job may know better.
pub(crate) async fn paid<T>(
    context: &Context,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Failure> {
    context.budgets.permit(SPOTIFY_BUDGET).await?;
    let answer = request.await;
    if answer.is_ok() {
        context.budgets.answered(SPOTIFY_BUDGET).await?;
    }
    Ok(answer)
}

/// What an error that a job has no better answer to means for it.
pub(crate) fn failure(error: Error) -> Failure {
    let reason = error.to_string();
    let pause = |after| Failure::Pause { budget: SPOTIFY_BUDGET.to_owned(), after, reason: reason.clone() };
    match error {
        Error::RateLimited { after } | Error::Quota { after } => pause(after),
        // It would fail every other job here as well, and those of nobody who is signed in.
        Error::NotSignedIn { .. } | Error::Unauthorized { .. } | Error::Setup(_) => Failure::decline(reason),
        Error::Unreachable { .. } => Failure::unreachable(reason),
        Error::Unavailable { after, .. } => Failure::Retry { after, reason },
        Error::BadAnswer { .. } => Failure::retry(reason),
        Error::BadId { .. } | Error::Forbidden { .. } | Error::NotFound { .. } | Error::Rejected { .. } => {
            Failure::dead(reason)
        }
    }
}
