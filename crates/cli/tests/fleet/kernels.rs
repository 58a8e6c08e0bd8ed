//! Searches and workers of different arithmetic.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::job::{Envelope, SearchBlock, SearchRefit};
use model::search::{Block, Search};
use model::settings::Settings;
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use worker::{Context, Failure, Handler, Home, Shutdown, Until, Worker};

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
            queue.publish(&grid_worker::jobs_left(search, &[])).await.unwrap();
        });
    }
}

#[test]
fn workers_of_another_kernel_leave_blocks_alone_and_say_so() {
    let Some(team) = Team::new("workers_of_another_kernel_leave_blocks_alone_and_say_so") else { return };
    let (folder, search) = started("[knn]\nn_neighbors = [1, 3, 5, 7]\n[tree]\nmax_depth = [1, 2, 3]\n");
    let at = folder.path();
    team.adopt(at, &Search { kernel: "of-tomorrow".into(), ..search });
    let began = Instant::now();
    let workers = [(), ()].map(|()| Process::start(team.command(at, &["worker", "grid"])));
    let show = || team.json(at, &["search", "show", "--json"]);
    let declined = |show: &Value| show["declined"].as_array().map_or(0, Vec::len);
    let shown = until("both declined", || Some(show()).filter(|show| declined(show) == 2));
    assert!(shown["declined"][0]["reason"].as_str().unwrap().contains("of-tomorrow"), "{shown}");
    let handed_back = || workers.iter().map(|worker| worker.ended(&team, "search.block", "handed_back")).sum::<u64>();
    until("both tried again", || (handed_back() >= 4).then_some(()));
    assert!(began.elapsed() >= Duration::from_secs(5), "a second try after {:?}", began.elapsed());
    assert!((handed_back() as f64) < began.elapsed().as_secs_f64(), "more than one hand-back a second");
    for worker in &workers {
        until("it is unready", || {
            Some(worker.page(&team, "/readyz")).filter(|(code, text)| {
                *code == 503 && text.contains("search.block: the search computes with kernel `of-tomorrow`")
            })
        });
    }
    let text = team.text(at, &["search", "show"]);
    assert!(text.contains("declines it") && !text.contains("`spotifai worker grid` starts a worker"), "{text}");
    let text = team.text(at, &["workers"]);
    assert!(text.contains("takes no search.block") && text.contains("of-tomorrow"), "{text}");
    let text = team.text(at, &["doctor"]);
    let waits = text.contains("no worker can run search.block");
    assert!(waits && text.contains("takes no search.block") && text.contains("none is dead"), "{text}");
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}

/// A worker of another kernel, which is what it says of every job.
struct Other<B>(Arc<AtomicU64>, PhantomData<fn(B)>);

#[async_trait]
impl<B: model::job::Body> Handler for Other<B> {
    type Body = B;

    async fn run(&self, _: B, _: &Context) -> Result<Vec<Envelope>, Failure> {
        self.0.fetch_add(1, Relaxed);
        Err(Failure::decline("the search computes with another kernel"))
    }
}

#[test]
fn the_right_worker_is_as_fast_among_wrong_ones_as_alone() {
    let Some(team) = Team::new("the_right_worker_is_as_fast_among_wrong_ones_as_alone") else { return };
    let (folder, search) = started("[tree]\nmax_depth = [1, 2, 3, 4, 5, 6, 7, 8]\nsplitter = ['best', 'random']\n");
    let at = folder.path();
    let block = |setting: u32| (0..5).map(move |fold| Block { settings: vec![setting], folds: vec![fold] });
    let blocks: Vec<Block> = (0..search.settings.len() as u32).flat_map(block).collect();
    // Two searches of as much work, told apart by their ids.
    let [alone, among] =
        ["alone", "among"].map(|id| Search { id: id.into(), blocks: blocks.clone(), ..search.clone() });
    let store = team.store();
    let finished = |id: &str| {
        until("a model", || team.runtime.block_on(store.model(id)).unwrap().map(drop));
    };
    let _right = Process::start(team.command(at, &["worker", "grid"]));
    team.adopt(at, &alone);
    let began = Instant::now();
    finished("alone");
    let alone = began.elapsed();

    let declined = Arc::new(AtomicU64::new(0));
    let mut settings = Settings { queue: team.queue_url.to_string(), ..Settings::default() };
    settings.store = team.store_url.to_string();
    let _entered = team.runtime.enter();
    for _ in 0..4 {
        let home = team.runtime.block_on(Home::open(settings.clone())).unwrap();
        let wrong = Worker::new(home)
            .with(Other::<SearchBlock>(declined.clone(), PhantomData), 1)
            .with(Other::<SearchRefit>(declined.clone(), PhantomData), 1);
        team.runtime.spawn(wrong.run(Until::Stopped, Shutdown::new()));
    }
    let began = Instant::now();
    team.adopt(at, &among);
    finished("among");
    let among = began.elapsed();
    // Seconds for what the two have beside their arithmetic; a worker that idles would idle five.
    assert!(among <= alone.mul_f64(1.3) + Duration::from_secs(4), "{among:?} among wrong workers, {alone:?} alone");
    assert!(declined.load(Relaxed) >= 1, "nobody declined");
    assert_eq!(team.text(at, &["dead", "list"]), "no dead jobs\n");
}
