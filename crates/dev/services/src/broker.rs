//! A private RabbitMQ node with the management plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::Process;
use crate::{Folder, Ports, greeting, install};

/// Makes counts fresh: by default the node counts every 5 s, and its quorum queues another 5 s later.
const ADVANCED_CONFIG: &str = "[{rabbit, [{quorum_tick_interval, 200}]}].\n";

/// Checks for an alarm before giving up; each takes about a second.
const MAX_ALARM_CHECKS: u32 = 30;

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
    /// Starts an empty node; returns when it accepts connections.
    pub fn start(folder: &Folder, ports: Ports) -> anyhow::Result<Self> {
        let ports = BrokerPorts {
            amqp: ports.choose(5672)?,
            management: ports.choose(15_672)?,
            distribution: Ports::Free.choose(25_672)?,
            epmd: Ports::Free.choose(4369)?,
        };
        let home = folder.path().join("rabbitmq");
        configure(&home, ports)?;
        // Erlang would start this name service by itself and leave it running.
        let mut epmd = Command::new("epmd");
        folder.start("epmd", epmd.args(["-address", "127.0.0.1", "-port", &ports.epmd.to_string()]))?;
        let node = start_node(folder, &home, ports)?;
        Ok(Self { folder: folder.clone(), home, ports, node })
    }

    /// Address of the broker: `amqp://guest:guest@127.0.0.1:PORT`.
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

    /// Raises the memory alarm, which blocks all publishers, or clears it; returns when that has taken effect.
    ///
    /// # Errors
    /// If `rabbitmqctl` fails, or the node does not react.
    pub fn set_memory_alarm(&self, on: bool) -> anyhow::Result<()> {
        self.control(&["set_vm_memory_high_watermark", if on { "0" } else { "0.6" }])?;
        // The alarm is raised asynchronously, and with a delay on a busy machine.
        for _ in 0..MAX_ALARM_CHECKS {
            if self.control(&["eval", "rabbit_alarm:get_alarms()."])?.contains("memory") == on {
                return Ok(());
            }
        }
        bail!("the memory alarm of the node does not follow its watermark")
    }

    /// Runs `rabbitmqctl` and returns its output.
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

    /// Shuts the node down.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.node.stop()
    }

    /// Kills the node, like a crash.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.node.kill()
    }

    /// Restarts the node on its data; returns when it accepts connections.
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
    // Empty, or the machine's own file would be read.
    fs::write(home.join("rabbitmq-env.conf"), "")?;
    Ok(())
}

fn start_node(folder: &Folder, home: &Path, ports: BrokerPorts) -> anyhow::Result<Process> {
    let mut command = Command::new(install::broker_program()?);
    command
        // Where Erlang looks for its cookie.
        .env("HOME", home)
        // Makes the script exec the node instead of waiting for it.
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
