//! `cargo xtask test`.

use std::path::PathBuf;

use services::Ports;

use crate::command::{cargo, run};
use crate::consent::ask_before_installing;
use crate::keeper::Keeper;
use crate::servers::{self, run_folder, start};
use crate::tools::{missing_pandas, pandas};

/// Names the folder of real inputs that some tests read; without it those tests are skipped, each by its name.
const REAL_DATA: &str = "SPOTIFAI_REAL_DATA";

/// Set if there are no servers: tests that need one are skipped, each by its name.
const OFFLINE: &str = "SPOTIFAI_TEST_OFFLINE";

/// Names a Python with pandas, which some tests compare with; without it those tests are skipped, each by its name.
const PYTHON: &str = "SPOTIFAI_TEST_PYTHON";

/// Runs `cargo test` over the workspace, with a broker and a store of its own unless the environment names running ones; with
/// `--no-run` it builds the tests and installs those servers. Asks before it installs anything.
pub fn run_tests(arguments: &[String], offline: bool, yes: bool) -> anyhow::Result<()> {
    if !offline {
        let mut missing = servers::missing()?;
        if std::env::var_os(PYTHON).is_none() {
            missing.extend(missing_pandas());
        }
        ask_before_installing(&missing, yes)?;
    }
    let mut command = cargo();
    command.args(["test", "--release"]);
    if !arguments.iter().any(|argument| argument == "-p" || argument.starts_with("--package")) {
        command.arg("--workspace");
    }
    command.args(arguments);
    // Tests run in the folders of their crates: a relative path would mean another place in each.
    if let Some(folder) = std::env::var_os(REAL_DATA) {
        command.env(REAL_DATA, PathBuf::from(folder).canonicalize()?);
    }
    if std::env::var_os(PYTHON).is_none() {
        match pandas(offline)? {
            Some(python) => {
                command.env(PYTHON, python);
            }
            None => println!("left out by --offline: the tests that compare with pandas, which is not installed yet"),
        }
    }
    if offline {
        let result = run(command.env(OFFLINE, "1"));
        println!("left out by --offline: the tests that need RabbitMQ, the tests that need a MongoDB server");
        return result;
    }
    if arguments.iter().any(|argument| argument == "--no-run") {
        servers::install()?;
        return run(&mut command);
    }
    let folder = run_folder("test")?;
    let _keeper = Keeper::start(&folder)?;
    command.env_remove(OFFLINE).envs(start(&folder, Ports::Free)?);
    run(&mut command)
}
