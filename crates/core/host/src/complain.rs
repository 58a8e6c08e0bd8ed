//! Words for a person where there is no log.

use std::io::Write;

/// A line on standard error. Where that cannot be written, nobody would read why.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
