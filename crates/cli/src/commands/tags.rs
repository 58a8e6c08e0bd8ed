//! `spotifai tags`.

use std::io::{BufRead, BufWriter, Write};

use crate::args::Tags;
use crate::output::unprinted;

/// Filters standard input, a tag a line.
pub fn run(command: &Tags) -> anyhow::Result<()> {
    let Tags::Normalise = command;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line?;
        let tag = String::from_utf8_lossy(&line);
        writeln!(out, "{}", model::tag::canonical(tag.trim_end_matches('\r')).unwrap_or_default())
            .map_err(unprinted)?;
    }
    out.flush().map_err(unprinted)
}
