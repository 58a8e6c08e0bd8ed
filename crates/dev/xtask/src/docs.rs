//! `cargo xtask docs`: docs/cli.md, the help of every program and command.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::command::{cargo, root, run};
use crate::deploy::workers;
use crate::tools::output;

const CLI: &str = "docs/cli.md";

/// Columns of the help; without it, they would be those of the terminal in which this runs.
const COLUMNS: &str = "100";

const INTRODUCTION: &str = "# Command line

The help of every program and command, as `--help` prints it; `-h` prints a summary. The global options of `spotifai` are
options of every command and of the worker programs. This page is written by `cargo xtask docs --write`.
";

/// Writes docs/cli.md.
///
/// # Errors
/// The programs cannot be built or run, or the file not be written.
pub fn write() -> anyhow::Result<()> {
    std::fs::write(root().join(CLI), page()?).with_context(|| format!("cannot write {CLI}"))?;
    println!("wrote {CLI}");
    Ok(())
}

/// Checks that docs/cli.md is what the programs say.
///
/// # Errors
/// It is not, or the programs cannot be built or run.
pub fn check() -> anyhow::Result<()> {
    let committed = std::fs::read_to_string(root().join(CLI)).with_context(|| format!("cannot read {CLI}"))?;
    if let Some((line, now)) = first_difference(&committed, &page()?) {
        bail!("{CLI} is out of date: line {line} should be {now:?}: run `cargo xtask docs --write`");
    }
    println!("{CLI} is up to date");
    Ok(())
}

/// The whole page.
fn page() -> anyhow::Result<String> {
    let workers = workers::names()?;
    let mut build = cargo();
    build.args(["build", "--release", "--quiet", "--bins", "--package", "cli"]);
    run(build.args(workers.iter().flat_map(|worker| ["--package", worker])))?;

    let main = help("spotifai", &[])?;
    let mut commands = String::new();
    for name in subcommands(&main) {
        commands += &sections(&[name])?;
    }
    let links = subcommands(&main).map(|name| format!("[`{name}`](#spotifai-{name})")).collect::<Vec<_>>().join(" · ");
    let mut page = format!("{INTRODUCTION}\n## spotifai\n\n{links}\n\n{}{commands}", block(&main));
    page += "\n## Worker programs\n\nEach of them does the same as `spotifai worker` with its name.\n";
    for worker in &workers {
        page += &format!("\n### {worker}\n\n{}", block(&without_global_options(&help(worker, &[])?)));
    }
    Ok(page)
}

/// The sections of a command and of its own commands.
fn sections(command: &[&str]) -> anyhow::Result<String> {
    let text = help("spotifai", command)?;
    let level = "#".repeat(command.len() + 2);
    let mut sections = format!("\n{level} spotifai {}\n\n{}", command.join(" "), block(&without_global_options(&text)));
    for name in subcommands(&text) {
        sections += &self::sections(&[command, &[name]].concat())?;
    }
    Ok(sections)
}

/// What a program that was built beside this one prints as the help of a command.
fn help(program: &str, command: &[&str]) -> anyhow::Result<String> {
    let xtask = std::env::current_exe().context("cannot tell where this program lies")?;
    let mut process = Command::new(xtask.with_file_name(program));
    let printed = output(process.args(command).arg("--help").env("COLUMNS", COLUMNS).stdin(Stdio::null()))?;
    if !printed.status.success() {
        bail!("`{program} {} --help` ended with {}", command.join(" "), printed.status);
    }
    Ok(String::from_utf8(printed.stdout)?)
}

/// A help without the options that every command has.
fn without_global_options(help: &str) -> String {
    let Some((before, after)) = help.split_once("\nGlobal options:\n") else { return help.to_owned() };
    // Whatever follows them, such as examples, is not indented.
    let rest = after.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    rest.fold(format!("{}\n", before.trim_end()), |text, line| text + "\n" + line)
}

/// A text as it was printed, without blanks at the ends of lines.
fn block(text: &str) -> String {
    let lines: String = text.trim_end().lines().map(|line| format!("{}\n", line.trim_end())).collect();
    format!("```text\n{lines}```\n")
}

/// The names in the list of commands of a help.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let list = help.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| !line.is_empty());
    // What is indented further is the end of a long description.
    let named = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

/// The number of the first line that is not the same, and what it is now; the line after the last one is empty.
fn first_difference<'t>(committed: &str, now: &'t str) -> Option<(usize, &'t str)> {
    if committed == now {
        return None;
    }
    let (mut before, mut after) = (committed.lines(), now.lines());
    (1..).find_map(|number| {
        let (before, after) = (before.next(), after.next());
        (before != after || before.is_none()).then_some((number, after.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_help() {
        let help = "Does it\n\nUsage: x <COMMAND>\n\nCommands:\n  one   First\n        and more\n  two   Second\n  help  Help\n\n\
                    Global options:\n  -h, --help\n";
        assert_eq!(subcommands(help).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(subcommands("Usage: x\n").count(), 0);
    }

    #[test]
    fn global_options_are_left_out_and_what_follows_them_stays() {
        let help = "Does it\n\nUsage: x\n\nOptions:\n  --y\n\nGlobal options:\n  --z\n      More\n\n  -h\n\nExamples:\n  x --y\n";
        assert_eq!(without_global_options(help), "Does it\n\nUsage: x\n\nOptions:\n  --y\n\nExamples:\n  x --y");
        assert_eq!(without_global_options("Usage: x\n"), "Usage: x\n");
    }

    #[test]
    fn a_difference_is_found_in_any_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some((2, "c")));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some((2, "b")));
        assert_eq!(first_difference("a\nb\n", "a\n"), Some((2, "")));
        assert_eq!(first_difference("a", "a\n"), Some((2, "")));
    }
}
