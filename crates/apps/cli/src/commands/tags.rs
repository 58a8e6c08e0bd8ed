//! `spotifai tags`.

use std::io::{BufRead, BufWriter, Write};

use anyhow::anyhow;

use crate::args::TagsCommand;
use crate::output::stdout_error;

/// Normalises the tags on standard input, one per line.
pub fn run(command: &TagsCommand) -> anyhow::Result<()> {
    let TagsCommand::Normalise = command;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (index, line) in std::io::stdin().lock().split(b'\n').enumerate() {
        let tag = String::from_utf8(line?).map_err(|_| {
            let number = index + 1;
            anyhow!(
                "line {number} of standard input is not UTF-8: convert it first, for example with `iconv -f LATIN1 -t UTF-8`"
            )
        })?;
        writeln!(out, "{}", model::tag::canonical(tag.trim_end_matches('\r')).unwrap_or_default())
            .map_err(stdout_error)?;
    }
    out.flush().map_err(stdout_error)
}
