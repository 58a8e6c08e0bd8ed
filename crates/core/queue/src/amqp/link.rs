//! A connection that is made when it is needed, and again when it was lost.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Channel, Connection, ConnectionProperties, Error, ErrorKind, Event};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::address::{Address, CONNECT};
use super::names::PERMISSIONS;
use crate::QueueError;

/// One connection to the broker. It does not reconnect by itself: whoever finds it lost says so to its caller, who decides
/// when to try again; the next one who asks gets a new connection.
pub(super) struct Link {
    address: Address,
    purpose: &'static str,
    /// Locked while a connection is made, so that one is made and not one for each who asks.
    current: Mutex<Option<Connected>>,
    /// Why the broker reads nothing from the connection in force: it does so to connections that publish while its memory
    /// or disk runs short, until that is over.
    blocked: watch::Sender<Option<String>>,
}

/// A connection with the task that hears what the broker says of it.
struct Connected {
    connection: Connection,
    listening: JoinHandle<()>,
}

impl Link {
    pub(super) fn new(address: Address, purpose: &'static str) -> Self {
        Self { address, purpose, current: Mutex::default(), blocked: watch::Sender::new(None) }
    }

    /// A new channel on the connection in force.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let mut current = self.current.lock().await;
        if let Some(Connected { connection, .. }) = current.as_ref().filter(|it| it.connection.status().connected()) {
            // It may have been lost a moment ago, with the news still on its way.
            if let Some(Ok(channel)) = self.patiently(CONNECT, connection.create_channel()).await {
                return Ok(channel);
            }
        }
        *current = None;
        let connected = self.connect().await?;
        let channel = connected.connection.create_channel().await.map_err(|error| self.address.failed(&error))?;
        *current = Some(connected);
        Ok(channel)
    }

    /// What makes the broker block the connection; `None`: it does not, as far as it was told. Only who publishes is told.
    pub(super) fn blocked(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }

    /// Waits until the broker blocks the connection.
    pub(super) async fn block(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.blocked.subscribe().wait_for(Option::is_some).await;
    }

    async fn unblock(&self) {
        let _ = self.blocked.subscribe().wait_for(Option::is_none).await;
    }

    /// What comes of `answer`, unless it takes longer than this. While the broker blocks the connection no time passes: it
    /// is alive, and answers when its alarm is over.
    pub(super) async fn patiently<T>(&self, patience: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(answer);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.block() => {}
                () = tokio::time::sleep(patience) => return None,
            }
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.unblock() => {}
            }
        }
    }

    /// Lets a connection go that does not answer any more.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    async fn connect(&self) -> Result<Connected, QueueError> {
        let name = format!("spotifai {} ({})", self.purpose, std::process::id());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connect_uri(self.address.uri.clone(), properties);
        let connection = match timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| self.address.failed(&error))?,
            Err(_) => return Err(self.address.unavailable(format_args!("no answer within {} s", CONNECT.as_secs()))),
        };
        self.blocked.send_replace(None);
        let listening = tokio::spawn(listen(connection.events_listener(), self.blocked.clone()));
        Ok(Connected { connection, listening })
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // What it hears from now on is of a connection that is nobody's.
        self.listening.abort();
    }
}

/// Notes what the broker says of a connection, to its end.
async fn listen(events: impl Stream<Item = Event>, blocked: watch::Sender<Option<String>>) {
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(why) => {
                let alarm = alarm(&why);
                tracing::warn!("RabbitMQ blocks publishers: {alarm}; waiting until it ends");
                blocked.send_replace(Some(format!("RabbitMQ blocks publishers: {alarm}")));
            }
            Event::ConnectionUnblocked => {
                tracing::info!("RabbitMQ lets publishers go on");
                blocked.send_replace(None);
            }
            // The connection is gone, and whoever waited for it is told so.
            Event::Error(_) => drop(blocked.send_replace(None)),
            _ => {}
        }
    }
}

/// RabbitMQ's "low on memory & disk" as its operators know it.
fn alarm(why: &str) -> String {
    match why.strip_prefix("low on ") {
        Some(what) => format!("{what} alarm on its machine"),
        None => why.to_owned(),
    }
}

impl Address {
    /// What an error of the broker means to the caller.
    pub(super) fn failed(&self, error: &Error) -> QueueError {
        let ErrorKind::ProtocolError(told) = error.kind() else { return self.unavailable(error) };
        let way_out = match told.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                let [(_, configure), (_, write), (_, read)] = PERMISSIONS;
                format!(
                    "check user, password and permissions in SPOTIFAI_QUEUE \
                     (`rabbitmqctl set_permissions -p VHOST USER '{configure}' '{write}' '{read}'`)"
                )
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                "queues of that name exist with other properties; let their jobs be done and delete them, or use another virtual host".to_owned()
            }
            // Also what a broker says that has as many connections as it may: that passes.
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !told.get_message().as_str().contains("limit") => {
                "check the virtual host at the end of SPOTIFAI_QUEUE".to_owned()
            }
            _ => return self.unavailable(told.get_message()),
        };
        QueueError::Unusable(format!("the queue at {} refuses: {}; {way_out}", self.shown(), told.get_message()))
    }
}
