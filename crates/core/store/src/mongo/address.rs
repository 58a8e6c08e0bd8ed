//! Makes a client from a URL.

use std::time::Duration;

use model::settings::{unencoded_characters, url_problem};
use mongodb::Client;
use mongodb::options::{Acknowledgment, ClientOptions, ConnectionString, HostInfo, WriteConcern};

use super::errors;
use crate::{Result, StoreError};

/// The database, if the URL names none.
const DEFAULT_DATABASE: &str = "spotifai";
/// How long to look for a server that can carry out the operation.
const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How often an idle client checks whether its servers are still there.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct Address {
    /// Hosts and database, without credentials.
    pub(super) at: String,
    pub(super) client: Client,
    pub(super) database: String,
}

/// Parses a `mongodb://` or `mongodb+srv://` URL; the latter is resolved by DNS. Time-outs and write concern in the URL
/// override those set here.
pub(super) async fn parse(url: &str) -> Result<Address> {
    let refused = |why: String| StoreError::Unusable(format!("the store's URL cannot be used: {why}"));
    if let Some(advice) = url_problem(url) {
        return Err(refused(advice));
    }
    // The driver's own message may quote a part of the password.
    let parsed = ConnectionString::parse(url).map_err(|_| {
        let codes = unencoded_characters(url);
        let codes = if codes.is_empty() { "%3A for `:`, %40 for `@`, %3F for `?` and the like" } else { &codes };
        refused(format!(
            "use mongodb://USER:PASSWORD@HOST:PORT/DATABASE, with {codes} in user and password, and options as ?NAME=VALUE&…"
        ))
    })?;
    let database = parsed.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
    let at = match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => {
            let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
            format!("mongodb://{}/{database}", hosts.join(","))
        }
        HostInfo::DnsRecord(host) => format!("mongodb+srv://{host}/{database}"),
        _ => format!("mongodb://…/{database}"),
    };
    let options = super::run(&at, SERVER_SELECTION_TIMEOUT, async move { ClientOptions::parse(parsed).await }).await?;
    let client = Client::with_options(with_defaults(options)).map_err(|error| errors::store_error(&at, &error))?;
    Ok(Address { at, client, database })
}

fn with_defaults(mut options: ClientOptions) -> ClientOptions {
    options.app_name.get_or_insert_with(|| "spotifai".to_owned());
    options.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
    options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    options.heartbeat_freq.get_or_insert(HEARTBEAT_INTERVAL);
    // What is saved must survive a crash: a single server acknowledges before its journal is on disk, unless asked not to.
    let safe = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    options.write_concern.get_or_insert(safe);
    options
}
