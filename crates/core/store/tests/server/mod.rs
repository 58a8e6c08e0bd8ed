//! Servers and databases for tests.

pub mod old;

use std::sync::atomic::{AtomicU32, Ordering};

use model::Timestamp;
use services::{Folder, Ports, StoreServer};

/// A database for one test on the server that `SPOTIFAI_TEST_STORE` names, dropped at its end.
pub struct TestDatabase {
    url: String,
    name: String,
}

impl TestDatabase {
    /// `None` if tests that need servers are skipped.
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

    /// The URL with a user that the server does not know.
    pub fn url_of_unknown_user(&self) -> String {
        self.url.replacen("://", "://nobody:hush@", 1)
    }

    /// The database as seen by a client other than the store.
    pub async fn client(&self) -> mongodb::Database {
        mongodb::Client::with_uri_str(&self.url).await.unwrap().database(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // On a runtime of its own: `drop` cannot wait for the test's.
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

/// A server for one test, which may kill it; removed at its end.
pub struct PrivateServer {
    folder: Folder,
    server: StoreServer,
}

impl PrivateServer {
    /// `None` if tests that need servers are skipped.
    pub fn start(test: &str) -> Option<Self> {
        testkit::test_server("SPOTIFAI_TEST_STORE", test)?;
        let this = std::env::current_exe().unwrap();
        let target = this.ancestors().nth(3).expect("tests lie in cargo's target folder");
        let program = services::install_store(target).unwrap();
        let folder = Folder::create(&target.join(format!("services/{test}-{}", std::process::id()))).unwrap();
        let server = StoreServer::start(&folder, &program, Ports::Free).unwrap();
        Some(Self { folder, server })
    }

    /// The store's URL.
    pub fn url(&self) -> String {
        with_database(&self.server.url(), "x")
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.server.kill().unwrap();
    }

    /// The same server on the same folder and port; returns when it answers.
    pub fn start_again(&mut self) {
        self.server.start_again().unwrap();
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let _ = self.folder.remove();
    }
}
