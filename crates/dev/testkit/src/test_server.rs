//! Real servers that tests talk to.

use std::io::Write;

/// The address of a test server, from the environment variable that `cargo xtask test` sets. With
/// `SPOTIFAI_TEST_OFFLINE=1` tests on servers are left out: says which one, and is `None`.
///
/// # Panics
/// Where there is neither: a test that nobody ran must not pass for one that succeeded.
pub fn test_server(variable: &str, test: &str) -> Option<String> {
    if std::env::var_os("SPOTIFAI_TEST_OFFLINE").is_some_and(|offline| offline == "1") {
        // Straight to standard error: the test runner swallows what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "skipped {test}: offline");
        return None;
    }
    let way_out = "run the tests by `cargo xtask test`, which starts the servers, or set it; SPOTIFAI_TEST_OFFLINE=1 leaves them out";
    Some(std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: {way_out}")))
}
