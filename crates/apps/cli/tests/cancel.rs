//! A run that is cancelled while a command follows it.

mod common;

use std::process::Stdio;

use common::{spotifai, wait_until};
use model::Timestamp;
use tempfile::tempdir;

#[test]
fn a_command_whose_run_is_cancelled_ends_with_one_line_that_says_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("demo.db").display());
    let mut command = spotifai(folder.path(), &["demo", "--tracks", "5000", "--out", "."]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let cancelled = || {
        runtime.block_on(async {
            let Ok(store) = store::open(&url).await else { return false };
            let runs = store.runs().await.unwrap_or_default();
            let Some(run) = runs.first() else { return false };
            store.cancel_run(&run.id, Timestamp::now()).await.is_ok()
        })
    };
    wait_until("a run to cancel", || folder.path().join("demo.db").exists() && cancelled());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("spotifai: run demo-") && last.contains(" was cancelled"), "{said}");
}
