//! Eight processes share one rate, counted by those whom they ask.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::job::{Envelope, TrackTagsJob};
use model::track::{ArtistRef, Track};
use testkit::{Catalogue, Oddities, Service, Stage};
use tokio::sync::Mutex;

const PROCESSES: usize = 8;
/// Requests a second, of all together.
const RATE: f64 = 10.0;
/// Until every process runs and has found the length of its leases.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long is counted before a process is killed, and after.
const COUNTED: Duration = Duration::from_secs(12);
/// Until the lease of a process that was killed has run out.
const EXPIRY: Duration = Duration::from_secs(1);

/// One test after the other: how much of a rate is used is a matter of time, which sixteen processes would lack.
static TURN: Mutex<()> = Mutex::const_new(());

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_share_a_rate_through_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("t.db").display());
    share(&file, &file, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_share_a_rate_through_servers() {
    let test = "eight_processes_share_a_rate_through_servers";
    let Some(broker) = testkit::test_server("SPOTIFAI_TEST_QUEUE", test) else { return };
    let Some(management) = testkit::test_server("SPOTIFAI_TEST_QUEUE_MANAGEMENT", test) else { return };
    let Some(store) = testkit::test_server("SPOTIFAI_TEST_STORE", test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let name = format!("test-{}", uuid::Uuid::new_v4().simple());
    let mut store: url::Url = store.parse().unwrap();
    store.set_path(&name);
    let vhost = Vhost::make(broker.parse().unwrap(), &management, name).await;
    share(vhost.broker.as_str(), store.as_str(), folder.path()).await;
    vhost.delete().await;
}

/// Lets the processes work for a while, kills one, and counts.
async fn share(queue: &str, store: &str, folder: &Path) {
    let _turn = TURN.lock().await;
    let stage = testkit::serve(Catalogue::sample(60, 1), Oddities::none()).await.unwrap();
    publish(queue, store).await;
    let mut processes: Vec<Process> = (0..PROCESSES).map(|_| start(&stage, queue, store, folder)).collect();
    until("the first request", || asked(&stage).first().copied()).await;
    let warm = Timestamp::now() + WARM_UP;
    passed(&stage, warm + COUNTED).await;
    processes[0].0.kill().unwrap();
    let killed = Timestamp::now();
    passed(&stage, killed + EXPIRY + COUNTED).await;

    let times = asked(&stage);
    let most = times.iter().map(|first| within(&times, *first, *first + Duration::from_secs(10))).max().unwrap();
    let use_of = |from: Timestamp, to: Timestamp| {
        within(&times, from, to) as f64 / (RATE * to.duration_since(from).as_secs_f64())
    };
    let end = killed + EXPIRY + COUNTED;
    let (all, after) = (use_of(warm, end), use_of(killed + EXPIRY, end));
    println!("at most {most} in 10 s; in use {all:.3} of the rate, {after:.3} after the kill");
    assert!(most as f64 <= RATE * 10.0 + 1.0, "{most} requests in ten seconds at {RATE} a second");
    assert!(all > 0.95, "{all} of the rate was in use");
    // A lease that nobody gets back would stop everyone.
    assert!(after > 0.9, "{after} of the rate was in use after a process was lost");
}

/// When last.fm was asked, in order.
fn asked(stage: &Stage) -> Vec<Timestamp> {
    let requests = stage.requests().into_iter().filter(|request| request.service == Service::Lastfm);
    let mut times: Vec<Timestamp> = requests.map(|request| request.at).collect();
    times.sort();
    times
}

fn within(times: &[Timestamp], from: Timestamp, to: Timestamp) -> usize {
    times.partition_point(|time| *time < to) - times.partition_point(|time| *time < from)
}

/// Waits for the first request after this time.
async fn passed(stage: &Stage, time: Timestamp) {
    until("requests", || asked(stage).last().copied().filter(|last| *last > time)).await;
}

async fn until<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match found() {
            Some(found) => return found,
            None if Instant::now() > deadline => panic!("waited two minutes in vain: {what}"),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// More jobs than can be done: tracks that last.fm does not know, which cost one request each.
async fn publish(queue: &str, store: &str) {
    let store = store::open(store).await.unwrap();
    let queue = queue::open(queue, None).await.unwrap();
    let artists = vec![ArtistRef { id: None, name: "Nobody".into() }];
    let track = |id: String| Track {
        name: id.clone(),
        id,
        artists: artists.clone(),
        album: None,
        duration_ms: None,
        isrc: None,
    };
    let tracks: Vec<Track> = (0..4_000).map(|n| track(format!("track{n:017}"))).collect();
    store.save_tracks(&tracks).await.unwrap();
    let jobs: Vec<_> = tracks.into_iter().map(|track| Envelope::new(&TrackTagsJob { track_id: track.id })).collect();
    queue.publish(&jobs).await.unwrap();
}

fn start(stage: &Stage, queue: &str, store: &str, folder: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastfm-worker"));
    command.env_clear().current_dir(folder).envs(stage.environment());
    command.env("SPOTIFAI_QUEUE", queue).env("SPOTIFAI_STORE", store).env("SPOTIFAI_LASTFM_RATE", RATE.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process(command.spawn().unwrap())
}

/// A virtual host of the test's own.
struct Vhost {
    broker: url::Url,
    api: String,
    name: String,
}

impl Vhost {
    async fn make(mut broker: url::Url, management: &str, name: String) -> Self {
        broker.set_path(&name);
        let vhost = Self { broker, api: format!("{}/api", management.trim_end_matches('/')), name };
        let everything = serde_json::json!({"configure": ".*", "write": ".*", "read": ".*"});
        vhost.ask(reqwest::Method::PUT, &format!("vhosts/{}", vhost.name), &serde_json::json!({})).await;
        let permissions = format!("permissions/{}/{}", vhost.name, vhost.broker.username());
        vhost.ask(reqwest::Method::PUT, &permissions, &everything).await;
        vhost
    }

    async fn delete(&self) {
        self.ask(reqwest::Method::DELETE, &format!("vhosts/{}", self.name), &serde_json::json!({})).await;
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: &serde_json::Value) {
        let request = reqwest::Client::new().request(method, format!("{}/{path}", self.api)).json(body);
        let answer = request.basic_auth(self.broker.username(), self.broker.password()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}
