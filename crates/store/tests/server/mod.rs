//! Servers and databases for tests.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;
use mongodb::bson::doc;
use tempfile::TempDir;

/// A database of a test's own on the server of `SPOTIFAI_TEST_STORE`, dropped at its end.
pub struct Database {
    url: String,
    name: String,
}

impl Database {
    /// `None` where tests on servers are to be left out.
    pub fn of_tests(test: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = testkit::test_server("SPOTIFAI_TEST_STORE", test)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{}-{number}", Timestamp::now().0, std::process::id());
        Some(Self { url: with_database(&server, &name), name })
    }

    /// The store's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database as a person with a shell sees it.
    pub async fn client(&self) -> mongodb::Database {
        mongodb::Client::with_uri_str(&self.url).await.unwrap().database(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A runtime of its own: that of the test cannot be waited for here.
        let (url, name) = (self.url.clone(), self.name.clone());
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { mongodb::Client::with_uri_str(&url).await?.database(&name).drop().await })
        });
        if let Ok(Err(error)) = drop.join() {
            eprintln!("the database {} stays: {error}", self.name);
        }
    }
}

/// The URL of a server with the name of a database put in.
fn with_database(server: &str, name: &str) -> String {
    let (server, options) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = server.split_once("://").expect("a mongodb:// URL");
    let hosts = rest.split_once('/').map_or(rest, |(hosts, _)| hosts);
    format!("{scheme}://{hosts}/{name}?{options}")
}

/// A server of a test's own, which it may kill.
pub struct Server {
    program: String,
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts `SPOTIFAI_TEST_STORE_PROGRAM`: a `mongod`, or the `secantusd-rs` that the tests come with. `None` where tests
    /// on servers are to be left out.
    pub async fn start(test: &str) -> Option<Self> {
        let program = testkit::test_server("SPOTIFAI_TEST_STORE_PROGRAM", test)?;
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = launch(&program, &folder, port);
        let server = Self { program, folder, port, process };
        server.answers().await;
        Some(server)
    }

    /// The URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The same server on the same folder and port.
    pub async fn start_again(&mut self) {
        self.process = launch(&self.program, &self.folder, self.port);
        self.answers().await;
    }

    async fn answers(&self) {
        let started = Instant::now();
        let client = mongodb::Client::with_uri_str(self.url("admin")).await.unwrap();
        while let Err(error) = client.database("admin").run_command(doc! { "ping": 1 }).await {
            assert!(started.elapsed() < Duration::from_secs(60), "{error}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(program: &str, folder: &TempDir, port: u16) -> Child {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string()]);
    if program.ends_with("mongod") {
        command.arg("--dbpath").arg(folder.path());
    } else {
        // Its acknowledged writes outlive it only with the last flag.
        command.arg("--storage-path").arg(folder.path()).args(["--cache-size", "64M", "--sync-on-commit"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server's program runs")
}
