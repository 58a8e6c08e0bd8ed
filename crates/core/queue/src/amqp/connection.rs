//! A connection that is made when it is first needed, and again after it was lost.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Channel, Connection, ConnectionProperties, Error, ErrorKind, Event};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::address::{Address, CONNECT_TIMEOUT};
use super::topology::PERMISSIONS;
use crate::QueueError;

/// Keeps one connection to the broker. It does not reconnect by itself: a caller that finds the connection lost gets an
/// error and decides when to try again; the next call opens a new connection.
pub(super) struct ConnectionManager {
    address: Address,
    purpose: &'static str,
    /// Locked while a connection is made, so that concurrent callers share one.
    current: Mutex<Option<OpenConnection>>,
    /// Why the broker does not read from the current connection. It blocks connections that publish while its memory or
    /// disk runs low.
    blocked: watch::Sender<Option<String>>,
}

/// A connection, and the task that receives the broker's notifications about it.
struct OpenConnection {
    connection: Connection,
    event_task: JoinHandle<()>,
}

impl ConnectionManager {
    pub(super) fn new(address: Address, purpose: &'static str) -> Self {
        Self { address, purpose, current: Mutex::default(), blocked: watch::Sender::new(None) }
    }

    /// A new channel on the current connection.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let mut current = self.current.lock().await;
        if let Some(OpenConnection { connection, .. }) =
            current.as_ref().filter(|open| open.connection.status().connected())
        {
            // The connection may just have been lost without our having noticed.
            let created = connection.create_channel();
            if let Some(Ok(channel)) = self.timeout_unless_blocked(CONNECT_TIMEOUT, created).await {
                return Ok(channel);
            }
        }
        *current = None;
        let open = self.connect().await?;
        let channel = open.connection.create_channel().await.map_err(|error| self.address.queue_error(&error))?;
        *current = Some(open);
        Ok(channel)
    }

    /// Why the broker blocks the connection; `None` if it does not, as far as we know: it only notifies connections that
    /// publish.
    pub(super) fn blocked(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }

    pub(super) async fn wait_until_blocked(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.blocked.subscribe().wait_for(Option::is_some).await;
    }

    async fn wait_until_unblocked(&self) {
        let _ = self.blocked.subscribe().wait_for(Option::is_none).await;
    }

    /// The result of `answer`, or `None` after `limit`. Time during which the broker blocks the connection does not count:
    /// it is alive, and answers when its alarm ends.
    pub(super) async fn timeout_unless_blocked<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let mut answer = pin!(answer);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.wait_until_blocked() => {}
                () = tokio::time::sleep(limit) => return None,
            }
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.wait_until_unblocked() => {}
            }
        }
    }

    /// Drops a connection that no longer answers.
    pub(super) async fn discard(&self) {
        *self.current.lock().await = None;
    }

    async fn connect(&self) -> Result<OpenConnection, QueueError> {
        let name = format!("spotifai {} ({})", self.purpose, std::process::id());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connect_uri(self.address.uri.clone(), properties);
        let connection = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|error| self.address.queue_error(&error))?,
            Err(_) => {
                let cause = format_args!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                return Err(self.address.unavailable(cause));
            }
        };
        self.blocked.send_replace(None);
        let event_task = tokio::spawn(watch_events(connection.events_listener(), self.blocked.clone()));
        Ok(OpenConnection { connection, event_task })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        // Later events would be mistaken for events of the next connection.
        self.event_task.abort();
    }
}

/// Records whether the broker blocks a connection, until the connection ends.
async fn watch_events(events: impl Stream<Item = Event>, blocked: watch::Sender<Option<String>>) {
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(reason) => {
                let alarm = alarm(&reason);
                tracing::warn!("RabbitMQ is blocking publishers ({alarm}); waiting until it unblocks them");
                blocked.send_replace(Some(format!("RabbitMQ is blocking publishers: {alarm}")));
            }
            Event::ConnectionUnblocked => {
                tracing::info!("RabbitMQ is accepting messages again");
                blocked.send_replace(None);
            }
            // The connection is lost; whoever waits for it gets an error of its own.
            Event::Error(_) => drop(blocked.send_replace(None)),
            _ => {}
        }
    }
}

/// RabbitMQ's "low on memory & disk", in its operators' terms.
fn alarm(reason: &str) -> String {
    match reason.strip_prefix("low on ") {
        Some(resource) => format!("{resource} alarm on its machine"),
        None => reason.to_owned(),
    }
}

impl Address {
    /// What an error of the broker means to our caller.
    pub(super) fn queue_error(&self, error: &Error) -> QueueError {
        let ErrorKind::ProtocolError(reported) = error.kind() else { return self.unavailable(error) };
        let advice = match reported.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                let [(_, configure), (_, write), (_, read)] = PERMISSIONS;
                format!(
                    "check user, password and permissions in SPOTIFAI_QUEUE \
                     (`rabbitmqctl set_permissions -p VHOST USER '{configure}' '{write}' '{read}'`)"
                )
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                "queues of that name exist with other properties; finish their jobs and delete them, or use another \
                 virtual host"
                    .to_owned()
            }
            // A broker that has reached its limit of connections reports the same code, and that passes.
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !reported.get_message().as_str().contains("limit") => {
                "check the virtual host at the end of SPOTIFAI_QUEUE".to_owned()
            }
            _ => return self.unavailable(reported.get_message()),
        };
        QueueError::Unusable(format!("the queue at {} refuses: {}; {advice}", self.redacted(), reported.get_message()))
    }
}
