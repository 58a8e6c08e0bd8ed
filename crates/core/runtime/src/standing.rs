//! Where the taker of one kind stands, as readiness sees it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A taker looks after its subscription this often.
pub(crate) const CHECK: Duration = Duration::from_secs(1);

/// One that did not for so long is stuck.
const STUCK: Duration = Duration::from_secs(5);

/// Where a taker stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// On its way to a subscription.
    Subscribing,
    /// It holds a subscription and asks it for jobs, or all its slots are in use.
    Taking,
    /// It takes nothing on purpose: an operator paused the kind, or a rate budget is closed.
    Waiting,
    /// It failed, for this reason, and will try again.
    Failing(String),
    /// It takes nothing any more.
    Stopped,
}

/// The standing of one kind.
pub(crate) struct Standing {
    pub(crate) kind: &'static str,
    now: Mutex<(Stand, Instant)>,
}

impl Standing {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, now: Mutex::new((Stand::Subscribing, Instant::now())) }
    }

    /// It stands there now.
    pub(crate) fn set(&self, stand: Stand) {
        *self.lock() = (stand, Instant::now());
    }

    /// It is on its way to a subscription. While it tries again, the reason why it has to says more.
    pub(crate) fn begin(&self) {
        let mut now = self.lock();
        if !matches!(now.0, Stand::Failing(_)) {
            *now = (Stand::Subscribing, Instant::now());
        }
    }

    /// Why this kind is not ready; `None`: it is.
    pub(crate) fn trouble(&self) -> Option<String> {
        let (stand, checked) = self.lock().clone();
        match stand {
            Stand::Waiting => None,
            Stand::Taking if checked.elapsed() < STUCK => None,
            Stand::Taking => Some(format!("not looked after for {} s", checked.elapsed().as_secs())),
            Stand::Subscribing => Some("it has no subscription yet".to_owned()),
            Stand::Failing(why) => Some(why),
            Stand::Stopped => Some("it has stopped".to_owned()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Stand, Instant)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_who_takes_or_waits_on_purpose_is_ready() {
        let standing = Standing::new("test.apple");
        for (stand, is_ready) in [
            (Stand::Subscribing, false),
            (Stand::Taking, true),
            (Stand::Waiting, true),
            (Stand::Failing("out of reach".into()), false),
            (Stand::Stopped, false),
        ] {
            standing.set(stand.clone());
            assert_eq!(standing.trouble().is_none(), is_ready, "{stand:?}");
        }
    }

    #[test]
    fn one_who_does_not_look_after_its_subscription_is_stuck() {
        let standing = Standing::new("test.apple");
        let long_ago = Instant::now().checked_sub(STUCK * 2).expect("the machine is up for ten seconds");
        *standing.lock() = (Stand::Taking, long_ago);
        assert_eq!(standing.trouble().as_deref(), Some("not looked after for 10 s"));
        standing.set(Stand::Taking);
        assert_eq!(standing.trouble(), None);
    }
}
