//! When the services misbehave, and how.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::Random;

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Web API and accounts service.
    Spotify,
    /// Pages and API.
    Lastfm,
}

/// All misbehaviour of a stage.
#[derive(Debug, Clone, Default)]
pub struct Oddities {
    /// Single odd answers.
    pub events: Vec<Event>,
    /// Share (0 to 1) of last.fm's music pages that come as the throttled page.
    pub throttled_share: f64,
    /// Seed of the choice of throttled pages; the n-th request is throttled or not by seed and n alone.
    pub seed: u64,
    /// What the app or the crawler may not do at all.
    pub forbidden: Vec<Capability>,
    /// Calls after which an access token has expired.
    pub token_uses: Option<u64>,
    /// Rows of a playlist that Spotify gives at most, where that is fewer than it is asked for.
    pub page_rows: Option<usize>,
    /// Rows that playlists say they have and that never come.
    pub rows_withheld: usize,
    /// Rows that playlists have and do not count.
    pub rows_untold: usize,
    /// Audio features of the tracks whose ids begin with a digit have no `key`, of those with `A` to `M` one that is `"NaN"`.
    pub odd_keys: bool,
}

/// An odd answer to some of the requests to one service whose path contains `path`.
#[derive(Debug, Clone)]
pub struct Event {
    /// The server.
    pub service: Service,
    /// Part of the path or query; `""` is part of all.
    pub path: &'static str,
    /// Which of these requests.
    pub when: When,
    /// What they get.
    pub answer: Answer,
}

/// Requests by their number, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The first so many.
    First(u64),
    /// This one.
    At(u64),
    /// Each whose number is a multiple of this.
    Every(u64),
}

/// Odd answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 429 with `Retry-After`.
    TooManyRequests {
        /// Value of the header.
        retry_after_seconds: u64,
    },
    /// 429 with the reason `QUOTA_EXCEEDED`: the account's quota, not this job's fault.
    QuotaExceeded {
        /// Value of the header.
        retry_after_seconds: u64,
    },
    /// 503, not as JSON.
    Unavailable,
    /// 401: the token that the request carries has expired. Only Spotify's.
    ExpiredToken,
    /// Status 200 and half of the body, then the connection is closed.
    CutShort,
    /// Status 200 and the first half of the body, as if that were all of it.
    Half,
    /// last.fm's throttled page: status **200**, title "Page not available".
    ThrottledPage,
    /// The firewall's page, 406.
    FirewallPage,
    /// A page of a shape that nobody has seen, status 200.
    UnrecognisedPage,
    /// An error of last.fm's API in its JSON, status 200: 29 rate limit, 16 try again, 8 generic …
    ApiError(u32),
}

/// Things that may be forbidden (403, or by robots.txt).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `audio-features`, for apps made after 2024-11-27.
    Features,
    /// `audio-analysis`, for the same.
    Analysis,
    /// Many objects in one request (`?ids=`), removed for fresh apps.
    Batches,
    /// Playlists of others, for fresh apps: no rows without a user's sign-in.
    OthersPlaylists,
    /// last.fm's music pages, by its robots.txt.
    Pages,
}

impl Oddities {
    /// Services that always answer as they should.
    pub fn none() -> Self {
        Self::default()
    }

    /// One of each that the demo shows: none costs it more than a second or two.
    pub fn demo() -> Self {
        use Answer::*;
        let spotify = |path, number, answer| Event { service: Service::Spotify, path, when: When::At(number), answer };
        let lastfm =
            |number, answer| Event { service: Service::Lastfm, path: "/+tags", when: When::At(number), answer };
        let events = vec![
            spotify("/items", 2, TooManyRequests { retry_after_seconds: 1 }),
            spotify("/audio-analysis/", 10, Unavailable),
            spotify("/audio-analysis/", 20, CutShort),
            spotify("/audio-analysis/", 30, ExpiredToken),
            lastfm(8, ThrottledPage),
            lastfm(20, UnrecognisedPage),
            lastfm(30, Unavailable),
        ];
        Self { events, forbidden: vec![Capability::Batches], ..Self::default() }
    }

    /// The same, and one event more.
    pub fn with(mut self, service: Service, path: &'static str, when: When, answer: Answer) -> Self {
        self.events.push(Event { service, path, when, answer });
        self
    }

    /// The same without a capability.
    pub fn without(mut self, capability: Capability) -> Self {
        self.forbidden.push(capability);
        self
    }
}

impl When {
    fn includes(self, number: u64) -> bool {
        match self {
            Self::First(count) => number <= count,
            Self::At(this) => number == this,
            Self::Every(step) => step > 0 && number.is_multiple_of(step),
        }
    }
}

/// The oddities with their counts so far.
#[derive(Debug)]
pub(crate) struct Schedule {
    oddities: Oddities,
    seen: Vec<AtomicU64>,
    pages: AtomicU64,
}

impl Schedule {
    pub(crate) fn new(oddities: Oddities) -> Self {
        let seen = oddities.events.iter().map(|_| AtomicU64::new(0)).collect();
        Self { oddities, seen, pages: AtomicU64::new(0) }
    }

    /// Counts a request; the odd answer that it gets. All events count it, the first that is due answers.
    pub(crate) fn next(&self, service: Service, path: &str) -> Option<Answer> {
        let mut due = None;
        for (event, seen) in self.oddities.events.iter().zip(&self.seen) {
            if event.service == service && path.contains(event.path) {
                let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
                due = due.or(event.when.includes(number).then_some(event.answer));
            }
        }
        due.or_else(|| self.throttled(service, path).then_some(Answer::ThrottledPage))
    }

    fn throttled(&self, service: Service, path: &str) -> bool {
        if service != Service::Lastfm || !path.starts_with("/music/") || self.oddities.throttled_share <= 0.0 {
            return false;
        }
        self.is_throttled(self.pages.fetch_add(1, Ordering::Relaxed))
    }

    fn is_throttled(&self, page: u64) -> bool {
        Random::new(self.oddities.seed ^ page, "throttled").chance(self.oddities.throttled_share)
    }

    /// How many of the pages so far were throttled.
    pub(crate) fn throttled_pages(&self) -> usize {
        (0..self.pages.load(Ordering::Relaxed)).filter(|page| self.is_throttled(*page)).count()
    }

    pub(crate) fn forbids(&self, capability: Capability) -> bool {
        self.oddities.forbidden.contains(&capability)
    }

    pub(crate) fn token_uses(&self) -> Option<u64> {
        self.oddities.token_uses
    }

    pub(crate) fn page_rows(&self) -> usize {
        self.oddities.page_rows.unwrap_or(usize::MAX)
    }

    pub(crate) fn odd_keys(&self) -> bool {
        self.oddities.odd_keys
    }

    /// How many rows a playlist says it has that has so many.
    pub(crate) fn rows_said(&self, rows: usize) -> usize {
        (rows + self.oddities.rows_withheld).saturating_sub(self.oddities.rows_untold)
    }
}
