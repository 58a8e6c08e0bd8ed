//! Searches and workers of different arithmetic.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use host::Backends;
use model::job::{Envelope, SearchBlockJob};
use model::search::{Block, Search};
use model::settings::Settings;
use runtime::{Context, Failure, Handler, Shutdown, Until};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use tokio::sync::mpsc;

use crate::common::{ok, run};
use crate::team::{Process, Team, until};

/// A folder with a search that was started on its own file.
fn started(grid: &str) -> (TempDir, Search) {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let row = |i: usize| format!("{},{},{},{}\n", u8::from(i % 50 > 24), i % 2, i % 50, (i * 7) % 13);
    let rows: String = (0..400).map(row).collect();
    std::fs::write(at.join("my.csv"), format!("big,odd,x,y\n{rows}")).unwrap();
    std::fs::write(at.join("grid.toml"), grid).unwrap();
    let args = ["search", "start", "--data", "my.csv", "--labels", "big,odd", "--grid", "grid.toml", "--folds", "5"];
    ok(&run(at, &args));
    let search = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = store::open(&file(at)).await.unwrap();
        let id = store.searches().await.unwrap().remove(0).id;
        store.search(&id).await.unwrap().unwrap()
    });
    (folder, search)
}

fn file(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("spotifai.db").display())
}

impl Team {
    /// Takes over a search with its dataset, and publishes its blocks.
    fn adopt(&self, from: &Path, search: &Search) {
        let (queue, store) = (self.queue(), self.store());
        self.runtime.block_on(async {
            let theirs = store::open(&file(from)).await.unwrap();
            let info = theirs.dataset(&search.dataset).await.unwrap().unwrap();
            let blob = theirs.dataset_blob(&search.dataset).await.unwrap().unwrap();
            store.save_dataset(&info, &blob).await.unwrap();
            store.save_search(search).await.unwrap();
            queue.publish(&grid_worker::remaining_jobs(search, &[])).await.unwrap();
        });
    }
}

#[test]
fn workers_of_another_kernel_leave_blocks_alone_and_say_so() {
    let Some(team) = Team::new("workers_of_another_kernel_leave_blocks_alone_and_say_so") else { return };
    let (folder, search) = started("[knn]\nn_neighbors = [1, 3]\n");
    let at = folder.path();
    let block = |fold| Block { settings: vec![0, 1], folds: vec![fold] };
    let search = Search { kernel: "of-tomorrow".into(), blocks: (0..5).map(block).collect(), ..search };
    team.adopt(at, &search);
    let workers = [(), ()].map(|()| Process::start(team.command(at, &["worker", "grid"])));
    let show = || team.json(at, &["search", "show", "--json"]);
    let declined = |show: &Value| show["declined"].as_array().map_or(0, Vec::len);
    let shown = until("both declined", || Some(show()).filter(|show| declined(show) == 2));
    assert!(shown["declined"][0]["reason"].as_str().unwrap().contains("of-tomorrow"), "{shown}");
    for worker in &workers {
        until("it is unready", || {
            Some(worker.page(&team, "/readyz")).filter(|(code, text)| {
                *code == 503 && text.contains("search.block: the search computes with kernel `of-tomorrow`")
            })
        });
    }
    let handed_back = || workers.iter().map(|worker| worker.ended(&team, "search.block", "handed_back")).sum::<u64>();
    let (began, before) = (Instant::now(), handed_back());
    until("they look again and again", || {
        let again = handed_back() - before;
        // One a second; a look at five jobs comes at once, and in twelve steps at most.
        assert!(again as f64 <= began.elapsed().as_secs_f64() + 12.0, "{again} hand-backs in {:?}", began.elapsed());
        (again >= 36).then_some(())
    });
    let text = team.text(at, &["search", "show"]);
    assert!(text.contains("declines its jobs") && !text.contains("`spotifai worker grid` starts a worker"), "{text}");
    let text = team.text(at, &["workers"]);
    assert!(text.contains("taking no search.block") && text.contains("of-tomorrow"), "{text}");
    let text = team.text(at, &["doctor"]);
    let waits = text.contains("no running worker can take search.block");
    assert!(waits && text.contains("taking no search.block") && text.contains("no dead jobs"), "{text}");
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}

/// Runs its own searches' blocks, which take a moment and no computing, so that a busy machine changes nothing; declines
/// those of others.
struct Grid {
    own: &'static [&'static str],
    ran: mpsc::UnboundedSender<String>,
    declined: Arc<AtomicU64>,
}

#[async_trait]
impl Handler for Grid {
    type Body = SearchBlockJob;

