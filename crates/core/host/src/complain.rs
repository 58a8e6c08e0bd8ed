//! Messages to the user where there is no log.

use std::io::Write;

/// Prints a line on standard error. If that fails, there is nowhere to say why.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
