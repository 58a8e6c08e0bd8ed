//! The job `track.tags`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lastfm::{ApiOutcome, Client, Error, PageOutcome, Response};
use model::job::{Envelope, LASTFM_BUDGET, TrackMetadataJob, TrackTagsJob};
use model::tag::{Tag, TagSource, TagsOutcome};
use model::track::Track;
use runtime::{Context, Failure, Handler};

/// Looks up the tags of a track.
pub(crate) struct FetchTags {
    pub(crate) client: Arc<Client>,
    /// How long everyone stays away after a refusal that haste did not cause.
    pub(crate) long_pause: Duration,
}

#[async_trait]
impl Handler for FetchTags {
    type Body = TrackTagsJob;

    async fn run(&self, job: TrackTagsJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let ids = [job.track_id];
        if !context.store.tags(&ids).await?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(track) = context.store.tracks(&ids).await?.pop() else {
            // Whoever enqueued an id wants its tags, and only Spotify knows its title. That job names this one again.
            let [track_id] = ids;
            return Ok(vec![Envelope::new(&TrackMetadataJob { track_id })]);
        };
        let (outcome, source) = self.look_up(&track, context).await?;
        context.store.save_tags(&track, &outcome, source).await?;
        Ok(Vec::new())
    }
}

impl FetchTags {
    /// The API first, where there is a key; the page for what that leaves empty. The track is the first credited
    /// artist's; only where last.fm knows none such is the whole credit tried as the artist.
    async fn look_up(&self, track: &Track, context: &Context) -> Result<(TagsOutcome, TagSource), Failure> {
        let credit: Vec<&str> = track.artists.iter().map(|artist| artist.name.as_str()).collect();
        let first = *credit.first().ok_or_else(|| Failure::dead(format!("track {} credits no artist", track.id)))?;
        if self.client.has_api_key() {
            if let Some(tags) = self.ask_api(first, &track.name, context).await? {
                return Ok((TagsOutcome::Tags(tags), TagSource::Api));
            }
            // Where robots.txt forbids the page, the API's answer is the last one.
            if self.is_forbidden(first, &track.name, context).await? {
                return Ok((TagsOutcome::NoTags, TagSource::Api));
            }
        }
        let mut outcome = self.ask_page(first, &track.name, context).await?;
        if outcome == TagsOutcome::UnknownTrack && credit.len() > 1 {
            outcome = self.ask_page(&credit.join(", "), &track.name, context).await?;
        }
        Ok((outcome, TagSource::Page))
    }

    /// The tags that the API has. That it has none means little: it says so of unknown tracks too.
    async fn ask_api(&self, artist: &str, title: &str, context: &Context) -> Result<Option<Vec<Tag>>, Failure> {
        context.budgets.permit(LASTFM_BUDGET).await?;
        let answer = self.client.api(artist, title).await.map_err(failure)?;
        let tags = match answer.outcome {
            ApiOutcome::Tags(tags) => Some(tags),
            ApiOutcome::NoTags | ApiOutcome::UnknownTrack => None,
            ApiOutcome::Throttled => return Err(throttled(answer.retry_after)),
            ApiOutcome::Unavailable(cause) => {
                let reason = format!("last.fm's API is out of order: {cause}");
                return Err(Failure::Retry { after: answer.retry_after, reason });
            }
            ApiOutcome::Refused(cause) => {
                let way_out = "set another SPOTIFAI_LASTFM_API_KEY or none";
                return Err(Failure::decline(format!("last.fm's API refused the key: {cause}; {way_out}")));
            }
            ApiOutcome::Unrecognised => return Err(unrecognised(&answer, context).await),
        };
        context.budgets.answered(LASTFM_BUDGET).await?;
        Ok(tags)
    }

    /// Whether robots.txt keeps us from the page.
    async fn is_forbidden(&self, artist: &str, title: &str, context: &Context) -> Result<bool, Failure> {
        self.read_robots(context).await?;
        self.client.is_forbidden(artist, title).await.map_err(failure)
    }

    /// Reads robots.txt, where that was not done yet: a request of its own.
    async fn read_robots(&self, context: &Context) -> Result<(), Failure> {
        if !self.client.knows_robots() {
            context.budgets.permit(LASTFM_BUDGET).await?;
            self.client.read_robots().await.map_err(failure)?;
        }
        Ok(())
    }

    async fn ask_page(&self, artist: &str, title: &str, context: &Context) -> Result<TagsOutcome, Failure> {
        self.read_robots(context).await?;
        context.budgets.permit(LASTFM_BUDGET).await?;
        let answer = self.client.page(artist, title).await.map_err(failure)?;
        let outcome = match answer.outcome {
            PageOutcome::Tags(tags) => TagsOutcome::Tags(tags),
            PageOutcome::NoTags => TagsOutcome::NoTags,
            PageOutcome::UnknownTrack => TagsOutcome::UnknownTrack,
            PageOutcome::Throttled => return Err(throttled(answer.retry_after)),
            PageOutcome::Blocked => {
                let way_out = "wait, go by another address, or set SPOTIFAI_LASTFM_API_KEY";
                let reason = format!("last.fm's firewall blocks this address: {way_out}");
                // Asking again soon makes it worse, for everyone who asks by it.
                return Err(Failure::Pause { budget: LASTFM_BUDGET.into(), after: Some(self.long_pause), reason });
            }
            PageOutcome::Unrecognised => return Err(unrecognised(&answer, context).await),
        };
        context.budgets.answered(LASTFM_BUDGET).await?;
        Ok(outcome)
    }
}

fn throttled(retry_after: Option<Duration>) -> Failure {
    Failure::Pause {
        budget: LASTFM_BUDGET.into(),
        after: retry_after,
        reason: "last.fm says: too many requests".into(),
    }
}

/// Keeps what was answered for a look.
async fn unrecognised<O>(response: &Response<O>, context: &Context) -> Failure {
    let Response { address, status, retry_after, body, .. } = response;
    match context.store.save_unrecognised(address, *status, body).await {
        Ok(()) => {
            let reason =
                format!("what {address} answered (status {status}) is not understood; it is kept in the store");
            Failure::Retry { after: *retry_after, reason }
        }
        Err(error) => error.into(),
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Unreachable { .. } => Failure::unreachable(error),
        Error::Incomplete { .. } => Failure::retry(error),
        Error::RobotsUnreadable { retry_after, .. } => {
            Failure::Pause { budget: LASTFM_BUDGET.into(), after: retry_after, reason: error.to_string() }
        }
        Error::Setting { .. } => Failure::decline(error),
        Error::Disallowed { .. } => Failure::dead(error),
    }
}

#[cfg(test)]
mod tests;
