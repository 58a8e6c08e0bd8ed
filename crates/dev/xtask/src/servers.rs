//! `cargo xtask services up|down`, and the servers of a test run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use services::{Broker, Folder, Ports, StoreServer};

use crate::command::target;

/// The variable that names a broker to tests.
const QUEUE: &str = "SPOTIFAI_TEST_QUEUE";
/// The same for the base of its management API.
const MANAGEMENT: &str = "SPOTIFAI_TEST_QUEUE_MANAGEMENT";
/// The same for a MongoDB server.
const STORE: &str = "SPOTIFAI_TEST_STORE";

/// File with what `up` printed, for the next `up`.
const PRINTED: &str = "environment";

/// Environment variables with their values.
pub type Environment = Vec<(&'static str, String)>;

/// Starts both servers, unless they run already, and prints the variables that point tests at them.
pub fn up() -> anyhow::Result<()> {
    let folder = Folder::create(&up_folder()?)?;
    let printed = folder.path().join(PRINTED);
    if !folder.is_running()? {
        folder.stop_all()?;
        let folder = emptied_folder(&folder)?;
        let environment = start(&folder, Ports::Usual).inspect_err(|_| drop(folder.stop_all()))?;
        let lines: String = environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        fs::write(&printed, lines)?;
    }
    print!("{}", fs::read_to_string(&printed)?);
    Ok(())
}

/// Stops what `up` started, and forgets what the servers held.
pub fn down() -> anyhow::Result<()> {
    let path = up_folder()?;
    let stopped = if path.exists() { Folder::create(&path)?.remove()? } else { Vec::new() };
    match stopped.as_slice() {
        [] => println!("nothing was running"),
        names => println!("stopped {}", names.join(", ")),
    }
    Ok(())
}

/// What [`install`] would install, a line each.
pub fn missing() -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    if std::env::var_os(QUEUE).is_none() {
        missing.extend(services::missing_broker());
    }
    if std::env::var_os(STORE).is_none() {
        missing.extend(services::missing_store(&target()?));
    }
    Ok(missing)
}

/// Installs the servers that the environment does not name, so that [`start`] has nothing to build.
pub fn install() -> anyhow::Result<()> {
    if std::env::var_os(QUEUE).is_none() {
        services::install_broker()?;
    }
    if std::env::var_os(STORE).is_none() {
        services::install_store(&target()?)?;
    }
    Ok(())
}

/// Starts the servers that the environment does not name; returns the variables that name them.
pub fn start(folder: &Folder, ports: Ports) -> anyhow::Result<Environment> {
    let mut environment = Environment::new();
    if std::env::var_os(QUEUE).is_none() {
        services::install_broker()?;
        eprintln!("starting RabbitMQ");
        let broker = Broker::start(folder, ports)?;
        environment.extend([(QUEUE, broker.url()), (MANAGEMENT, broker.management_url())]);
    }
    if std::env::var_os(STORE).is_none() {
        let program = services::install_store(&target()?)?;
        eprintln!("starting the store's server");
        environment.push((STORE, StoreServer::start(folder, &program, ports)?.url()));
    }
    Ok(environment)
}

/// A folder for the servers of this run only.
pub fn run_folder(name: &str) -> anyhow::Result<Folder> {
    Folder::create(&target()?.join(format!("services/{name}-{}", std::process::id())))
}

/// Waits until the standard input ends, then stops what was started in a folder and deletes it.
pub fn keep(folder: &Path) -> anyhow::Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Folder::create(folder)?.remove().map(drop)
}

/// Where the servers of `up` live.
fn up_folder() -> anyhow::Result<PathBuf> {
    Ok(target()?.join("services/up"))
}

fn emptied_folder(folder: &Folder) -> anyhow::Result<Folder> {
    folder.remove()?;
    Folder::create(folder.path())
}
