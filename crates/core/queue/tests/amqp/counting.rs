//! Counting on a broker whose management API does not answer.

use crate::contract::{TestBackend, job, within_a_minute};
use crate::test_broker::BrokerBackend;

#[tokio::test]
async fn jobs_of_a_kind_that_nobody_here_used_are_counted_where_the_kind_is_expected() {
    let Some(backend) = BrokerBackend::fresh("jobs_of_a_kind_that_nobody_here_used_are_counted").await else { return };
    backend.open().await.publish(&[job("paused", "1"), job("paused", "2")]).await.unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = queue::open(&backend.url(), Some(&format!("http://{nobody}"))).await.unwrap();
    assert_eq!(within_a_minute(other.stats()).await.unwrap(), []);
    other.register_kinds(&["paused"]);
    let stats = within_a_minute(other.stats()).await.unwrap();
    assert_eq!(stats.iter().map(|kind| (kind.kind.as_str(), kind.ready)).collect::<Vec<_>>(), [("paused", 2)]);
}
