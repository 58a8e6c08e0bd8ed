//! Requests to Spotify, paid from the team's budget, and what a failed one means for its job.

use model::job::SPOTIFY_BUDGET;
use runtime::{Context, Failure};
use spotify::Error;

/// How many jobs of each kind run at once: while one waits for Spotify, another writes.
pub(crate) const SLOTS: usize = 4;

/// Makes one request once the budget permits it. The outer error ends the job; the job itself may handle the inner one.
pub(crate) async fn paid<T>(
    context: &Context,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Failure> {
    context.budgets.permit(SPOTIFY_BUDGET).await?;
    let answer = request.await;
    if answer.is_ok() {
        context.budgets.record_success(SPOTIFY_BUDGET).await?;
    }
    Ok(answer)
}

/// The failure of a job that cannot handle this error itself.
pub(crate) fn failure(error: Error) -> Failure {
    let reason = error.to_string();
    let pause = |after| Failure::Pause { budget: SPOTIFY_BUDGET.to_owned(), after, reason: reason.clone() };
    match error {
        Error::RateLimited { after } | Error::Quota { after } => pause(after),
        // Every other job would fail here as well, but not in a process that is signed in.
        Error::NotSignedIn { .. } | Error::Unauthorized { .. } | Error::Setup(_) => Failure::decline(reason),
        Error::Unreachable { .. } => Failure::unreachable(reason),
        Error::Unavailable { after, .. } => Failure::Retry { after, reason },
        Error::BadAnswer { .. } => Failure::retry(reason),
        Error::BadId { .. } | Error::Forbidden { .. } | Error::NotFound { .. } | Error::Rejected { .. } => {
            Failure::dead(reason)
        }
    }
}
