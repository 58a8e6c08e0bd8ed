//! A virtual host for each side and round, made through the management API.

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method};
use url::Url;

/// The broker that all sides share.
pub struct Broker {
    queue: Url,
    management: Url,
    client: Client,
}

/// An empty virtual host. It is deleted by [`Vhost::delete`]; what a failed benchmark leaves behind is named `bench-…`.
pub struct Vhost<'a> {
    broker: &'a Broker,
    name: String,
    url: String,
}

impl Broker {
    /// The broker at `queue`, whose user may make virtual hosts.
    pub fn new(queue: Option<&str>, management: &str) -> anyhow::Result<Self> {
        let Some(queue) = queue else {
            bail!("no broker is named: set SPOTIFAI_TEST_QUEUE or give --queue amqp://user:password@host:port");
        };
        let (queue, management) =
            (Url::parse(queue).context("--queue")?, Url::parse(management).context("--management")?);
        Ok(Self { queue, management, client: Client::new() })
    }

    /// Base address of the management API.
    pub fn management(&self) -> &str {
        self.management.as_str()
    }

    /// Makes a virtual host that its user may do everything in.
    pub async fn vhost(&self) -> anyhow::Result<Vhost<'_>> {
        let name = format!("bench-{}", uuid::Uuid::new_v4());
        self.call(Method::PUT, &format!("api/vhosts/{name}"), "{}").await?;
        let everything = r#"{"configure":".*","write":".*","read":".*"}"#;
        self.call(Method::PUT, &format!("api/permissions/{name}/{}", self.queue.username()), everything).await?;
        let mut url = self.queue.clone();
        url.set_path(&name);
        Ok(Vhost { broker: self, name, url: url.into() })
    }

    async fn call(&self, method: Method, path: &str, body: &'static str) -> anyhow::Result<()> {
        let request =
            self.client.request(method, self.management.join(path)?).header("content-type", "application/json");
        let answer = request.basic_auth(self.queue.username(), self.queue.password()).body(body).send().await?;
        ensure!(answer.status().is_success(), "{path}: the management API answered {}", answer.status());
        Ok(())
    }
}

impl Vhost<'_> {
    /// Address of a queue in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Deletes it with all its queues.
    pub async fn delete(self) -> anyhow::Result<()> {
        self.broker.call(Method::DELETE, &format!("api/vhosts/{}", self.name), "").await
    }
}
