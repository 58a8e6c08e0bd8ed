//! A broker and a store that a team shares: a virtual host and a database of a test's own on the test servers.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::job::Envelope;
use queue::Queue;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use store::Store;
use tokio::runtime::Runtime;

use crate::common::spotifai;

/// Nothing in these tests takes this long, unless it hangs.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Team {
    pub runtime: Runtime,
    pub queue_url: Url,
    pub store_url: Url,
    management: String,
}

impl Team {
    /// `None` where tests on servers are to be left out.
    pub fn new(test: &str) -> Option<Self> {
        let [queue, management, store] =
            ["SPOTIFAI_TEST_QUEUE", "SPOTIFAI_TEST_QUEUE_MANAGEMENT", "SPOTIFAI_TEST_STORE"]
                .map(|variable| testkit::test_server(variable, test));
        let name = format!("test-{}", uuid::Uuid::new_v4().simple());
        let [mut queue_url, mut store_url]: [Url; 2] = [queue?, store?].map(|url| url.parse().expect("an address"));
        queue_url.set_path(&name);
        store_url.set_path(&name);
        let management = management?.trim_end_matches('/').to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let team = Self { runtime, queue_url, store_url, management };
        team.manage(Method::PUT, &format!("vhosts/{name}"), &json!({}));
        let everything = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        team.manage(Method::PUT, &format!("permissions/{name}/{}", team.queue_url.username()), &everything);
        Some(team)
    }

    /// Asks the broker's management API.
    pub fn manage(&self, method: Method, path: &str, body: &Value) {
        let request = reqwest::Client::new().request(method, format!("{}/api/{path}", self.management)).json(body);
        let password = self.queue_url.password();
        let answer = self.runtime.block_on(request.basic_auth(self.queue_url.username(), password).send()).unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// `spotifai` for this team.
    pub fn command(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = spotifai(folder, args);
        command.envs([("SPOTIFAI_QUEUE", self.queue_url.as_str()), ("SPOTIFAI_STORE", self.store_url.as_str())]);
        command.env("SPOTIFAI_QUEUE_MANAGEMENT_URL", &self.management);
        command
    }

    /// What `spotifai` prints as JSON; the exit code may be any.
    pub fn json(&self, folder: &Path, args: &[&str]) -> Value {
        let output = self.command(folder, args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What `spotifai` prints, whatever its exit code.
    pub fn text(&self, folder: &Path, args: &[&str]) -> String {
        let output = self.command(folder, args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    pub fn queue(&self) -> Arc<dyn Queue> {
        self.runtime.block_on(queue::open(self.queue_url.as_str(), Some(&self.management))).unwrap()
    }

    pub fn store(&self) -> Arc<dyn Store> {
        self.runtime.block_on(store::open(self.store_url.as_str())).unwrap()
    }

    pub fn publish(&self, jobs: &[Envelope]) {
        self.runtime.block_on(self.queue().publish(jobs)).unwrap();
    }

    /// Puts a message into the queue of a kind, whatever it says.
    pub fn put_raw(&self, kind: &str, payload: &str) {
        let vhost = self.queue_url.path().trim_start_matches('/').to_owned();
        // Whoever subscribes makes the queue.
        drop(self.runtime.block_on(self.queue().subscribe(&[kind], 1)).unwrap());
        let message = json!({
            "properties": { "delivery_mode": 2 }, "routing_key": format!("spotifai.{kind}"),
            "payload": payload, "payload_encoding": "string",
        });
        self.manage(Method::POST, &format!("exchanges/{vhost}/amq.default/publish"), &message);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let vhost = self.queue_url.path().trim_start_matches('/').to_owned();
            self.manage(Method::DELETE, &format!("vhosts/{vhost}"), &json!({}));
        }
    }
}

/// A worker process that does not outlive its test, with the address of its health.
pub struct Process {
    pub child: Child,
    address: String,
}

impl Process {
    /// Starts a worker of `command` that serves its health.
    pub fn start(mut command: Command) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        command.env("SPOTIFAI_LISTEN", &address).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("spotifai starts"), address }
    }

    /// A page of its health: status and text; 0 where it does not answer yet.
    pub fn page(&self, team: &Team, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.address);
        team.runtime.block_on(async {
            match reqwest::get(url).await {
                Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
                Err(_) => (0, String::new()),
            }
        })
    }

    /// A metric of its jobs of one kind that ended so.
    pub fn ended(&self, team: &Team, kind: &str, end: &str) -> u64 {
        let (_, metrics) = self.page(team, "/metrics");
        let name = format!("spotifai_jobs_total{{kind=\"{kind}\",end=\"{end}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is found.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match look() {
            Some(found) => return found,
            None if Instant::now() > deadline => panic!("waited two minutes in vain: {what}"),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
