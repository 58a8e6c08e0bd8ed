//! `cargo xtask deploy`: the image, the compose file and the Kubernetes manifests, as far as they can be checked without an
//! engine or a cluster. Each problem is one line: file, what, why.

mod compose;
mod manifests;
mod references;
mod variables;
pub mod workers;

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::command::root;
use crate::tools::{kubectl, output, tool};

/// What scales the workers, made by the program itself.
const SCALING: &str = "k8s/base/scaling.yaml";

/// The folders that `kubectl kustomize` can read.
const SETS: &[&str] = &["k8s/base", "k8s/overlays/local", "k8s/overlays/team"];

/// Writes what follows from the kinds of job: the objects by which a cluster scales the workers.
///
/// # Errors
/// The program cannot be built, or the file not be written.
pub fn write() -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(["run", "--quiet", "--release", "--package", "cli", "--", "kinds", "--scaling"]);
    let made = output(command.stderr(Stdio::inherit()))?;
    if !made.status.success() {
        bail!("`spotifai kinds --scaling` ended with {}", made.status);
    }
    std::fs::write(root().join(SCALING), made.stdout).with_context(|| format!("cannot write {SCALING}"))?;
    println!("wrote {SCALING}");
    Ok(())
}

/// Checks everything; prints each problem.
///
/// # Errors
/// There is a problem, or a checker cannot be run.
pub fn check() -> anyhow::Result<()> {
    let workers = workers::names()?;
    let mut problems = lint("deploy/Dockerfile")?;
    problems.extend(variables::problems(&root())?);

    let compose = std::fs::read(root().join("docker-compose.yml"))?;
    let found = validate(&["compose"], &compose)?;
    problems.extend(found.problems("docker-compose.yml"));
    for document in &found.documents {
        problems
            .extend(compose::problems(document, &workers).into_iter().map(|why| format!("docker-compose.yml: {why}")));
    }

    let keys = std::fs::read_to_string(root().join("k8s/overlays/team/secret.env.example"))?;
    let mut base = None;
    for set in SETS {
        let rendered = output(kubectl()?.args(["kustomize", set]))?;
        if !rendered.status.success() {
            let said = String::from_utf8_lossy(&rendered.stderr);
            problems
                .push(format!("{set}: kubectl kustomize: {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
            continue;
        }
        let found = validate(&["kubernetes", "k8s/schemas"], &rendered.stdout)?;
        problems.extend(found.problems(set));
        problems.extend(
            manifests::problems(&found.documents, &keys, &workers).into_iter().map(|why| format!("{set}: {why}")),
        );
        // The base is the first of them.
        let base = base.get_or_insert_with(|| found.documents.clone());
        problems.extend(manifests::scaling(base, &found.documents).into_iter().map(|why| format!("{set}: {why}")));
    }

    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} problem(s) in what is deployed", problems.len());
    }
    println!("image, compose file and {} sets of manifests are in order", SETS.len());
    Ok(())
}

/// What deploy/validate.py writes.
#[derive(Deserialize)]
struct Validated {
    documents: Vec<Value>,
    problems: Vec<String>,
}

impl Validated {
    fn problems(&self, file: &str) -> Vec<String> {
        self.problems.iter().map(|why| format!("{file}: {why}")).collect()
    }
}

fn validate(arguments: &[&str], yaml: &[u8]) -> anyhow::Result<Validated> {
    let mut command = Command::new(tool("python")?);
    command.current_dir(root()).arg("deploy/validate.py").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start deploy/validate.py")?;
    // It reads all of it before it writes anything.
    child.stdin.take().context("deploy/validate.py has no input")?.write_all(yaml)?;
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("deploy/validate.py {} ended with {}", arguments.join(" "), done.status);
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// What hadolint says about a Dockerfile.
fn lint(file: &str) -> anyhow::Result<Vec<String>> {
    let said = output(Command::new(tool("hadolint")?).args(["--no-color", file]))?;
    Ok(String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect())
}
