//! The servers, the network in front of them, and the stand-ins for the services.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};
use services::{Broker, Folder, Ports, StoreServer};
use testkit::{Catalogue, Network, Oddities, Proxy, Service, Stage};

use crate::plan::{Event, Plan, THROTTLED_SHARE};

/// Name of the virtual host and of the database.
const VHOST: &str = "chaos";

/// First step and cap of the back-off after throttled answers, in seconds.
const BACKOFF_SETTING: &str = "0.2..1";

/// Everything that the workers talk to.
pub struct World {
    pub catalogue: Catalogue,
    pub stage: Stage,
    broker: Broker,
    store: StoreServer,
    to_broker: Proxy,
    to_store: Proxy,
    http: reqwest::Client,
}

impl World {
    /// Starts empty servers.
    pub async fn start(folder: &Folder, store_program: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let catalogue = Catalogue::sample(plan.tracks, plan.seed);
        let oddities = Oddities { throttled_share: THROTTLED_SHARE, seed: plan.seed, ..Oddities::none() };
        let stage = testkit::serve(catalogue.clone(), oddities).await?;
        let store = tokio::task::block_in_place(|| StoreServer::start(folder, store_program, Ports::Free))?;
        let broker = tokio::task::block_in_place(|| Broker::start(folder, Ports::Free))?;
        let to_broker = Proxy::before(broker.port()).await?;
        let to_store = Proxy::before(store.port()).await?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        let world = Self { catalogue, stage, broker, store, to_broker, to_store, http };
        world.manage(Method::PUT, &format!("vhosts/{VHOST}"), &json!({})).await?;
        let everything = json!({"configure": ".*", "write": ".*", "read": ".*"});
        world.manage(Method::PUT, &format!("permissions/{VHOST}/guest"), &everything).await?;
        Ok(world)
    }

    /// The queue, bypassing the faulty network.
    pub fn queue_url(&self) -> String {
        format!("{}/{VHOST}", self.broker.url())
    }

    /// Base of the broker's management API.
    pub fn management_url(&self) -> String {
        self.broker.management_url()
    }

    /// The store, bypassing the faulty network.
    pub fn store_url(&self) -> String {
        store_url(self.store.port())
    }

    /// The environment variables of a worker: all servers through the faulty network.
    pub fn environment(&self, plan: &Plan) -> Vec<(String, String)> {
        let mut environment = self.stage.environment();
        let mut set = |name: &str, value: String| environment.push((name.to_owned(), value));
        set("SPOTIFAI_QUEUE", format!("amqp://guest:guest@127.0.0.1:{}/{VHOST}", self.to_broker.port()));
        set("SPOTIFAI_QUEUE_MANAGEMENT_URL", self.management_url());
        set("SPOTIFAI_STORE", store_url(self.to_store.port()));
        set("SPOTIFAI_LASTFM_BACKOFF", BACKOFF_SETTING.to_owned());
        // Later values override those of the stage.
        set("SPOTIFAI_LASTFM_RATE", plan.rates.0.to_string());
        set("SPOTIFAI_SPOTIFY_RATE", plan.rates.1.to_string());
        environment
    }

    /// Carries out an event. Returns whether a server was down and is back.
    pub async fn happen(&mut self, event: Event) -> anyhow::Result<bool> {
        match event {
            Event::RestartBroker => tokio::task::block_in_place(|| {
                self.broker.stop()?;
                self.broker.start_again()
            })?,
            Event::CrashBroker => tokio::task::block_in_place(|| {
                self.broker.kill()?;
                self.broker.start_again()
            })?,
            Event::StopStore(time) => {
                self.store.kill()?;
                tokio::time::sleep(time).await;
                tokio::task::block_in_place(|| self.store.start_again())?;
            }
            Event::Cut => {
                self.to_broker.cut();
                self.to_store.cut();
                return Ok(false);
            }
            Event::Silence(time) => {
                self.set_networks(Network::Silent);
                tokio::time::sleep(time).await;
                self.set_networks(Network::Open);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn set_networks(&self, network: Network) {
        self.to_broker.set(network);
        self.to_store.set(network);
    }

    /// The approximate share of pages that were read: the catalogue's oddities cost some more.
    pub fn progress(&self) -> f64 {
        let answers = self.stage.answers(Service::Lastfm, 200) + self.stage.answers(Service::Lastfm, 404);
        answers as f64 * (1.0 - THROTTLED_SHARE) / self.catalogue.expected().tracks as f64
    }

    /// Puts any message into a queue.
    pub async fn publish(&self, queue: &str, payload: &str) -> anyhow::Result<()> {
        let properties = json!({"delivery_mode": 2});
        let message =
            json!({"properties": properties, "routing_key": queue, "payload": payload, "payload_encoding": "string"});
        let answer = self.manage(Method::POST, &format!("exchanges/{VHOST}/amq.default/publish"), &message).await?;
        let is_routed = answer["routed"] == true;
        is_routed.then_some(()).with_context(|| format!("there is no queue {queue}: {answer}"))
    }

    async fn manage(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/api/{path}", self.management_url());
        let request = self.http.request(method, url).basic_auth("guest", Some("guest"));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&answer).unwrap_or(Value::Null))
    }
}

fn store_url(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}/{VHOST}?directConnection=true")
}
