//! A broker that blocks everyone who publishes: one of the test's own, whose alarms are nobody else's.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::analysis::{Analysis, TrackAnalysis};
use model::job::{Envelope, TrackAnalysisJob};
use serde_json::Value;
use services::{Broker, Folder, Ports};
use tempfile::{TempDir, tempdir};

use crate::common::{signal, spotifai};
use crate::team::until;

const BLOCKED: &str = "RabbitMQ is blocking publishers: memory alarm on its machine";

/// A broker, and a folder with the store.
struct Alarmed {
    broker: Broker,
    services: Folder,
    folder: TempDir,
}

impl Alarmed {
    fn start(test: &str) -> Option<Self> {
        testkit::test_server("SPOTIFAI_TEST_QUEUE", test)?;
        let folder = tempdir().unwrap();
        let services = Folder::create(&folder.path().join("services")).unwrap();
        let broker = Broker::start(&services, Ports::Free).unwrap();
        Some(Self { broker, services, folder })
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = spotifai(self.at(), args);
        command.env("SPOTIFAI_QUEUE", format!("{}/%2F", self.broker.url()));
        command.env("SPOTIFAI_QUEUE_MANAGEMENT_URL", self.broker.management_url());
        command
    }

    /// Starts a command whose errors go to a file, and waits until they say this.
    fn until_it_says(&self, args: &[&str], said: &str) -> (Child, std::path::PathBuf) {
        let errors = self.at().join(format!("errors-{}", Timestamp::now().0));
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&errors).unwrap());
        let child = command.spawn().unwrap();
        until(said, || std::fs::read_to_string(&errors).unwrap().contains(said).then_some(()));
        (child, errors)
    }
}

impl Drop for Alarmed {
    fn drop(&mut self) {
        let _ = self.services.remove();
    }
}

#[test]
fn an_alarm_of_the_broker_is_named_and_waited_for() {
    let Some(alarmed) = Alarmed::start("an_alarm_of_the_broker_is_named_and_waited_for") else { return };
    let ids: String = (0..2_500).map(|n| format!("{n:022}\n")).collect();
    std::fs::write(alarmed.at().join("ids.txt"), ids).unwrap();
    alarmed.broker.set_memory_alarm(true).unwrap();

    let doctor = alarmed.command(&["doctor", "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let queue = found["checks"].as_array().unwrap().iter().find(|check| check["name"] == "queue").unwrap();
    assert_eq!(queue["state"], "failed", "{queue}");
    assert!(queue["detail"].as_str().unwrap().contains(BLOCKED), "{queue}");

    // What counts does not wait for the alarm, though the management API takes its question and does not answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for args in [["queues", "--json"], ["status", "--json"], ["doctor", "--json"]] {
        let mut command = alarmed.command(&args);
        command.env("SPOTIFAI_QUEUE_MANAGEMENT_URL", format!("http://{}", silent.local_addr().unwrap()));
        let began = Instant::now();
        let output = command.output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(30), "{args:?} took {:?}", began.elapsed());
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        match args[0] {
            "doctor" => assert!(shown.to_string().contains(BLOCKED), "{shown}"),
            _ => assert!(output.status.success() && shown.to_string().contains("track.tags"), "{shown}"),
        }
    }

    let enqueue = ["enqueue", "file", "ids.txt", "--kind", "track.tags"];
    let said = format!("spotifai: {BLOCKED}; waiting for it to end");
    let (waiting, _) = alarmed.until_it_says(&enqueue, &said);
    let (stopped, errors) = alarmed.until_it_says(&enqueue, &said);
    signal(&stopped, "INT");
    let stopped = stopped.wait_with_output().unwrap();
    let errors = std::fs::read_to_string(errors).unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{errors}");
    assert!(errors.contains("enqueued 0 jobs") && errors.contains("resume with --from-line 1"), "{errors}");

    alarmed.broker.set_memory_alarm(false).unwrap();
    let ended = waiting.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "enqueued 2,500 jobs\n");
}

#[test]
fn a_worker_that_cannot_publish_is_unready_and_goes_on_after_the_alarm() {
    let test = "a_worker_that_cannot_publish_is_unready_and_goes_on_after_the_alarm";
    let Some(alarmed) = Alarmed::start(test) else { return };
    let store = format!("sqlite:{}", alarmed.at().join("spotifai.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // An analysis that is stored already: its job asks nobody and has a follow-up job.
    runtime.block_on(async {
        let track_id = "3n3Ppam7vgaVa1iaRUc9Lp".to_owned();
        let analysis = Some(Analysis::default());
        store::open(&store).await.unwrap().save_analysis(&TrackAnalysis { track_id, analysis }).await.unwrap();
        let queue = queue::open(&format!("{}/%2F", alarmed.broker.url()), None).await.unwrap();
        queue.publish(&[Envelope::new(&TrackAnalysisJob { track_id: "3n3Ppam7vgaVa1iaRUc9Lp".into() })]).await.unwrap();
        queue.flush().await;
    });
    alarmed.broker.set_memory_alarm(true).unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = alarmed.command(&["worker", "playlist"]);
    command.env("SPOTIFAI_LISTEN", address.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut worker = command.spawn().unwrap();
    let ready = || {
        runtime.block_on(async {
            let answer = reqwest::get(format!("http://{address}/readyz")).await.ok()?;
            Some((answer.status().as_u16(), answer.text().await.ok()?))
        })
    };
    until("it is unready", || ready().filter(|(code, text)| *code == 503 && text.contains(BLOCKED)));
    let shown = || {
        let output = alarmed.command(&["workers"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    until("workers shows it", || shown().contains(BLOCKED).then_some(()));
    alarmed.broker.set_memory_alarm(false).unwrap();
    until("it is ready", || ready().filter(|(code, _)| *code == 200));
    let counts = || -> Value {
        serde_json::from_slice(&alarmed.command(&["queues", "--json"]).output().unwrap().stdout).unwrap()
    };
    until("the follow-up job is there", || {
        let queues = counts();
        let counts_of = |kind: &str| queues.as_array()?.iter().find(|queue| queue["kind"] == kind).cloned();
        let (analysis, pitches) = (counts_of("track.analysis")?, counts_of("track.pitches")?);
        (analysis["running"] == 0 && analysis["ready"] == 0 && pitches["ready"] == 1).then_some(())
    });
    signal(&worker, "TERM");
    assert!(worker.wait().unwrap().success());
}
