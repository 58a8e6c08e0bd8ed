//! The broker's address, and what messages may show of it.

use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use model::explain;
use model::settings::{unencoded_characters, url_problem};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::QueueError;

/// How long a broker may take to accept a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds of silence after which either side considers the connection lost, unless the URL sets `heartbeat`.
const HEARTBEAT_SECONDS: u16 = 10;

/// Largest frame, unless the URL sets `frame_max`. A connection keeps 64 frames in memory, and jobs are far smaller than
/// the broker's default of 128 KiB.
const MAX_FRAME_BYTES: u32 = 32 << 10;

/// Scheme and port where RabbitMQ's management API listens by default: without TLS, and with it.
const DEFAULT_MANAGEMENT: [(&str, u16); 2] = [("http", 15_672), ("https", 15_671)];

/// An address with its credentials.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) uri: AMQPUri,
    /// Base of the management API, without credentials.
    pub(super) management: Url,
}

impl Address {
    pub(super) fn parse(url: &str, management: Option<&str>) -> Result<Self, QueueError> {
        let unusable = |why: String| QueueError::Unusable(format!("the queue's address cannot be used: {why}"));
        if let Some(advice) = url_problem(url) {
            return Err(unusable(advice));
        }
        // The parser's own message may quote the whole URL, with its password.
        let malformed = || {
            let codes = unencoded_characters(url);
            let encode = if codes.is_empty() { codes } else { format!(", with {codes} in user and password") };
            unusable(format!("use amqp[s]://USER:PASSWORD@HOST[:PORT]/VHOST{encode}"))
        };
        let mut uri: AMQPUri = url.parse().map_err(|_| malformed())?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.frame_max.get_or_insert(MAX_FRAME_BYTES);
        uri.query.connection_timeout.get_or_insert(CONNECT_TIMEOUT.as_millis() as u64);
        // With TLS for the queue, the password must not travel in the clear to the management API either.
        let (scheme, port) = DEFAULT_MANAGEMENT[usize::from(uri.scheme == AMQPScheme::AMQPS)];
        let default = format!("{scheme}://{}:{port}", uri.authority.host);
        let base = management.unwrap_or(&default);
        let management = Url::parse(base).map_err(|why| {
            QueueError::Unusable(format!("queue_management_url is not of the form http://HOST:15672: {why}"))
        })?;
        if let Some(advice) = url_problem(base) {
            return Err(QueueError::Unusable(format!("queue_management_url cannot be used: {advice}")));
        }
        Ok(Self { uri, management })
    }

    /// The address as messages show it: without credentials.
    pub(super) fn redacted(&self) -> String {
        let scheme = if self.uri.scheme == AMQPScheme::AMQPS { "amqps" } else { "amqp" };
        let authority = &self.uri.authority;
        format!("{scheme}://{}:{}/{}", authority.host, authority.port, self.vhost())
    }

    /// The virtual host, percent-encoded.
    pub(super) fn vhost(&self) -> String {
        utf8_percent_encode(&self.uri.vhost, NON_ALPHANUMERIC).to_string()
    }

    pub(super) fn unavailable(&self, cause: impl std::fmt::Display) -> QueueError {
        QueueError::Unavailable { at: self.redacted(), cause: explain::message(&cause.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_credentials() {
        let address = Address::parse("amqps://me:secret@broker.example:5671/team%2Fa", None).unwrap();
        assert_eq!(address.redacted(), "amqps://broker.example:5671/team%2Fa");
        assert_eq!(address.management.as_str(), "https://broker.example:15671/");
        let refused = Address::parse("amqp://me:secret@broker.example:port", None).err().unwrap().to_string();
        assert!(!refused.contains("secret") && !refused.contains('\n'), "{refused}");
    }
}
