//! What tests need from outside the project, where it is at hand.

use std::io::Write;
use std::path::PathBuf;

/// The folder of real inputs, from `SPOTIFAI_REAL_DATA`. Where it is not set, says which test is skipped: straight to
/// standard error, because the test runner would swallow what `eprintln!` says in a test that passes.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SPOTIFAI_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped {test}: SPOTIFAI_REAL_DATA is not set");
    }
    folder
}

/// A Python that has pandas, from `SPOTIFAI_TEST_PYTHON`, which `cargo xtask test` sets. Where it is not set, says which
/// test is skipped.
pub fn pandas(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("SPOTIFAI_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped {test}: SPOTIFAI_TEST_PYTHON is not set");
    }
    python
}
