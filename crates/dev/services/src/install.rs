//! Installing what is missing, and only that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Where Debian keeps RabbitMQ's own scripts. Those on the `PATH` are wrappers that become the user `rabbitmq`, who may
/// not enter everyone's folders.
const DEBIAN_SCRIPT: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

const STORE: &str = "secantusd-rs";
const STORE_VERSION: &str = "=0.5.3-beta.196";

/// Below cargo's target folder.
const STORE_FOLDER: &str = "services/programs";

/// What the store's server is built with.
const STORE_COMPILERS: &[&str] = &["cmake", "build-essential", "zlib1g-dev"];

/// The ways where nothing can be installed.
pub(crate) const WAY_OUT: &str = "point SPOTIFAI_TEST_QUEUE, SPOTIFAI_TEST_QUEUE_MANAGEMENT and SPOTIFAI_TEST_STORE at running \
                       servers, or leave their tests out with `cargo xtask test --offline`";

/// What [`install_broker`] would install, if anything: a line for a person.
pub fn missing_broker() -> Option<String> {
    let line = "Debian packages rabbitmq-server and Erlang, 54 MB by apt-get, 87 MB installed (as root)";
    find_broker().is_none().then(|| line.to_owned())
}

/// What [`install_store`] would install, a line each.
pub fn missing_store(target: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    if find_store(target).is_none() {
        if !has_store_compilers() {
            let packages = STORE_COMPILERS.join(", ");
            missing.push(format!("Debian packages {packages}, 12 MB by apt-get without compilers (as root)"));
        }
        let folder = target.join("services");
        missing.push(format!(
            "{STORE} {STORE_VERSION} from crates.io: about four minutes of two cores, 25 MB in {} (500 MB while it is built)",
            folder.display()
        ));
    }
    missing
}

/// Installs RabbitMQ where it is missing.
///
/// # Errors
/// Where that cannot be done, with what to do instead.
pub fn install_broker() -> anyhow::Result<()> {
    if find_broker().is_none() {
        eprintln!("installing RabbitMQ");
        install_packages(&["rabbitmq-server"])?;
    }
    broker_program().map(drop)
}

/// Installs the store's server under `target` where it is missing; returns its program. Building it takes minutes.
///
/// # Errors
/// Where that cannot be done, with what to do instead.
pub fn install_store(target: &Path) -> anyhow::Result<PathBuf> {
    if let Some(program) = find_store(target) {
        return Ok(program);
    }
    if !has_store_compilers() {
        eprintln!("installing what the store's server is built with");
        install_packages(STORE_COMPILERS)?;
    }
    let root = target.join(STORE_FOLDER);
    eprintln!("building the store's server, {STORE}: about four minutes on two cores, once");
    fs::create_dir_all(&root)?;
    let log = target.join("services/build.log");
    let output = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["install", "secantus-mdb", "--version", STORE_VERSION, "--locked", "--ignore-rust-version", "--root"])
        .arg(&root)
        .env("CARGO_TARGET_DIR", target.join("services/build"))
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the store's server cannot be built, {} says why: mend that, or {WAY_OUT}", log.display());
    }
    // Half a gigabyte that nobody needs again.
    fs::remove_dir_all(target.join("services/build"))?;
    Ok(root.join("bin").join(STORE))
}

/// The store's server, on the `PATH` or where [`install_store`] puts it.
fn find_store(target: &Path) -> Option<PathBuf> {
    let program = target.join(STORE_FOLDER).join("bin").join(STORE);
    find(STORE).or_else(|| program.is_file().then_some(program))
}

/// Whether the store's server can be built.
fn has_store_compilers() -> bool {
    let files = [find("cmake"), find("cc"), find("make"), Some("/usr/include/zlib.h".into())];
    files.into_iter().all(|file| file.is_some_and(|file| file.exists()))
}

/// The program of the broker.
pub(crate) fn broker_program() -> anyhow::Result<PathBuf> {
    find_broker().with_context(|| format!("rabbitmq-server is not installed: install it, or {WAY_OUT}"))
}

/// The program of the broker's operators, beside the broker's own.
pub(crate) fn broker_tool() -> anyhow::Result<PathBuf> {
    Ok(broker_program()?.with_file_name("rabbitmqctl"))
}

fn find_broker() -> Option<PathBuf> {
    let script = PathBuf::from(DEBIAN_SCRIPT);
    if script.is_file() { Some(script) } else { find("rabbitmq-server") }
}

fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    let packages = packages.join(" ");
    let command = format!("apt-get update && apt-get install -y {packages}");
    let Some(apt) = find("apt-get") else {
        bail!("{packages} must be installed and this machine has no apt-get: install it, or {WAY_OUT}");
    };
    if !is_root() {
        bail!("{packages} must be installed: run `sudo sh -c '{command}'`, or {WAY_OUT}");
    }
    for arguments in ["update".to_owned(), format!("install -y {packages}")] {
        let output = Command::new(&apt)
            .arg("-qq")
            .args(arguments.split(' '))
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Nobody but us starts the servers.
            .env("RUNLEVEL", "1")
            .output()
            .context("cannot start apt-get")?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let words = words.lines().next_back().unwrap_or("without a word");
            bail!("`apt-get {arguments}` failed: {words}; mend that, or {WAY_OUT}");
        }
    }
    Ok(())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// A program on the `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
