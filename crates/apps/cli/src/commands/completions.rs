//! `spotifai completions`.

use clap_complete::Shell;

use crate::output::print_bytes;

/// Prints the completion script for a shell.
pub fn run(shell: Shell) -> anyhow::Result<()> {
    // Generated in memory first, because the generator panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "spotifai", &mut script);
    print_bytes(&script)
}