    async fn run(&self, job: SearchBlockJob, _: &Context) -> Result<Vec<Envelope>, Failure> {
        if !self.own.contains(&job.search.as_str()) {
            self.declined.fetch_add(1, Relaxed);
            return Err(Failure::decline_job("the search computes with another kernel"));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        let _ = self.ran.send(job.search);
        Ok(Vec::new())
    }
}

/// A fleet of workers in this process, each with connections of its own.
struct Grids<'a> {
    team: &'a Team,
    ran: mpsc::UnboundedReceiver<String>,
    says: mpsc::UnboundedSender<String>,
    declined: Arc<AtomicU64>,
}

impl<'a> Grids<'a> {
    fn of(team: &'a Team) -> Self {
        let (says, ran) = mpsc::unbounded_channel();
        Self { team, ran, says, declined: Arc::default() }
    }

    fn start(&self, own: &'static [&'static str]) {
        let mut settings = Settings { queue: self.team.queue_url.to_string(), ..Settings::default() };
        settings.store = self.team.store_url.to_string();
        let backends = self.team.runtime.block_on(Backends::open(settings)).unwrap();
        let handler = Grid { own, ran: self.says.clone(), declined: self.declined.clone() };
        let worker = backends.worker().with(handler, 1);
        let _entered = self.team.runtime.enter();
        self.team.runtime.spawn(worker.run(Until::Stopped, Shutdown::new()));
    }

    fn publish(&self, search: &str, blocks: u32) {
        let job = |block| Envelope::new(&SearchBlockJob { search: search.to_owned(), block });
        self.team.publish(&(0..blocks).map(job).collect::<Vec<_>>());
    }

    /// How long it takes from now until so many blocks of a search have run.
    fn time_of(&mut self, search: &str, blocks: u32) -> Duration {
        let began = Instant::now();
        let all = async {
            let mut left = blocks;
            while left > 0 {
                left -= u32::from(self.ran.recv().await.unwrap() == search);
            }
        };
        let deadline = Duration::from_secs(120);
        let in_time = async { tokio::time::timeout(deadline, all).await };
        self.team.runtime.block_on(in_time).unwrap_or_else(|_| panic!("{search} does not end"));
        began.elapsed()
    }
}

#[test]
fn the_right_worker_is_as_fast_among_wrong_ones_as_alone() {
    let Some(team) = Team::new("the_right_worker_is_as_fast_among_wrong_ones_as_alone") else { return };
    let mut grids = Grids::of(&team);
    grids.start(&["alone", "among"]);
    grids.publish("alone", 60);
    let alone = grids.time_of("alone", 60);
    (0..4).for_each(|_| grids.start(&[]));
    grids.publish("among", 60);
    let among = grids.time_of("among", 60);
    assert!(among <= alone.mul_f64(1.3), "{among:?} among wrong workers, {alone:?} alone");
    assert!(grids.declined.load(Relaxed) >= 1, "nobody declined");
    assert_eq!(team.text(&std::env::temp_dir(), &["dead", "list"]), "no dead jobs\n");
}

#[test]
fn what_lies_behind_another_search_is_run_at_once() {
    let Some(team) = Team::new("what_lies_behind_another_search_is_run_at_once") else { return };
    let mut grids = Grids::of(&team);
    // A search that nobody here can run, and behind it one that somebody can.
    // An odd number in all: two who take turns at an even one meet the same jobs every time.
    grids.publish("of-tomorrow", 41);
    grids.publish("own", 4);
    grids.start(&["own"]);
    grids.start(&[]);
    let took = grids.time_of("own", 4);
    assert!(took < Duration::from_secs(20), "40 foreign blocks before it cost {took:?}");
    assert!(grids.declined.load(Relaxed) >= 40);
}

#[test]
fn who_waits_for_the_end_is_told_that_only_others_can_reach_it() {
    let Some(team) = Team::new("who_waits_for_the_end_is_told_that_only_others_can_reach_it") else { return };
    let (folder, search) = started("[knn]\nn_neighbors = [1, 3]\n");
    let at = folder.path();
    team.adopt(at, &Search { kernel: "of-tomorrow".into(), ..search });
    team.put_raw("search.refit", r#"{"v":2,"id":"newer","kind":"search.refit","what":"nobody knows yet"}"#);
    let ended = team.command(at, &["worker", "grid", "--until-empty"]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or_default();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for part in ["none of the remaining jobs", "kernel `of-tomorrow`", "envelope version 2", "update it"] {
        assert!(last.contains(part), "{part}: {said}");
    }
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}
