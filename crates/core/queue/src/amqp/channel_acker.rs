//! Acknowledges the deliveries of one channel.
//!
//! Jobs that finish while an acknowledgement is on its way are acknowledged together with the next one: a consecutive run
//! of deliveries costs one frame, and one entry in the broker's log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::protocol::constants::REPLY_SUCCESS;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::background_tasks::BackgroundTasks;

/// How often the acker checks whether anybody else still uses it.
const UNUSED_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// The unacknowledged deliveries of one channel, in the order of their tags. The channel has a single consumer, and every
/// delivery is registered before the next one is read: an acknowledgement of many must not cover one that nobody has seen.
pub(super) struct ChannelAcker {
    channel: Channel,
    deliveries: Mutex<VecDeque<(u64, AckState)>>,
    finished: Notify,
    is_paused: AtomicBool,
}

/// What is to become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AckState {
    Pending,
    Ack,
    Requeue,
}

/// A frame to be sent to the broker.
#[derive(Debug, PartialEq, Eq)]
enum AckFrame {
    Ack { tag: u64, multiple: bool },
    Nack { tag: u64 },
}

impl ChannelAcker {
    /// Acknowledges in the background for as long as anybody else holds the returned handle.
    pub(super) fn start(channel: Channel, background_tasks: &BackgroundTasks) -> Arc<Self> {
        let acker = Arc::new(Self {
            channel,
            deliveries: Mutex::default(),
            finished: Notify::new(),
            is_paused: AtomicBool::new(false),
        });
        background_tasks.spawn(acker.clone().run());
        acker
    }

    async fn run(self: Arc<Self>) {
        loop {
            // Checked before the frames are taken: whatever the last holder finished is among them.
            let is_last = Arc::strong_count(&self) == 1;
            let is_paused = self.is_paused.load(Ordering::Acquire);
            let frames = if is_paused { Vec::new() } else { take_frames(&mut self.lock()) };
            for frame in frames {
                if self.send(frame).await.is_err() {
                    // The channel is gone, and with it every delivery: they will be delivered again.
                    return;
                }
            }
            if is_last {
                // The broker answers after it has read every acknowledgement: only then may the process end.
                let _ = self.channel.close(REPLY_SUCCESS, "".into()).await;
                return;
            }
            self.wait().await;
        }
    }

    /// Whether the deliveries are still ours: the broker takes them back with the channel.
    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Registers a delivery that has just arrived.
    pub(super) fn register(&self, tag: u64) {
        self.lock().push_back((tag, AckState::Pending));
    }

    /// Acknowledges a delivery, soon.
    pub(super) fn ack(&self, tag: u64) {
        self.finish(tag, AckState::Ack);
    }

    /// Returns a delivery to the broker, as if its worker were lost.
    pub(super) fn nack(&self, tag: u64) {
        self.finish(tag, AckState::Requeue);
    }

    fn finish(&self, tag: u64, state: AckState) {
        let mut deliveries = self.lock();
        if let Ok(at) = deliveries.binary_search_by_key(&tag, |(tag, _)| *tag) {
            deliveries[at].1 = state;
        }
        drop(deliveries);
        self.finished.notify_one();
    }

    /// Sends nothing until [`ChannelAcker::resume`]: an acknowledgement makes the broker send another delivery.
    pub(super) fn pause(&self) {
        self.is_paused.store(true, Ordering::Release);
    }

    /// Sends what [`ChannelAcker::pause`] held back.
    pub(super) fn resume(&self) {
        self.is_paused.store(false, Ordering::Release);
        self.finished.notify_one();
    }

    /// Waits until a delivery is finished, but not for ever: the other holders may be gone.
    async fn wait(&self) {
        let _ = timeout(UNUSED_CHECK_INTERVAL, self.finished.notified()).await;
    }

    async fn send(&self, frame: AckFrame) -> lapin::Result<()> {
        match frame {
            AckFrame::Ack { tag, multiple } => self.channel.basic_ack(tag, BasicAckOptions { multiple }).await,
            AckFrame::Nack { tag } => {
                self.channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: true }).await
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, AckState)>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the finished deliveries: those at the front that are to be acknowledged share one frame, the others get one each.
fn take_frames(deliveries: &mut VecDeque<(u64, AckState)>) -> Vec<AckFrame> {
    let mut frames = Vec::new();
    let (mut run_length, mut last_tag) = (0, 0);
    while let Some((tag, AckState::Ack)) = deliveries.front().copied() {
        deliveries.pop_front();
        (run_length, last_tag) = (run_length + 1, tag);
    }
    if run_length > 0 {
        frames.push(AckFrame::Ack { tag: last_tag, multiple: run_length > 1 });
    }
    deliveries.retain(|(tag, state)| {
        match state {
            AckState::Pending => return true,
            AckState::Ack => frames.push(AckFrame::Ack { tag: *tag, multiple: false }),
            AckState::Requeue => frames.push(AckFrame::Nack { tag: *tag }),
        }
        false
    });
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_for_many_covers_no_pending_delivery() {
        use AckState::{Ack, Pending, Requeue};
        let mut deliveries = VecDeque::from([(1, Ack), (2, Ack), (3, Pending), (4, Ack), (5, Requeue), (6, Ack)]);
        let ack = |tag, multiple| AckFrame::Ack { tag, multiple };
        let expected = [ack(2, true), ack(4, false), AckFrame::Nack { tag: 5 }, ack(6, false)];
        assert_eq!(take_frames(&mut deliveries), expected);
        assert_eq!(deliveries, [(3, Pending)]);
        deliveries[0].1 = Ack;
        assert_eq!(take_frames(&mut deliveries), [ack(3, false)]);
        assert_eq!(take_frames(&mut deliveries), []);
    }
}
