//! A broker that cannot be used is reported in one clear line.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use queue::QueueError;

use crate::contract::{TestBackend, job, within_a_minute};
use crate::test_broker::BrokerBackend;

/// The error of an address that cannot be opened.
async fn refusal(url: &str) -> QueueError {
    within_a_minute(queue::open(url, None)).await.err().expect("an error")
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_one_clear_line_without_its_password() {
    let Some(backend) = BrokerBackend::fresh("an_address_that_cannot_be_used_is_one_clear_line").await else { return };
    let (host, port) = (backend.broker.amqp.host_str().unwrap(), backend.broker.amqp.port().unwrap_or(5672));
    let wrong = [
        (format!("amqp://guest:hush-hush@{host}:{port}/{}", backend.vhost), "check user, password"),
        (format!("{}-no-such", backend.url()), "check the virtual host"),
        (format!("amqp://guest:hush-hush@{host}:{port}/a/b/c?heartbeat=often"), "amqp[s]://USER:PASSWORD@HOST"),
    ];
    for (url, way_out) in wrong {
        let error = refusal(&url).await;
        let line = error.to_string();
        assert!(matches!(error, QueueError::Unusable(_)), "{error:?}");
        assert!(line.contains(way_out) && !line.contains("hush-hush") && !line.contains('\n'), "{line}");
    }
    let nobody = refusal("amqp://guest:hush-hush@127.0.0.1:1/x").await;
    assert!(matches!(nobody, QueueError::Unavailable { .. }), "{nobody:?}");
    assert!(nobody.to_string().starts_with("the queue at amqp://127.0.0.1:1/x is unreachable"), "{nobody}");
}

#[tokio::test]
async fn a_queue_of_another_make_is_explained_and_left_alone() {
    let Some(backend) = BrokerBackend::fresh("a_queue_of_another_make_is_explained_and_left_alone").await else {
        return;
    };
    let (_connection, channel) = backend.channel().await;
    let classic = QueueDeclareOptions::durable();
    channel.queue_declare("spotifai.a".into(), classic, FieldTable::default()).await.unwrap();
    let queue = backend.open().await;
    let refused = queue.subscribe(&["a"], 1).await.err().expect("an error").to_string();
    assert!(refused.contains("exist with other properties"), "{refused}");
    let refused = queue.publish(&[job("a", "1")]).await.expect_err("an error");
    assert!(matches!(refused, QueueError::Unusable(_)), "{refused:?}");
    channel.queue_declare("spotifai.a".into(), classic, FieldTable::default()).await.expect("it is as it was");
}
