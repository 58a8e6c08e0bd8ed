//! Acknowledging what was delivered on one channel.
//!
//! Jobs that end while an acknowledgement is on its way are acknowledged together with the next: one frame, and one entry
//! in the broker's log, for all of an unbroken row of deliveries.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::protocol::constants::REPLY_SUCCESS;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::background::Background;

/// How soon a settler that was let go ends.
const LOOK: Duration = Duration::from_millis(250);

/// The deliveries of one channel that are not settled. Only one consumer takes from the channel, and every delivery is
/// noted before the next one is looked at: an acknowledgement of many must not cover one that nobody has seen.
pub(super) struct Settler {
    channel: Channel,
    deliveries: Mutex<VecDeque<(u64, State)>>,
    ended: Notify,
    is_held: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
    Return,
}

/// What goes to the broker next.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    Ack { tag: u64, multiple: bool },
    Nack { tag: u64 },
}

impl Settler {
    /// Settles in the background for as long as somebody else holds it.
    pub(super) fn start(channel: Channel, background: &Background) -> Arc<Self> {
        let settler = Arc::new(Self {
            channel,
            deliveries: Mutex::default(),
            ended: Notify::new(),
            is_held: AtomicBool::new(false),
        });
        background.spawn(settler.clone().run());
        settler
    }

    async fn run(self: Arc<Self>) {
        loop {
            // Looked at before the orders are taken: whoever let go had its say first.
            let is_last = Arc::strong_count(&self) == 1;
            let orders = if self.is_held.load(Ordering::Acquire) { Vec::new() } else { orders(&mut self.lock()) };
            for order in orders {
                if self.send(order).await.is_err() {
                    // The channel is gone, and with it every delivery: they come back.
                    return;
                }
            }
            if is_last {
                // Its answer says that the broker has read every acknowledgement: who waits for that may end the process.
                let _ = self.channel.close(REPLY_SUCCESS, "".into()).await;
                return;
            }
            self.wait().await;
        }
    }

    /// Whether the broker still counts the deliveries as ours.
    pub(super) fn is_live(&self) -> bool {
        self.channel.status().connected()
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// A delivery came.
    pub(super) fn note(&self, tag: u64) {
        self.lock().push_back((tag, State::Open));
    }

    /// A delivery is done with.
    pub(super) fn ack(&self, tag: u64) {
        self.end(tag, State::Done);
    }

    /// A delivery goes back to the broker, as lost.
    pub(super) fn nack(&self, tag: u64) {
        self.end(tag, State::Return);
    }

    fn end(&self, tag: u64, state: State) {
        let mut deliveries = self.lock();
        if let Ok(at) = deliveries.binary_search_by_key(&tag, |(tag, _)| *tag) {
            deliveries[at].1 = state;
        }
        drop(deliveries);
        self.ended.notify_one();
    }

    /// Sends nothing until [`Settler::go_on`]: an acknowledgement makes the broker send another delivery.
    pub(super) fn hold(&self) {
        self.is_held.store(true, Ordering::Release);
    }

    /// Sends what was held back.
    pub(super) fn go_on(&self) {
        self.is_held.store(false, Ordering::Release);
        self.ended.notify_one();
    }

    /// Waits for an end; not for ever, because it may have been let go.
    async fn wait(&self) {
        let _ = timeout(LOOK, self.ended.notified()).await;
    }

    async fn send(&self, order: Order) -> lapin::Result<()> {
        match order {
            Order::Ack { tag, multiple } => self.channel.basic_ack(tag, BasicAckOptions { multiple }).await,
            Order::Nack { tag } => {
                self.channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: true }).await
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, State)>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out what ended: an unbroken row of done ones at the front in one order, the others each in its own.
fn orders(deliveries: &mut VecDeque<(u64, State)>) -> Vec<Order> {
    let mut orders = Vec::new();
    let (mut row, mut last) = (0, 0);
    while let Some((tag, State::Done)) = deliveries.front().copied() {
        deliveries.pop_front();
        (row, last) = (row + 1, tag);
    }
    if row > 0 {
        orders.push(Order::Ack { tag: last, multiple: row > 1 });
    }
    deliveries.retain(|(tag, state)| {
        match state {
            State::Open => return true,
            State::Done => orders.push(Order::Ack { tag: *tag, multiple: false }),
            State::Return => orders.push(Order::Nack { tag: *tag }),
        }
        false
    });
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_for_many_covers_none_that_is_open() {
        use State::{Done, Open, Return};
        let mut deliveries = VecDeque::from([(1, Done), (2, Done), (3, Open), (4, Done), (5, Return), (6, Done)]);
        let ack = |tag, multiple| Order::Ack { tag, multiple };
        assert_eq!(orders(&mut deliveries), [ack(2, true), ack(4, false), Order::Nack { tag: 5 }, ack(6, false)]);
        assert_eq!(deliveries, [(3, Open)]);
        deliveries[0].1 = Done;
        assert_eq!(orders(&mut deliveries), [ack(3, false)]);
        assert_eq!(orders(&mut deliveries), []);
    }
}
