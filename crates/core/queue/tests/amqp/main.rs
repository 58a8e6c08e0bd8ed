//! The shared home keeps the contract, on a real RabbitMQ; and what it promises beyond.

#[path = "../contract/mod.rs"]
mod contract;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{Home, contract, counts, job, jobs, key, next, soon};
use lapin::options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use queue::{End, Queue, QueueError, Subscription, Which};
use reqwest::{Method, Url};
use serde_json::Value;
use testkit::Proxy;

/// A virtual host of a test's own, deleted at its end.
struct InBroker {
    broker: Broker,
    vhost: String,
    /// Between the workers and the broker.
    network: Proxy,
}

/// The broker that the tests share.
#[derive(Clone)]
struct Broker {
    amqp: Url,
    management: String,
    http: reqwest::Client,
}

impl Broker {
    /// From the environment; `None` where tests on servers are to be left out.
    fn of_tests(test: &str) -> Option<Self> {
        let amqp = testkit::test_server("SPOTIFAI_TEST_QUEUE", test)?;
        let management = testkit::test_server("SPOTIFAI_TEST_QUEUE_MANAGEMENT", test)?;
        let management = management.trim_end_matches('/').to_owned();
        Some(Self { amqp: amqp.parse().expect("an address"), management, http: reqwest::Client::new() })
    }

    async fn ask(&self, method: Method, path: &str) -> Value {
        let (user, password) = (self.amqp.username(), self.amqp.password());
        let request = self.http.request(method, format!("{}/api/{path}", self.management));
        let answer = request.basic_auth(user, password).send().await.expect("the management API answers");
        answer.json().await.unwrap_or_default()
    }
}

impl InBroker {
    fn url(&self) -> String {
        let mut url = self.broker.amqp.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.network.port())).unwrap();
        url.set_path(&self.vhost);
        url.to_string()
    }

    /// A channel of nobody's queue.
    async fn channel(&self) -> (Connection, lapin::Channel) {
        let connection = Connection::connect(&self.url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }
}

#[async_trait]
impl Home for InBroker {
    async fn fresh(test: &str) -> Option<Self> {
        let broker = Broker::of_tests(test)?;
        let vhost = format!("test-{}", uuid::Uuid::new_v4().simple());
        let host = broker.amqp.host_str().expect("an address has a host");
        let network = Proxy::before_host(host, broker.amqp.port().unwrap_or(5672)).await.unwrap();
        let home = Self { broker, vhost, network };
        home.broker.ask(Method::PUT, &format!("vhosts/{}", home.vhost)).await;
        let user = home.broker.amqp.username().to_owned();
        let everything = serde_json::json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let path = format!("{}/api/permissions/{}/{user}", home.broker.management, home.vhost);
        let request = home.broker.http.put(path).basic_auth(&user, home.broker.amqp.password()).json(&everything);
        assert!(request.send().await.unwrap().status().is_success());
        Some(home)
    }

    async fn open(&self) -> Arc<dyn Queue> {
        queue::open(&self.url(), Some(&self.broker.management)).await.unwrap()
    }

    async fn put_raw(&self, kind: &str, payload: &[u8]) {
        // A job of the kind makes its queues.
        let queue = self.open().await;
        drop(queue.subscribe(&[kind], 1).await.unwrap());
        let (_connection, channel) = self.channel().await;
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let name = format!("spotifai.{kind}");
        channel.basic_publish("".into(), name.into(), options, payload, properties).await.unwrap();
        counts(&queue, kind, (1, 0, 0, 0)).await;
    }

    async fn end_leases(&self) {
        self.network.cut();
    }

    async fn noticed(&self, subscription: &mut Box<dyn Subscription>) {
        soon(async { while subscription.next().await.is_ok() {} }).await;
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl Drop for InBroker {
    fn drop(&mut self) {
        let (broker, path) = (self.broker.clone(), format!("vhosts/{}", self.vhost));
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Broker { http: reqwest::Client::new(), ..broker }.ask(Method::DELETE, &path))
        });
        let _ = deleting.join();
    }
}

contract!(InBroker);

