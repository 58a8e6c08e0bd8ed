//! The program's environment variables: those that the files name exist, and `.env.example` names those that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::settings::{ENVIRONMENT, PROCESS_ENVIRONMENT};

/// What is deployed: files, and folders with all that is in them.
const PLACES: &[&str] = &["docker-compose.yml", ".env.example", "deploy", "k8s"];

/// Names without a variable, and variables that `.env.example` has no line for.
pub fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for place in PLACES {
        for file in files(&root.join(place))? {
            let name = file.strip_prefix(root)?.display().to_string();
            found.extend(unknown(&name, &std::fs::read_to_string(&file)?));
        }
    }
    found.extend(undocumented(&std::fs::read_to_string(root.join(".env.example"))?));
    Ok(found)
}

fn known() -> impl Iterator<Item = &'static str> {
    let settings = ENVIRONMENT.iter().map(|(name, ..)| *name);
    settings.chain(PROCESS_ENVIRONMENT.iter().map(|(name, _)| *name))
}

fn unknown(file: &str, text: &str) -> Vec<String> {
    let known: BTreeSet<_> = known().collect();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<_> = words.filter(|word| word.starts_with("SPOTIFAI_")).collect();
    named.difference(&known).map(|name| format!("{file}: {name}: the program has no such variable")).collect()
}

fn undocumented(example: &str) -> Vec<String> {
    let names = example.lines().filter_map(|line| Some(line.trim_start_matches('#').split_once('=')?.0));
    let documented: BTreeSet<_> = names.collect();
    let missing = known().filter(|name| !documented.contains(name));
    missing.map(|name| format!(".env.example: {name}: the program reads it, and there is no line for it")).collect()
}

/// All files of a place.
fn files(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(place)? {
        all.extend(files(&entry?.path())?);
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_program_does_not_read_is_found() {
        let said = unknown("k8s/x.yaml", "SPOTIFAI_QUEUE: a\n- name: SPOTIFAI_QUEU\n");
        assert_eq!(said, ["k8s/x.yaml: SPOTIFAI_QUEU: the program has no such variable"]);
    }

    #[test]
    fn a_variable_without_a_line_is_found() {
        let others = known().filter(|name| *name != "SPOTIFAI_LOG").map(|name| format!("#{name}=x\n"));
        let said = undocumented(&others.collect::<String>());
        assert_eq!(said, [".env.example: SPOTIFAI_LOG: the program reads it, and there is no line for it"]);
    }
}
