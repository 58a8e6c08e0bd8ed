//! `spotifai completions`.

use clap_complete::Shell;

use crate::output::say_raw;

/// Prints the script of a shell.
pub fn run(shell: Shell) -> anyhow::Result<()> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "spotifai", &mut script);
    say_raw(&script)
}
