//! A queue on the broker that the tests share.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use queue::{Queue, Subscription};
use reqwest::{Method, Url};
use serde_json::Value;
use testkit::Proxy;

use crate::contract::{TestBackend, wait_for_counts, within_a_minute};

/// A virtual host for one test, deleted at its end.
pub struct BrokerBackend {
    pub broker: Broker,
    pub vhost: String,
    /// Between the workers and the broker.
    network: Proxy,
}

/// The broker that the tests share.
#[derive(Clone)]
pub struct Broker {
    pub amqp: Url,
    pub management: String,
    pub http: reqwest::Client,
}

impl Broker {
    /// From the environment; `None` if tests that need servers are skipped.
    fn of_tests(test: &str) -> Option<Self> {
        let amqp = testkit::test_server("SPOTIFAI_TEST_QUEUE", test)?;
        let management = testkit::test_server("SPOTIFAI_TEST_QUEUE_MANAGEMENT", test)?;
        let management = management.trim_end_matches('/').to_owned();
        Some(Self { amqp: amqp.parse().expect("an address"), management, http: reqwest::Client::new() })
    }

    pub async fn ask(&self, method: Method, path: &str) -> Value {
        let (user, password) = (self.amqp.username(), self.amqp.password());
        let request = self.http.request(method, format!("{}/api/{path}", self.management));
        let answer = request.basic_auth(user, password).send().await.expect("the management API answers");
        answer.json().await.unwrap_or_default()
    }
}

impl BrokerBackend {
    pub fn url(&self) -> String {
        let mut url = self.broker.amqp.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.network.port())).unwrap();
        url.set_path(&self.vhost);
        url.to_string()
    }

    /// A channel of its own, outside of any queue.
    pub async fn channel(&self) -> (Connection, lapin::Channel) {
        let connection = Connection::connect(&self.url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }
}

#[async_trait]
impl TestBackend for BrokerBackend {
    async fn fresh(test: &str) -> Option<Self> {
        let broker = Broker::of_tests(test)?;
        let vhost = format!("test-{}", uuid::Uuid::new_v4().simple());
        let host = broker.amqp.host_str().expect("an address has a host");
        let network = Proxy::before_host(host, broker.amqp.port().unwrap_or(5672)).await.unwrap();
        let backend = Self { broker, vhost, network };
        backend.broker.ask(Method::PUT, &format!("vhosts/{}", backend.vhost)).await;
        let user = backend.broker.amqp.username().to_owned();
        let everything = serde_json::json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let path = format!("{}/api/permissions/{}/{user}", backend.broker.management, backend.vhost);
        let request = backend.broker.http.put(path).basic_auth(&user, backend.broker.amqp.password()).json(&everything);
        assert!(request.send().await.unwrap().status().is_success());
        Some(backend)
    }

    async fn open(&self) -> Arc<dyn Queue> {
        queue::open(&self.url(), Some(&self.broker.management)).await.unwrap()
    }

    async fn put_raw(&self, kind: &str, payload: &[u8]) {
        // Subscribing declares the kind's queues.
        let queue = self.open().await;
        drop(queue.subscribe(&[kind], 1).await.unwrap());
        let (_connection, channel) = self.channel().await;
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let name = format!("spotifai.{kind}");
        channel.basic_publish("".into(), name.into(), options, payload, properties).await.unwrap();
        wait_for_counts(&queue, kind, (1, 0, 0, 0)).await;
    }

    async fn end_leases(&self) {
        self.network.cut();
    }

    async fn wait_until_noticed(&self, subscription: &mut Box<dyn Subscription>) {
        within_a_minute(async { while subscription.next().await.is_ok() {} }).await;
    }

    fn max_lease(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl Drop for BrokerBackend {
    fn drop(&mut self) {
        let (broker, path) = (self.broker.clone(), format!("vhosts/{}", self.vhost));
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Broker { http: reqwest::Client::new(), ..broker }.ask(Method::DELETE, &path))
        });
        let _ = deleting.join();
    }
}
