//! The rate-limit gate: which rate budgets are closed, as far as this process knows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Budget;
use tokio::sync::watch;

/// The state of every budget that was ever closed. It lags behind the store by at most the control poller's interval.
pub(crate) struct BudgetGate {
    states: watch::Sender<BTreeMap<String, GateState>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct GateState {
    /// According to the store, where an operator may have opened it.
    closed_until: Timestamp,
    /// According to this process, until the store has recorded it: the store may be unreachable.
    closed_locally_until: Timestamp,
    throttled: u32,
    /// When this process last heard of a closing. What the store says in answer to an earlier question is out of date.
    updated_at: Option<Instant>,
}

impl GateState {
    fn closed_until(&self) -> Timestamp {
        self.closed_until.max(self.closed_locally_until)
    }
}

impl BudgetGate {
    pub(crate) fn new() -> Self {
        Self { states: watch::Sender::new(BTreeMap::new()) }
    }

    /// Takes over the state of a budget from the store, which was asked at this time.
    pub(crate) fn update(&self, name: &str, budget: &Budget, asked_at: Instant) {
        self.change(name, |state| {
            let is_outdated = state.updated_at.is_some_and(|updated_at| asked_at < updated_at);
            if budget.blocked_until > state.closed_until {
                state.updated_at = state.updated_at.max(Some(asked_at));
            }
            state.closed_until = match is_outdated {
                true => state.closed_until.max(budget.blocked_until),
                false => budget.blocked_until,
            };
            state.throttled = budget.throttled;
        });
    }

    /// Records that the store closed a budget and answered at this time. A question asked before may still be answered with
    /// the state before the closing, which is then out of date.
    pub(crate) fn closed_in_store(&self, name: &str, budget: &Budget, answered_at: Instant) {
        self.update(name, budget, answered_at);
        self.change(name, |state| {
            state.updated_at = state.updated_at.max(Some(answered_at));
            if state.closed_locally_until <= budget.blocked_until {
                state.closed_locally_until = Timestamp::default();
            }
        });
    }

    /// Records that the store leased no permit and named this time for the next.
    pub(crate) fn no_permits_before(&self, name: &str, opens_at: Timestamp) {
        self.change(name, |state| {
            state.closed_until = state.closed_until.max(opens_at);
            state.updated_at = Some(Instant::now());
        });
    }

    /// Closes a budget for this process, at least until this time.
    pub(crate) fn close_locally(&self, name: &str, until: Timestamp) {
        self.change(name, |state| state.closed_locally_until = state.closed_locally_until.max(until));
    }

    /// Ends a row of throttled answers.
    pub(crate) fn reset_throttled(&self, name: &str) {
        self.change(name, |state| state.throttled = 0);
    }

    /// Throttled answers in a row.
    pub(crate) fn throttled(&self, name: &str) -> u32 {
        self.states.borrow().get(name).map_or(0, |state| state.throttled)
    }

    /// How long until all of these budgets are open; `None` if they are.
    pub(crate) fn opens_in(&self, names: &[&str]) -> Option<Duration> {
        let now = Timestamp::now();
        let states = self.states.borrow();
        let waits =
            names.iter().filter_map(|name| states.get(*name)).map(|state| state.closed_until().duration_since(now));
        waits.max().filter(|wait| !wait.is_zero())
    }

    /// Waits until all of these budgets are open.
    pub(crate) async fn until_open(&self, names: &[&str]) {
        let mut changes = self.states.subscribe();
        while let Some(wait) = self.opens_in(names) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Waits until one of these budgets is closed.
    pub(crate) async fn until_closed(&self, names: &[&str]) {
        // Subscribe before looking, or a change in between would be missed.
        let mut changes = self.states.subscribe();
        while self.opens_in(names).is_none() {
            let _ = changes.changed().await;
        }
    }

    /// Changes a state in one step, because jobs and the control poller do so concurrently.
    fn change(&self, name: &str, change: impl FnOnce(&mut GateState)) {
        self.states.send_if_modified(|states| {
            let state = states.entry(name.to_owned()).or_default();
            let before = *state;
            change(state);
            *state != before
        });
    }
}
