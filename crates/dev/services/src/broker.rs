//! A RabbitMQ node of our own, with the management plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::Process;
use crate::{Folder, Ports, greeting, install};

/// Counts that are fresh: by default the node counts every 5 s, and its quorum queues every 5 s more.
const ADVANCED_CONFIG: &str = "[{rabbit, [{quorum_tick_interval, 200}]}].\n";

/// How often it is looked whether an alarm is raised; each look takes a second or so.
const MAX_ALARM_LOOKS: u32 = 30;

/// A RabbitMQ node, with the name service that Erlang needs.
#[derive(Debug)]
pub struct Broker {
    folder: Folder,
    home: PathBuf,
    ports: BrokerPorts,
    node: Process,
}

#[derive(Debug, Clone, Copy)]
struct BrokerPorts {
    amqp: u16,
    management: u16,
    distribution: u16,
    epmd: u16,
}

impl Broker {
    /// Starts a node with nothing in it; returns when it takes connections.
    pub fn start(folder: &Folder, ports: Ports) -> anyhow::Result<Self> {
        let ports = BrokerPorts {
            amqp: ports.choose(5672)?,
            management: ports.choose(15_672)?,
            distribution: Ports::Free.choose(25_672)?,
            epmd: Ports::Free.choose(4369)?,
        };
        let home = folder.path().join("rabbitmq");
        configure(&home, ports)?;
        // Erlang would start this name service by itself, and leave it behind.
        let mut epmd = Command::new("epmd");
        folder.start("epmd", epmd.args(["-address", "127.0.0.1", "-port", &ports.epmd.to_string()]))?;
        let node = start_node(folder, &home, ports)?;
        Ok(Self { folder: folder.clone(), home, ports, node })
    }

    /// Where jobs go: `amqp://guest:guest@127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.ports.amqp)
    }

    /// The port of [`Broker::url`].
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// Base of the management API: `http://127.0.0.1:PORT`.
    pub fn management_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.management)
    }

    /// Has the node take its memory for used up, which blocks everyone who publishes, or not any more; returns when it does.
    ///
    /// # Errors
    /// Where its operator's tool fails, or the node does not follow.
    pub fn set_memory_alarm(&self, on: bool) -> anyhow::Result<()> {
        self.control(&["set_vm_memory_high_watermark", if on { "0" } else { "0.6" }])?;
        // The alarm is raised beside the answer, and later on a busy machine.
        for _ in 0..MAX_ALARM_LOOKS {
            if self.control(&["eval", "rabbit_alarm:get_alarms()."])?.contains("memory") == on {
                return Ok(());
            }
        }
        bail!("the memory alarm of the node does not follow its watermark")
    }

    /// What the operator's tool prints.
    fn control(&self, command: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(install::broker_tool()?)
            .args(["--node", &node_name(self.ports)])
            .args(command)
            .env("HOME", &self.home)
            .env("RABBITMQ_CONF_ENV_FILE", self.home.join("rabbitmq-env.conf"))
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .current_dir(&self.home)
            .output()
            .context("cannot start rabbitmqctl")?;
        if !output.status.success() {
            bail!("rabbitmqctl: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Ends the node in good order.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.node.stop()
    }

    /// Ends the node as a crash does.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.node.kill()
    }

    /// Starts the node again on what it had; returns when it takes connections.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.node = start_node(&self.folder, &self.home, self.ports)?;
        Ok(())
    }
}

fn node_name(ports: BrokerPorts) -> String {
    format!("spotifai-{}@localhost", ports.amqp)
}

fn configure(home: &Path, ports: BrokerPorts) -> anyhow::Result<()> {
    fs::create_dir_all(home)?;
    let main = format!(
        "listeners.tcp.1 = 127.0.0.1:{}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {}\n\
         collect_statistics_interval = 200\n\
         log.console = false\n",
        ports.amqp, ports.management
    );
    fs::write(home.join("rabbitmq.conf"), main)?;
    fs::write(home.join("advanced.config"), ADVANCED_CONFIG)?;
    fs::write(home.join("enabled_plugins"), "[rabbitmq_management].\n")?;
    // In the place of the machine's own, which would be read otherwise.
    fs::write(home.join("rabbitmq-env.conf"), "")?;
    Ok(())
}

fn start_node(folder: &Folder, home: &Path, ports: BrokerPorts) -> anyhow::Result<Process> {
    let mut command = Command::new(install::broker_program()?);
    command
        // The folder of the user: where Erlang looks for its cookie.
        .env("HOME", home)
        // What makes the script become the node rather than wait for it beside it.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env("RABBITMQ_CONF_ENV_FILE", home.join("rabbitmq-env.conf"))
        .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", home.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", home.join("data"))
        .env("RABBITMQ_LOG_BASE", home.join("log"))
        .env("RABBITMQ_NODENAME", node_name(ports))
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
        .env("ERL_EPMD_PORT", ports.epmd.to_string())
        .current_dir(home);
    let node = folder.start("rabbitmq", &mut command)?;
    folder.wait_for(&node, || greeting::is_amqp(ports.amqp) && greeting::is_http(ports.management))?;
    Ok(node)
}
