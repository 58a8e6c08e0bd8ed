//! The broker's management API: which queues exist, and how many of their messages are unacknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::uri::AMQPUserInfo;
use serde::Deserialize;

use super::address::Address;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// A client of one virtual host.
pub(super) struct Management {
    http: reqwest::Client,
    queues_url: String,
    user: AMQPUserInfo,
}

/// A queue as the API lists it.
#[derive(Deserialize)]
struct ListedQueue {
    name: String,
    /// Missing shortly after the queue was declared.
    messages_unacknowledged: Option<u64>,
}

impl Management {
    pub(super) fn new(address: &Address) -> Self {
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).no_proxy().build().unwrap_or_default();
        let base = address.management.as_str().trim_end_matches('/');
        // Totals without the statistics, which cost the broker more and are no fresher.
        let queues_url = format!("{base}/api/queues/{}?disable_stats=true&enable_queue_totals=true", address.vhost());
        Self { http, queues_url, user: address.uri.authority.userinfo.clone() }
    }

    /// Unacknowledged messages by name of queue; `None` if the API gives no answer.
    pub(super) async fn unacknowledged(&self) -> Option<BTreeMap<String, Option<u64>>> {
        let request = self.http.get(&self.queues_url).basic_auth(&self.user.username, Some(&self.user.password));
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        let queues = match response {
            Ok(response) => response.json::<Vec<ListedQueue>>().await,
            Err(error) => Err(error),
        };
        match queues {
            Ok(queues) => Some(queues.into_iter().map(|queue| (queue.name, queue.messages_unacknowledged)).collect()),
            Err(error) => {
                tracing::debug!("the broker's management API gives no answer: {}", error.without_url());
                None
            }
        }
    }
}
