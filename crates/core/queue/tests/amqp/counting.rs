//! Counting at a broker whose management API does not answer.

use crate::backends::InBroker;
use crate::contract::{Backends, job, soon};

#[tokio::test]
async fn jobs_of_a_kind_that_nobody_here_used_are_counted_where_the_kind_is_expected() {
    let Some(backends) = InBroker::fresh("jobs_of_a_kind_that_nobody_here_used_are_counted").await else { return };
    backends.open().await.publish(&[job("paused", "1"), job("paused", "2")]).await.unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = queue::open(&backends.url(), Some(&format!("http://{nobody}"))).await.unwrap();
    assert_eq!(soon(other.stats()).await.unwrap(), []);
    other.expect(&["paused"]);
    let stats = soon(other.stats()).await.unwrap();
    assert_eq!(stats.iter().map(|kind| (kind.kind.as_str(), kind.ready)).collect::<Vec<_>>(), [("paused", 2)]);
}
