//! The broker's management API: which queues there are, and how many of their messages are in somebody's hands.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::uri::AMQPUserInfo;
use serde::Deserialize;

use super::address::Address;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A client of one virtual host.
pub(super) struct Management {
    http: reqwest::Client,
    queues: String,
    user: AMQPUserInfo,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    /// Missing in the first moment of a queue.
    messages_unacknowledged: Option<u64>,
}

impl Management {
    pub(super) fn new(address: &Address) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap_or_default();
        let base = address.management.as_str().trim_end_matches('/');
        // Totals without the statistics, which cost the broker more and are no fresher.
        let queues = format!("{base}/api/queues/{}?disable_stats=true&enable_queue_totals=true", address.vhost());
        Self { http, queues, user: address.uri.authority.userinfo.clone() }
    }

    /// Unacknowledged messages by the name of their queue; `None` where the API cannot be asked.
    pub(super) async fn unacknowledged(&self) -> Option<BTreeMap<String, Option<u64>>> {
        let request = self.http.get(&self.queues).basic_auth(&self.user.username, Some(&self.user.password));
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let rows = match answer {
            Ok(answer) => answer.json::<Vec<Row>>().await,
            Err(error) => Err(error),
        };
        match rows {
            Ok(rows) => Some(rows.into_iter().map(|row| (row.name, row.messages_unacknowledged)).collect()),
            Err(error) => {
                tracing::debug!("the broker's management API cannot be asked: {}", error.without_url());
                None
            }
        }
    }
}
