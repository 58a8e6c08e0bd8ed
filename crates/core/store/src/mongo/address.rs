//! From a URL to a client.

use std::time::Duration;

use model::settings::{torn_by, unencoded};
use mongodb::Client;
use mongodb::options::{Acknowledgment, ClientOptions, ConnectionString, HostInfo, WriteConcern};

use super::errors;
use crate::{Result, StoreError};

/// The database of a URL that names none.
const DATABASE: &str = "spotifai";
/// How long to look for a server that takes the operation.
const SELECT_WITHIN: Duration = Duration::from_secs(4);
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
/// How long a server may be gone without anybody asking for it before that is noticed.
const HEARTBEAT: Duration = Duration::from_secs(5);

pub(super) struct Address {
    /// Hosts and database, without credentials.
    pub(super) at: String,
    pub(super) client: Client,
    pub(super) database: String,
}

/// Reads a `mongodb://` or `mongodb+srv://` URL; the latter is looked up in the DNS. What the URL says of time-outs and
/// write concern goes before what is set here.
pub(super) async fn parse(url: &str) -> Result<Address> {
    let refused = |why: String| StoreError::Unusable(format!("the store's URL is unusable: {why}"));
    if let Some(advice) = torn_by(url) {
        return Err(refused(advice));
    }
    // What the driver says of it may quote a part of the password.
    let parsed = ConnectionString::parse(url).map_err(|_| {
        let codes = unencoded(url);
        let codes = if codes.is_empty() { "%3A for `:`, %40 for `@`, %3F for `?` and the like" } else { &codes };
        refused(format!(
            "use mongodb://USER:PASSWORD@HOST:PORT/DATABASE, with {codes} in user and password, and options as ?NAME=VALUE&…"
        ))
    })?;
    let database = parsed.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
    let at = match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => {
            let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
            format!("mongodb://{}/{database}", hosts.join(","))
        }
        HostInfo::DnsRecord(host) => format!("mongodb+srv://{host}/{database}"),
        _ => format!("mongodb://…/{database}"),
    };
    let options = super::run(&at, SELECT_WITHIN, async move { ClientOptions::parse(parsed).await }).await?;
    let client = Client::with_options(with_defaults(options)).map_err(|error| errors::failed(&at, &error))?;
    Ok(Address { at, client, database })
}

fn with_defaults(mut options: ClientOptions) -> ClientOptions {
    options.app_name.get_or_insert_with(|| "spotifai".to_owned());
    options.server_selection_timeout.get_or_insert(SELECT_WITHIN);
    options.connect_timeout.get_or_insert(CONNECT_WITHIN);
    options.heartbeat_freq.get_or_insert(HEARTBEAT);
    // What is saved has to outlive the server: a single one answers before its journal is on disk unless it is asked.
    let safe = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    options.write_concern.get_or_insert(safe);
    options
}
