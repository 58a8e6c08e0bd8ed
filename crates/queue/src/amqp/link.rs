//! A connection that is made when it is needed, and again when it was lost.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Channel, Connection, ConnectionProperties, Error, ErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::{Address, CONNECT};
use crate::QueueError;

/// One connection to the broker. It does not reconnect by itself: whoever finds it lost says so to its caller, who decides
/// when to try again; the next one who asks gets a new connection.
pub(super) struct Link {
    address: Address,
    purpose: &'static str,
    /// Locked while a connection is made, so that one is made and not one for each who asks.
    current: Mutex<Option<Connection>>,
}

impl Link {
    pub(super) fn new(address: Address, purpose: &'static str) -> Self {
        Self { address, purpose, current: Mutex::default() }
    }

    /// A new channel on the connection in force.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.status().connected()) {
            // It may have been lost a moment ago, with the news still on its way.
            if let Ok(Ok(channel)) = timeout(CONNECT, connection.create_channel()).await {
                return Ok(channel);
            }
        }
        *current = None;
        let connection = self.connect().await?;
        let channel = connection.create_channel().await.map_err(|error| self.address.failed(&error))?;
        *current = Some(connection);
        Ok(channel)
    }

    /// Whether the broker accepts nothing at the moment: its memory or disk runs short.
    pub(super) async fn is_blocked(&self) -> bool {
        self.current.lock().await.as_ref().is_some_and(|connection| connection.status().blocked())
    }

    /// Lets a connection go that does not answer any more.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    async fn connect(&self) -> Result<Connection, QueueError> {
        let name = format!("spotifai {} ({})", self.purpose, std::process::id());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connect_uri(self.address.uri.clone(), properties);
        match timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| self.address.failed(&error)),
            Err(_) => Err(self.address.unavailable(format_args!("no answer within {} s", CONNECT.as_secs()))),
        }
    }
}

impl Address {
    /// What an error of the broker means to the caller.
    pub(super) fn failed(&self, error: &Error) -> QueueError {
        let ErrorKind::ProtocolError(told) = error.kind() else { return self.unavailable(error) };
        let way_out = match told.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                "check user, password and permissions in SPOTIFAI_QUEUE (a user needs configure, write and read on `spotifai.*`)"
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                "queues of that name exist with other properties; let their jobs be done and delete them, or use another virtual host"
            }
            // Also what a broker says that has as many connections as it may: that passes.
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !told.get_message().as_str().contains("limit") => {
                "check the virtual host at the end of SPOTIFAI_QUEUE"
            }
            _ => return self.unavailable(told.get_message()),
        };
        QueueError::Unusable(format!("the queue at {} refuses: {}; {way_out}", self.shown(), told.get_message()))
    }
}