/// The line of an address that cannot be opened.
async fn refusal(url: &str) -> QueueError {
    soon(queue::open(url, None)).await.err().expect("an error")
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_one_clear_line_without_its_password() {
    let Some(home) = InBroker::fresh("an_address_that_cannot_be_used_is_one_clear_line").await else { return };
    let (host, port) = (home.broker.amqp.host_str().unwrap(), home.broker.amqp.port().unwrap_or(5672));
    let wrong = [
        (format!("amqp://guest:hush-hush@{host}:{port}/{}", home.vhost), "check user, password"),
        (format!("{}-no-such", home.url()), "check the virtual host"),
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
    assert!(nobody.to_string().starts_with("the queue at amqp://127.0.0.1:1/x is out of reach"), "{nobody}");
}

#[tokio::test]
async fn a_queue_of_another_make_is_explained_and_left_alone() {
    let Some(home) = InBroker::fresh("a_queue_of_another_make_is_explained_and_left_alone").await else { return };
    let (_connection, channel) = home.channel().await;
    let classic = QueueDeclareOptions::durable();
    channel.queue_declare("spotifai.a".into(), classic, FieldTable::default()).await.unwrap();
    let queue = home.open().await;
    let refused = queue.subscribe(&["a"], 1).await.err().expect("an error").to_string();
    assert!(refused.contains("exist with other properties"), "{refused}");
    let refused = queue.publish(&[job("a", "1")]).await.expect_err("an error");
    assert!(matches!(refused, QueueError::Unusable(_)), "{refused:?}");
    channel.queue_declare("spotifai.a".into(), classic, FieldTable::default()).await.expect("it is as it was");
}

#[tokio::test]
async fn a_deleted_queue_ends_the_subscription_and_is_made_again() {
    let Some(home) = InBroker::fresh("a_deleted_queue_ends_the_subscription_and_is_made_again").await else { return };
    let queue = home.open().await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    queue.publish(&[job("a", "1")]).await.unwrap();
    next(&mut subscription).await.end(End::Done(vec![])).await.unwrap();
    let (_connection, channel) = home.channel().await;
    for name in ["spotifai.a", "spotifai.a.high"] {
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    let ended = soon(subscription.next()).await.err().expect("the subscription ends");
    assert!(matches!(ended, QueueError::Unavailable { .. }), "{ended:?}");
    // Confirmed though no queue takes it, were it not for the broker's returning it.
    queue.publish(&[job("a", "2"), job("a", "3").urgent()]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for expected in ["3", "2"] {
        let delivery = next(&mut subscription).await;
        assert_eq!(key(&delivery), expected);
        delivery.end(End::Done(vec![])).await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_of_which_a_part_came_back_is_safe_as_a_whole() {
    let Some(home) = InBroker::fresh("a_batch_of_which_a_part_came_back_is_safe_as_a_whole").await else { return };
    let queue = home.open().await;
    queue.publish(&[job("a", "first"), job("b", "first")]).await.unwrap();
    let (_connection, channel) = home.channel().await;
    channel.queue_delete("spotifai.b".into(), QueueDeleteOptions::default()).await.unwrap();
    let both: Vec<_> = jobs("a", 300).into_iter().zip(jobs("b", 300)).flat_map(|(a, b)| [a, b]).collect();
    // At the same time, so that what comes back to one is not taken for the other's.
    let (one, other) = tokio::join!(queue.publish(&both), queue.publish(&both));
    one.and(other).unwrap();
    for kind in ["a", "b"] {
        let mut subscription = queue.subscribe(&[kind], 50).await.unwrap();
        let mut missing: std::collections::BTreeSet<_> = (0..300).map(|n| n.to_string()).collect();
        while !missing.is_empty() {
            let delivery = next(&mut subscription).await;
            missing.remove(&key(&delivery));
            delivery.end(End::Done(vec![])).await.unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_flush_a_process_may_end_and_nobody_was_lost() {
    let Some(home) = InBroker::fresh("after_a_flush_a_process_may_end_and_nobody_was_lost").await else { return };
    let (here, there) = (home.open().await, home.open().await);
    here.publish(&jobs("a", 8)).await.unwrap();
    let mut subscription = here.subscribe(&["a"], 8).await.unwrap();
    for _ in 0..4 {
        next(&mut subscription).await.end(End::Done(vec![])).await.unwrap();
    }
    drop(subscription);
    soon(here.flush()).await;
    home.end_leases().await;
    let mut subscription = there.subscribe(&["a"], 8).await.unwrap();
    for _ in 0..4 {
        let delivery = next(&mut subscription).await;
        assert!(!delivery.redelivered, "its worker ended in good order");
        delivery.end(End::Done(vec![])).await.unwrap();
    }
    counts(&there, "a", (0, 0, 0, 0)).await;
}

/// A worker whose time to stop is over lets go of what it is about to end.
#[tokio::test]
async fn an_end_that_its_worker_lets_go_of_leaves_one_job_and_not_two() {
    let Some(home) = InBroker::fresh("an_end_that_its_worker_lets_go_of_leaves_one_job_and_not_two").await else {
        return;
    };
    let queue = home.open().await;
    queue.publish(&jobs("a", 40)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 40).await.unwrap();
    for turns in 0..40 {
        let delivery = next(&mut subscription).await;
        // Let go of at whatever point it has come to.
        tokio::select! {
            biased;
            ended = delivery.end(End::Postpone { after: Duration::from_secs(3600) }) => ended.unwrap(),
            () = contract::turns(turns) => {}
        }
    }
    drop(subscription);
    soon(queue.flush()).await;
    // What was not acknowledged comes back.
    home.end_leases().await;
    counts(&home.open().await, "a", (0, 0, 40, 0)).await;
}

/// Connections are cut again and again while jobs are published and done; what was published stays published, and what
/// was done may come twice and is never lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_nothing() {
    let Some(home) = InBroker::fresh("cut_connections_lose_nothing").await else { return };
    let (publisher, worker) = (home.open().await, home.open().await);
    let (done, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let working = tokio::spawn(async move {
        loop {
            // As the worker's runtime does: whatever went wrong, subscribe again.
            let Ok(mut subscription) = worker.subscribe(&["a"], 8).await else { continue };
            while let Ok(delivery) = subscription.next().await {
                let key = key(&delivery);
                if delivery.end(End::Done(vec![])).await.is_ok() {
                    let _ = done.send(key);
                }
            }
        }
    });
    let publishing = async {
        for job in jobs("a", 600) {
            while publisher.publish(std::slice::from_ref(&job)).await.is_err() {}
        }
    };
    let cutting = async {
        for _ in 0..6 {
            home.end_leases().await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    };
    soon(async { tokio::join!(publishing, cutting) }).await;
    let mut missing: std::collections::BTreeSet<_> = (0..600).map(|n| n.to_string()).collect();
    while !missing.is_empty() {
        missing.remove(&soon(seen.recv()).await.unwrap());
    }
    working.abort();
}

#[tokio::test]
async fn a_job_that_always_comes_back_is_dead_in_the_end() {
    let Some(home) = InBroker::fresh("a_job_that_always_comes_back_is_dead_in_the_end").await else { return };
    let queue = home.open().await;
    let published = job("a", "1");
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for _ in 0..=100 {
        drop(next(&mut subscription).await);
    }
    counts(&queue, "a", (0, 0, 0, 1)).await;
    let letter = queue.dead_letters(None).await.unwrap().remove(0);
    assert_eq!((letter.id.as_str(), letter.key.as_deref()), (published.id.as_str(), Some("1")));
    assert!(letter.reason.contains("delivered again and again"), "{}", letter.reason);
    assert_eq!(queue.requeue(&Which::All).await.unwrap(), 1);
    assert_eq!(next(&mut subscription).await.envelope, Ok(published));
}

#[tokio::test]
async fn jobs_handed_back_again_and_again_are_not_counted_against_them() {
    let Some(home) = InBroker::fresh("jobs_handed_back_again_and_again_are_not_counted_against_them").await else {
        return;
    };
    let queue = home.open().await;
    queue.publish(&jobs("a", 3)).await.unwrap();
    for _ in 0..120 {
        let mut subscription = queue.subscribe(&["a"], 3).await.unwrap();
        let delivery = next(&mut subscription).await;
        assert!(!delivery.redelivered);
        delivery.end(End::Release).await.unwrap();
    }
    counts(&queue, "a", (3, 0, 0, 0)).await;
}

#[tokio::test]
async fn dead_letters_can_be_looked_at_any_number_of_times() {
    let Some(home) = InBroker::fresh("dead_letters_can_be_looked_at_any_number_of_times").await else { return };
    let queue = home.open().await;
    queue.publish(&jobs("a", 5)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for _ in 0..5 {
        next(&mut subscription).await.end(End::Dead { reason: "bad".into() }).await.unwrap();
    }
    let letters = queue.dead_letters(None).await.unwrap();
    assert_eq!(
        letters.iter().map(|letter| letter.key.as_deref().unwrap()).collect::<Vec<_>>(),
        ["0", "1", "2", "3", "4"]
    );
    for _ in 0..30 {
        assert_eq!(queue.dead_letters(None).await.unwrap(), letters);
    }
    assert_eq!(queue.purge(&Which::All).await.unwrap(), 5);
}

#[tokio::test]
async fn a_wait_of_any_length_lies_at_the_broker() {
    let Some(home) = InBroker::fresh("a_wait_of_any_length_lies_at_the_broker").await else { return };
    let queue = home.open().await;
    queue.publish(&jobs("a", 3)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 3).await.unwrap();
    for seconds in [3, 86_236, 1_000_000] {
        let delivery = next(&mut subscription).await;
        delivery.end(End::Retry { after: Duration::from_secs(seconds), reason: "later".into() }).await.unwrap();
    }
    // Three seconds are two stretches, with nobody waiting for the second but this subscription.
    let asked = std::time::Instant::now();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope.as_ref().unwrap().attempt, 1);
    assert!(asked.elapsed() >= Duration::from_millis(2_700), "{:?}", asked.elapsed());
    counts(&queue, "a", (0, 1, 2, 0)).await;
}

/// A user of the test's own with these permissions, who may ask the management API.
async fn user_with(home: &InBroker, permissions: &Value) -> Url {
    let name = format!("user-{}", home.vhost);
    let put = |path: String, body: Value| {
        let request = home.broker.http.put(format!("{}/api/{path}", home.broker.management)).json(&body);
        request.basic_auth(home.broker.amqp.username(), home.broker.amqp.password()).send()
    };
    let user = serde_json::json!({ "password": "own", "tags": "management" });
    assert!(put(format!("users/{name}"), user).await.unwrap().status().is_success());
    let path = format!("permissions/{}/{name}", home.vhost);
    assert!(put(path, permissions.clone()).await.unwrap().status().is_success());
    let mut url: Url = home.url().parse().unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("own")).unwrap();
    url
}

/// The three patterns as the README gives them to `rabbitmqctl`.
fn permissions_of_readme() -> Value {
    let readme = include_str!("../../../../../README.md");
    let line = readme.lines().find(|line| line.contains("set_permissions")).expect("the README names them");
    let quoted: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
    let [configure, write, read] = quoted[..] else { panic!("no three patterns in {line}") };
    serde_json::json!({ "configure": configure, "write": write, "read": read })
}

#[tokio::test]
async fn a_user_with_the_printed_permissions_can_do_all_there_is_to_do() {
    let Some(home) = InBroker::fresh("a_user_with_the_printed_permissions_can_do_all_there_is_to_do").await else {
        return;
    };
    let printed = permissions_of_readme();
    for (what, pattern) in queue::PERMISSIONS {
        assert_eq!(printed[what], pattern, "what an error prints is what the README says");
    }
    let url = user_with(&home, &printed).await;
    let queue = queue::open(url.as_str(), Some(&home.broker.management)).await.unwrap();
    assert_eq!(queue.probe().await.unwrap(), None);
    queue.publish(&[job("a", "1"), job("a", "2").urgent(), job("b", "3")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let follow_ups = vec![job("c", "follow-up")];
    next(&mut subscription).await.end(End::Done(follow_ups)).await.unwrap();
    let retry = End::Retry { after: Duration::from_secs(3), reason: "once".into() };
    next(&mut subscription).await.end(retry).await.unwrap();
    counts(&queue, "a", (0, 0, 1, 0)).await;
    next(&mut subscription).await.end(End::Release).await.unwrap();
    next(&mut subscription).await.end(End::Dead { reason: "bad".into() }).await.unwrap();
    counts(&queue, "a", (0, 0, 0, 1)).await;
    assert_eq!(queue.requeue(&Which::All).await.unwrap(), 1);
    next(&mut subscription).await.end(End::Done(vec![])).await.unwrap();
    counts(&queue, "c", (1, 0, 0, 0)).await;
    next(&mut queue.subscribe(&["b"], 1).await.unwrap()).await.end(End::Dead { reason: "bad".into() }).await.unwrap();
    counts(&queue, "b", (0, 0, 0, 1)).await;
    assert_eq!(queue.purge(&Which::All).await.unwrap(), 1);
    // What the program asks for is all it needs: one exchange less, and the way out is printed.
    let less = serde_json::json!({ "configure": "^spotifai\\.", "write": "^spotifai\\.", "read": "^spotifai\\." });
    let url = user_with(&home, &less).await;
    let refused = match queue::open(url.as_str(), None).await {
        Ok(queue) => queue.publish(&[job("a", "1")]).await.expect_err("it may not publish"),
        Err(refused) => refused,
    };
    assert!(refused.to_string().contains("amq\\.default"), "{refused}");
    home.broker.ask(Method::DELETE, &format!("users/user-{}", home.vhost)).await;
}

/// A broker of a test's own, whose alarms are nobody else's.
struct OwnBroker {
    broker: services::Broker,
    services: services::Folder,
    _folder: tempfile::TempDir,
}

impl OwnBroker {
    /// `None` where tests on servers are to be left out.
    fn start(test: &str) -> Option<Self> {
        testkit::test_server("SPOTIFAI_TEST_QUEUE", test)?;
        let folder = tempfile::tempdir().unwrap();
        let services = services::Folder::create(&folder.path().join("services")).unwrap();
        let broker = services::Broker::start(&services, services::Ports::Free).unwrap();
        Some(Self { broker, services, _folder: folder })
    }

    async fn open(&self) -> Arc<dyn Queue> {
        self.open_managed_at(&self.broker.management_url()).await
    }

    async fn open_managed_at(&self, management: &str) -> Arc<dyn Queue> {
        let url = format!("{}/%2F", self.broker.url());
        queue::open(&url, Some(management)).await.unwrap()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = self.services.remove();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_blocks_publishers_is_named_and_waited_for() {
    let Some(own) = OwnBroker::start("a_broker_that_blocks_publishers_is_named_and_waited_for") else { return };
    let queue = own.open().await;
    queue.publish(&[job("a", "first"), job("a", "second")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 2).await.unwrap();
    let (first, second) = (next(&mut subscription).await, next(&mut subscription).await);
    own.broker.set_memory_alarm(true).unwrap();
    let blocked = "RabbitMQ blocks publishers: memory alarm on its machine";
    assert_eq!(queue.blocked(), None, "who has not published since is not told");
    assert_eq!(own.open().await.probe().await.unwrap().as_deref(), Some(blocked));

    let publisher = queue.clone();
    let mut publishing = tokio::spawn(async move { publisher.publish(&jobs("b", 50)).await });
    soon(async {
        while queue.blocked().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(queue.blocked().as_deref(), Some(blocked));
    // All that needs no publishing goes on beside it, on the connection that consumes.
    soon(first.end(End::Done(vec![]))).await.unwrap();
    assert!(soon(queue.stats()).await.unwrap().iter().any(|kind| kind.kind == "a"));
    // Nor does who counts wait for the alarm where the management API takes its question and does not answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uncounted = own.open_managed_at(&format!("http://{}", silent.local_addr().unwrap())).await;
    let counted = tokio::time::timeout(Duration::from_secs(20), uncounted.stats()).await.expect("it does not hang");
    let counted = counted.unwrap();
    assert!(counted.len() >= 9 && counted.iter().all(|kind| kind.running.is_none()), "{counted:?}");
    let mut ending = tokio::spawn(second.end(End::Done(vec![job("b", "follow-up")])));
    // Longer than a confirmation may take: it is waited for, and not by connections made anew.
    let longer = Duration::from_secs(32);
    assert!(tokio::time::timeout(longer, &mut publishing).await.is_err(), "it neither failed nor succeeded");
    assert!(!ending.is_finished());
    assert_eq!(queue.blocked().as_deref(), Some(blocked));

    own.broker.set_memory_alarm(false).unwrap();
    soon(&mut publishing).await.unwrap().unwrap();
    soon(&mut ending).await.unwrap().unwrap();
    assert_eq!(queue.blocked(), None);
    assert_eq!(queue.probe().await.unwrap(), None);
    counts(&queue, "a", (0, 0, 0, 0)).await;
    let mut missing: std::collections::BTreeSet<_> = (0..50).map(|n| n.to_string()).collect();
    missing.insert("follow-up".into());
    let mut subscription = queue.subscribe(&["b"], 8).await.unwrap();
    while !missing.is_empty() {
        let delivery = next(&mut subscription).await;
        missing.remove(&key(&delivery));
        delivery.end(End::Done(vec![])).await.unwrap();
    }
}
