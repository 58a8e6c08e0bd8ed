//! Any number of `grid-worker` processes, one of them killed, one that comes late: the same bits as of one alone.

mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{backends, save_dataset};
use host::Backends;
use model::search::{Block, Search, Trial};

/// 24 settings whose fits are short, so that there are many blocks.
const GRID: &str =
    "[tree]\nmax_depth = [2, 4, 6, 'none']\nmax_features = ['sqrt', 1, 2]\nsplitter = ['best', 'random']\n";
const FOLDS: u32 = 5;

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn start(backends: &Backends) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grid-worker"));
        command.env("SPOTIFAI_QUEUE", &backends.settings.queue).env("SPOTIFAI_STORE", &backends.settings.store);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that other processes do, a minute at most.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited a minute in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A search with a block for each setting and fold, whose jobs are not published yet.
async fn begin(backends: &Backends) -> Search {
    let info = save_dataset(backends, 400).await;
    let (search, _) = grid_worker::plan_search(&info, learn::grid::read(GRID, &[]).unwrap(), FOLDS, 11, true);
    let block = |setting: u32| (0..FOLDS).map(move |fold| Block { settings: vec![setting], folds: vec![fold] });
    let search = Search { blocks: (0..search.settings.len() as u32).flat_map(block).collect(), ..search };
    backends.store.save_search(&search).await.unwrap();
    search
}

async fn is_alive(backends: &Backends, process: &Process) -> bool {
    backends.store.workers().await.unwrap().iter().any(|beat| beat.pid == process.0.id())
}

/// Waits for the model; what the search left, without wall times.
async fn results(backends: &Backends, search: &Search) -> (Vec<Trial>, Vec<u8>) {
    until("a model", async || backends.store.model(&search.id).await.unwrap().is_some()).await;
    let mut trials = backends.store.trials(&search.id).await.unwrap();
    trials.iter_mut().for_each(|trial| trial.fit_seconds = 0.0);
    (trials, backends.store.model_blob(&search.id).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_killed_worker_and_a_late_one_change_no_bit() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (alone, shared) = (backends(&folders[0]).await, backends(&folders[1]).await);
    let search = begin(&alone).await;
    let jobs = grid_worker::remaining_jobs(&search, &[]);
    alone.queue.publish(&jobs).await.unwrap();
    let worker = Process::start(&alone);
    let expected = results(&alone, &search).await;
    drop(worker);
    assert_eq!(expected.0.len(), search.trials());

    assert_eq!(begin(&shared).await.id, search.id);
    let (now, later) = jobs.split_at(jobs.len() / 2);
    shared.queue.publish(now).await.unwrap();
    let (killed, stays) = (Process::start(&shared), Process::start(&shared));
    until("both workers", async || is_alive(&shared, &killed).await && is_alive(&shared, &stays).await).await;
    until("some trials", async || shared.store.trial_count(&search.id).await.unwrap() >= 5).await;
    killed.kill();
    let late = Process::start(&shared);
    until("the late worker", async || is_alive(&shared, &late).await).await;
    shared.queue.publish(later).await.unwrap();
    let found = results(&shared, &search).await;
    drop((stays, late));
    assert_eq!(found.0, expected.0);
    assert!(found.1 == expected.1, "the models differ");
    assert!(shared.queue.dead_letters(None).await.unwrap().is_empty());
}
