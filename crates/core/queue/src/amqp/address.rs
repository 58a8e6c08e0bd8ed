//! The broker's address, and what may be said of it.

use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use model::plain;
use model::settings::{torn_by, unencoded};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::QueueError;

/// How long a broker may take to accept a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// Seconds of silence after which one side takes the other for gone, where the URL names no other.
const HEARTBEAT: u16 = 10;

/// Bytes of a frame, where the URL names no other. A connection keeps room for 64 of them in memory, and what jobs send is
/// far smaller than the broker's 128 KiB.
const FRAME: u32 = 32 << 10;

/// Where RabbitMQ's management API listens unless set otherwise, and where with TLS.
const MANAGEMENT: [(&str, u16); 2] = [("http", 15_672), ("https", 15_671)];

/// An address with its credentials.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) uri: AMQPUri,
    /// Base of the management API, without credentials.
    pub(super) management: Url,
}

impl Address {
    pub(super) fn parse(url: &str, management: Option<&str>) -> Result<Self, QueueError> {
        let refused = |why: String| QueueError::Unusable(format!("the queue's address is unusable: {why}"));
        if let Some(advice) = torn_by(url) {
            return Err(refused(advice));
        }
        // What the parser says may quote all of it.
        let use_this = || {
            let codes = unencoded(url);
            let encode = if codes.is_empty() { codes } else { format!(", with {codes} in user and password") };
            refused(format!("use amqp[s]://USER:PASSWORD@HOST[:PORT]/VHOST{encode}"))
        };
        let mut uri: AMQPUri = url.parse().map_err(|_| use_this())?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        uri.query.frame_max.get_or_insert(FRAME);
        uri.query.connection_timeout.get_or_insert(CONNECT.as_millis() as u64);
        // Whoever encrypts the one way does not want the password in the clear on the other.
        let (scheme, port) = MANAGEMENT[usize::from(uri.scheme == AMQPScheme::AMQPS)];
        let usual = format!("{scheme}://{}:{port}", uri.authority.host);
        let base = management.unwrap_or(&usual);
        let management = Url::parse(base).map_err(|why| {
            QueueError::Unusable(format!("queue_management_url is not like http://HOST:15672: {why}"))
        })?;
        if let Some(advice) = torn_by(base) {
            return Err(QueueError::Unusable(format!("queue_management_url is unusable: {advice}")));
        }
        Ok(Self { uri, management })
    }

    /// For messages: without credentials.
    pub(super) fn shown(&self) -> String {
        let scheme = if self.uri.scheme == AMQPScheme::AMQPS { "amqps" } else { "amqp" };
        let authority = &self.uri.authority;
        format!("{scheme}://{}:{}/{}", authority.host, authority.port, self.vhost())
    }

    /// The virtual host, as it stands in an address.
    pub(super) fn vhost(&self) -> String {
        utf8_percent_encode(&self.uri.vhost, NON_ALPHANUMERIC).to_string()
    }

    pub(super) fn unavailable(&self, cause: impl std::fmt::Display) -> QueueError {
        QueueError::Unavailable { at: self.shown(), cause: plain::words(&cause.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_credentials() {
        let address = Address::parse("amqps://me:secret@broker.example:5671/team%2Fa", None).unwrap();
        assert_eq!(address.shown(), "amqps://broker.example:5671/team%2Fa");
        assert_eq!(address.management.as_str(), "https://broker.example:15671/");
        let refused = Address::parse("amqp://me:secret@broker.example:port", None).err().unwrap().to_string();
        assert!(!refused.contains("secret") && !refused.contains('\n'), "{refused}");
    }
}
