//! The permissions that a user of the broker needs.

use std::time::Duration;

use queue::{DeadLetterFilter, Outcome};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::contract::{TestBackend, job, next, wait_for_counts};
use crate::test_broker::BrokerBackend;

/// A user for one test with these permissions, who may use the management API.
async fn user_with(backend: &BrokerBackend, permissions: &Value) -> Url {
    let name = format!("user-{}", backend.vhost);
    let put = |path: String, body: Value| {
        let request = backend.broker.http.put(format!("{}/api/{path}", backend.broker.management)).json(&body);
        request.basic_auth(backend.broker.amqp.username(), backend.broker.amqp.password()).send()
    };
    let user = serde_json::json!({ "password": "own", "tags": "management" });
    assert!(put(format!("users/{name}"), user).await.unwrap().status().is_success());
    let path = format!("permissions/{}/{name}", backend.vhost);
    assert!(put(path, permissions.clone()).await.unwrap().status().is_success());
    let mut url: Url = backend.url().parse().unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("own")).unwrap();
    url
}

/// The three patterns as `docs/operations.md` gives them to `rabbitmqctl`.
fn documented_permissions() -> Value {
    let document = include_str!("../../../../../docs/operations.md");
    let line = document.lines().find(|line| line.contains("set_permissions")).expect("the document names them");
    let quoted: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
    let [configure, write, read] = quoted[..] else { panic!("no three patterns in {line}") };
    serde_json::json!({ "configure": configure, "write": write, "read": read })
}

#[tokio::test]
async fn a_user_with_the_printed_permissions_can_do_all_there_is_to_do() {
    let Some(backend) = BrokerBackend::fresh("a_user_with_the_printed_permissions_can_do_all_there_is_to_do").await
    else {
        return;
    };
    let printed = documented_permissions();
    for (what, pattern) in queue::PERMISSIONS {
        assert_eq!(printed[what], pattern, "what an error prints is what the document says");
    }
    let url = user_with(&backend, &printed).await;
    let queue = queue::open(url.as_str(), Some(&backend.broker.management)).await.unwrap();
    assert_eq!(queue.probe().await.unwrap(), None);
    queue.publish(&[job("a", "1"), job("a", "2").urgent(), job("b", "3")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let follow_ups = vec![job("c", "follow-up")];
    next(&mut subscription).await.finish(Outcome::Done(follow_ups)).await.unwrap();
    let retry = Outcome::Retry { after: Duration::from_secs(3), reason: "once".into() };
    next(&mut subscription).await.finish(retry).await.unwrap();
    wait_for_counts(&queue, "a", (0, 0, 1, 0)).await;
    next(&mut subscription).await.finish(Outcome::Release).await.unwrap();
    next(&mut subscription).await.finish(Outcome::Dead { reason: "bad".into() }).await.unwrap();
    wait_for_counts(&queue, "a", (0, 0, 0, 1)).await;
    assert_eq!(queue.requeue(&DeadLetterFilter::All).await.unwrap(), 1);
    next(&mut subscription).await.finish(Outcome::Done(vec![])).await.unwrap();
    wait_for_counts(&queue, "c", (1, 0, 0, 0)).await;
    next(&mut queue.subscribe(&["b"], 1).await.unwrap())
        .await
        .finish(Outcome::Dead { reason: "bad".into() })
        .await
        .unwrap();
    wait_for_counts(&queue, "b", (0, 0, 0, 1)).await;
    assert_eq!(queue.purge(&DeadLetterFilter::All).await.unwrap(), 1);
    // What the program asks for is all it needs: one exchange less, and the way out is printed.
    let less = serde_json::json!({ "configure": "^spotifai\\.", "write": "^spotifai\\.", "read": "^spotifai\\." });
    let url = user_with(&backend, &less).await;
    let refused = match queue::open(url.as_str(), None).await {
        Ok(queue) => queue.publish(&[job("a", "1")]).await.expect_err("it may not publish"),
        Err(refused) => refused,
    };
    assert!(refused.to_string().contains("amq\\.default"), "{refused}");
    backend.broker.ask(Method::DELETE, &format!("users/user-{}", backend.vhost)).await;
}
