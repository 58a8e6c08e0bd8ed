//! `track.tags`: the tags of a track.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lastfm::{ApiOutcome, Client, Error, PageOutcome, Response};
use model::job::{Envelope, LASTFM_BUDGET, TrackMetadataJob, TrackTagsJob};
use model::tag::{Tag, TagSource, TagsOutcome};
use model::track::Track;
use runtime::{Context, Failure, Handler};
use store::{Tags, Tracks};

/// Looks up the tags of a track.
pub(crate) struct FetchTags {
    pub(crate) client: Arc<Client>,
    pub(crate) tracks: Arc<dyn Tracks>,
    pub(crate) tags: Arc<dyn Tags>,
    /// How long the budget is closed after a block, which going slower would not have prevented.
    pub(crate) long_pause: Duration,
}

#[async_trait]
impl Handler for FetchTags {
    type Body = TrackTagsJob;

    async fn run(&self, job: TrackTagsJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let ids = [job.track_id];
        if !self.tags.tags(&ids).await?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(track) = self.tracks.tracks(&ids).await?.pop() else {
            // The id was enqueued by hand, and only Spotify knows its title. The follow-up of that job is this one again.
            let [track_id] = ids;
            return Ok(vec![Envelope::new(&TrackMetadataJob { track_id })]);
        };
        let (outcome, source) = self.look_up(&track, context).await?;
        self.tags.save_tags(&track, &outcome, source).await?;
        Ok(Vec::new())
    }
}

impl FetchTags {
    /// Asks the API first, if there is a key, and the page for what that leaves empty. The artist is the first credited one, and
    /// the whole credit only if last.fm does not know that track.
    async fn look_up(&self, track: &Track, context: &Context) -> Result<(TagsOutcome, TagSource), Failure> {
        let credit: Vec<&str> = track.artists.iter().map(|artist| artist.name.as_str()).collect();
        let first = *credit.first().ok_or_else(|| Failure::dead(format!("track {} credits no artist", track.id)))?;
        if self.client.has_api_key() {
            if let Some(tags) = self.ask_api(first, &track.name, context).await? {
                return Ok((TagsOutcome::Tags(tags), TagSource::Api));
            }
            // If robots.txt forbids the page, the API's answer is final.
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

    /// The tags that the API has. `None` means little: it has none for unknown tracks either.
    async fn ask_api(&self, artist: &str, title: &str, context: &Context) -> Result<Option<Vec<Tag>>, Failure> {
        context.budgets.permit(LASTFM_BUDGET).await?;
        let answer = self.client.api(artist, title).await.map_err(failure)?;
        let tags = match answer.outcome {
            ApiOutcome::Tags(tags) => Some(tags),
            ApiOutcome::NoTags | ApiOutcome::UnknownTrack => None,
            ApiOutcome::Throttled => return Err(throttled(answer.retry_after)),
            ApiOutcome::Unavailable(cause) => {
                let reason = format!("last.fm's API is unavailable: {cause}");
                return Err(Failure::Retry { after: answer.retry_after, reason });
            }
            ApiOutcome::Refused(cause) => {
                let way_out = "set another SPOTIFAI_LASTFM_API_KEY, or none";
                return Err(Failure::decline(format!("last.fm's API refused the key: {cause}; {way_out}")));
            }
            ApiOutcome::Unrecognised => return Err(self.unrecognised(&answer).await),
        };
        context.budgets.record_success(LASTFM_BUDGET).await?;
        Ok(tags)
    }

    /// Whether robots.txt forbids the page.
    async fn is_forbidden(&self, artist: &str, title: &str, context: &Context) -> Result<bool, Failure> {
        self.read_robots(context).await?;
        self.client.is_forbidden(artist, title).await.map_err(failure)
    }

    /// Reads robots.txt, unless that was done already. It costs a request.
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
                let way_out = "wait, use another address, or set SPOTIFAI_LASTFM_API_KEY";
                let reason = format!("last.fm's firewall blocks this address: {way_out}");
                // Asking again soon makes it worse for everyone behind this address.
                return Err(Failure::Pause { budget: LASTFM_BUDGET.into(), after: Some(self.long_pause), reason });
            }
            PageOutcome::Unrecognised => return Err(self.unrecognised(&answer).await),
        };
        context.budgets.record_success(LASTFM_BUDGET).await?;
        Ok(outcome)
    }

    /// Keeps the answer for inspection.
    async fn unrecognised<O>(&self, response: &Response<O>) -> Failure {
        let Response { address, status, retry_after, body, .. } = response;
        match self.tags.save_unrecognised(address, *status, body).await {
            Ok(()) => {
                let reason =
                    format!("cannot interpret the answer of {address} (status {status}); it is kept in the store");
                Failure::Retry { after: *retry_after, reason }
            }
            Err(error) => error.into(),
        }
    }
}

fn throttled(retry_after: Option<Duration>) -> Failure {
    Failure::Pause {
        budget: LASTFM_BUDGET.into(),
        after: retry_after,
        reason: "last.fm answered: too many requests".into(),
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
