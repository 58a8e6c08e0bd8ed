//! Asking before anything is installed on a person's machine.

use std::io::{BufRead, IsTerminal, stderr, stdin};

use anyhow::bail;

/// Says what will be installed, and asks whether it may be: on a terminal only, and neither with `--yes` nor where CI is set.
///
/// # Errors
/// The answer is no.
pub fn ask_before_installing(missing: &[String], yes: bool) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Tests need, and this will install:");
    missing.iter().for_each(|line| eprintln!("  {line}"));
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    if yes || is_ci || !stdin().is_terminal() || !stderr().is_terminal() {
        return Ok(());
    }
    eprint!("Continue? [Y/n] ");
    if !is_consent(&mut stdin().lock())? {
        bail!("nothing was installed; `cargo xtask test --offline` runs the tests that need none of it");
    }
    Ok(())
}

/// Whether the next line is yes, or empty; the end of the input is no.
fn is_consent(input: &mut impl BufRead) -> std::io::Result<bool> {
    let mut answer = String::new();
    let is_line = input.read_line(&mut answer)? > 0;
    Ok(is_line && ["", "y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_is_yes_or_empty_is_consent() {
        let answers = ["y\n", " Yes \n", "\n", "n\n", "no\n", "what\n", ""];
        let consents = answers.map(|answer| is_consent(&mut answer.as_bytes()).unwrap());
        assert_eq!(consents, [true, true, true, false, false, false, false]);
    }
}
