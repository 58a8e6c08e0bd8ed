//! The commands of the README and of `docs/`: blocks marked `sh` run, and every `spotifai …` names commands and options that
//! there are. Blocks without a mark need servers, sign-ins or patience, and are only read.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo` in a document stands for here. `cargo xtask test` is what runs this test.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
  "run --release -- "*) shift 3; exec spotifai "$@" ;;
  "xtask test") ;;
  *) echo "no document may run: cargo $*" >&2; exit 1 ;;
esac
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The documents of the repository, by their paths below its root.
fn documents() -> Vec<(String, String)> {
    let markdown = |folder: &str| {
        let paths = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let paths = paths.map(|name| Path::new(folder).join(name));
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let paths = [markdown(""), markdown("docs")].concat();
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(root().join(&path)).unwrap());
    paths.into_iter().map(read).collect()
}

/// The fenced blocks of a document: info string and text.
fn blocks(document: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in document.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Everything that could be a command: lines of blocks, with continued ones joined, and inline code.
fn codes(document: &str) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    let mut prose = String::new();
    let mut is_block = false;
    for line in document.lines() {
        match (line.trim_start().starts_with("```"), is_block) {
            (true, _) => is_block = !is_block,
            (false, true) => codes.extend(line.split(" && ").map(|part| part.split(" #").next().unwrap().to_owned())),
            (false, false) => prose += &format!("{line} "),
        }
    }
    codes.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    codes
}

/// What a command line says that `spotifai` does not know.
fn unknown(code: &str, whole: &clap::Command) -> Option<String> {
    // There it is a namespace.
    if code.starts_with("kubectl") {
        return None;
    }
    let mut words = code.split_whitespace().skip_while(|word| *word != "spotifai").skip(1);
    let mut command = whole;
    let mut is_path = true;
    words.find_map(|word| {
        let word = word.trim_matches(['[', ']', ',', '.', ')', '(']);
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            is_path = false;
            let long = long.split(['=', '|', ']']).next().unwrap();
            let is_known = |command: &clap::Command| command.get_arguments().any(|arg| arg.get_long() == Some(long));
            let standard = ["help", "version"].contains(&long);
            return (!standard && !is_known(command) && !is_known(whole)).then(|| format!("--{long}"));
        }
        if !is_path || !command.has_subcommands() {
            return None;
        }
        let names: Vec<&str> = word.split('|').collect();
        match names.iter().find(|name| command.find_subcommand(name).is_none()) {
            // A placeholder, such as `COMMAND` or `…`.
            Some(name) if !name.starts_with(|c: char| c.is_ascii_lowercase()) => {
                is_path = false;
                None
            }
            Some(name) => Some((*name).to_owned()),
            None => {
                command = command.find_subcommand(names[0])?;
                is_path = names.len() == 1;
                None
            }
        }
    })
}

/// Tables that the documents speak of.
fn write_tables(folder: &Path) {
    let artists = ["ann", "bob", "cid", "dee", "eve"];
    let (mut my, mut liked) = (String::from("title,artist,jazz,pop,tempo,energy\n"), String::new());
    liked += "Track Name,Album Name,Genres,Tempo,Energy\n";
    for row in 0..60_u32 {
        let (jazz, artist) = (u32::from(row % 3 == 0), artists[row as usize % 5]);
        let (tempo, energy) = (90 + row * 7 % 50 + 40 * (1 - jazz), f64::from(row * 11 % 17) / 17.0);
        let tempo = if row == 7 { String::new() } else { tempo.to_string() };
        my += &format!("t{row},{artist},{jazz},{},{tempo},{energy}\n", 1 - jazz);
        liked += &format!("t{row},a{row},{},{},{energy}\n", if jazz == 1 { "jazz;swing" } else { "pop" }, 90 + row);
    }
    fs::write(folder.join("my.csv"), my).unwrap();
    fs::write(folder.join("liked.csv"), liked).unwrap();
}

#[test]
fn blocks_marked_sh_run() {
    let mut ran = 0;
    for (path, document) in documents() {
        let script: String =
            blocks(&document).into_iter().filter(|(info, _)| *info == "sh").map(|(_, text)| text).collect();
        if script.is_empty() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_spotifai"), programs.join("spotifai")).unwrap();
        fs::write(programs.join("cargo"), CARGO).unwrap();
        fs::set_permissions(programs.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        write_tables(folder.path());
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", &script]).current_dir(folder.path()).env_clear();
        shell.env("PATH", format!("{}:/usr/bin:/bin", programs.display())).env("HOME", folder.path());
        let output = shell.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}:\n{script}\n{said}");
        ran += 1;
    }
    assert!(ran >= 2, "the README and docs/files.md have blocks that run");
}

#[test]
fn every_command_in_a_document_is_one() {
    let whole = cli::command();
    let wrong: Vec<String> = documents()
        .iter()
        .flat_map(|(path, document)| codes(document).into_iter().map(move |code| (path, code)))
        .filter_map(|(path, code)| unknown(&code, &whole).map(|what| format!("{path}: `{code}`: no {what}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_is_none_is_found() {
    let whole = cli::command();
    let told = |code: &str| unknown(code, &whole);
    assert_eq!(told("docker compose run --rm spotifai status --watch"), None);
    assert_eq!(told("spotifai dead list|show"), None);
    assert_eq!(told("spotifai search begin"), Some("begin".into()));
    assert_eq!(told("spotifai dead list|eat"), Some("eat".into()));
    assert_eq!(told("spotifai status --look"), Some("--look".into()));
}
