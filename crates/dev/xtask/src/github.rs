//! `cargo xtask github`: workflows, issue forms and dependabot's settings, as far as they can be checked without GitHub.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::root;
use crate::tools::{output, tool};

/// Each set of files, a folder or one file, with the schemas of check-jsonschema that it must follow.
const SCHEMAS: &[(&str, &[&str])] = &[
    (".github/workflows", &["vendor.github-workflows", "custom.github-workflows-require-timeout"]),
    (".github/ISSUE_TEMPLATE", &["vendor.github-issue-forms"]),
    (".github/ISSUE_TEMPLATE/config.yml", &["vendor.github-issue-config"]),
    (".github/dependabot.yml", &["vendor.dependabot"]),
];

/// Checks everything; prints each problem.
///
/// # Errors
/// There is a problem, or the checker cannot be run.
pub fn check() -> anyhow::Result<()> {
    let mut problems = Vec::new();
    let mut checked = 0;
    for (place, schemas) in SCHEMAS {
        let files = yaml_files(&root().join(place))?;
        checked += files.len();
        for schema in *schemas {
            problems.extend(against(schema, &files)?);
        }
    }
    for file in yaml_files(&root().join(".github/workflows"))? {
        let text = std::fs::read_to_string(&file)?;
        let file = file.strip_prefix(root())?.display().to_string();
        problems.extend(unpinned(&text).into_iter().map(|problem| format!("{file}:{problem}")));
        if !text.lines().any(|line| line.starts_with("permissions:")) {
            problems
                .push(format!("{file}: permissions: say which the jobs have, `contents: read` if nothing is written"));
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} problem(s) in .github", problems.len());
    }
    println!("{checked} files of .github are in order");
    Ok(())
}

/// The YAML files of a folder, but for the one that has a schema of its own; or the one file.
fn yaml_files(place: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let entries = std::fs::read_dir(place).with_context(|| format!("cannot read {}", place.display()))?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| {
        file.extension().is_some_and(|extension| extension == "yml") && !file.ends_with("ISSUE_TEMPLATE/config.yml")
    });
    files.sort();
    Ok(files)
}

/// What check-jsonschema says of files.
fn against(schema: &str, files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(tool("check-jsonschema")?);
    let checked = output(command.args(["--color", "never", "--builtin-schema", schema]).args(files))?;
    if checked.status.success() {
        return Ok(Vec::new());
    }
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said).replace(&format!("{}/", root().display()), "");
    Ok(said.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{schema}: {}", line.trim())).collect())
}

/// `LINE: ACTION: why` for each action that may become another one under the same name.
fn unpinned(workflow: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in workflow.lines().enumerate() {
        let Some(action) = line.trim_start().trim_start_matches("- ").strip_prefix("uses: ") else { continue };
        let action = action.split(" #").next().unwrap_or_default().trim();
        let version = action.split_once('@').map_or("", |(_, version)| version);
        let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let numbers = version.strip_prefix('v').map_or(0, |version| {
            let numbers: Vec<_> = version.split('.').collect();
            if numbers.iter().all(|number| number.parse::<u32>().is_ok()) { numbers.len() } else { 0 }
        });
        if !is_commit && numbers != 3 {
            problems.push(format!("{}: {action}: pin a full version (v1.2.3) or a commit", at + 1));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_a_full_version_or_a_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let workflow = format!(
            "steps:\n  - uses: a/b@v1.2.3\n  - name: x\n    uses: a/b@{commit} # v1.2.3\n  - uses: a/b@v1\n  - uses: a/b@main\n"
        );
        let said = unpinned(&workflow);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("5: a/b@v1: ") && said[1].starts_with("6: a/b@main: "), "{said:?}");
    }
}
