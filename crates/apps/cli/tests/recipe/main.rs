//! The recipe for a kind of job in CONTRIBUTING.md, followed: it is one file, `echo.rs`, and one line where its program registers
//! its handlers. This program is `spotifai` with that line more, and the tests that it works like any other kind.

mod echo;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use echo::Echo;
use host::{Backends, Program, Registration, Scaling, WorkerProgram};
use pitch_worker::{PitchWorker, Pitches};
use serde_json::Value;

/// `pitch-worker` with one handler more.
struct WithEcho;

impl WorkerProgram for WithEcho {
    const NAME: &'static str = PitchWorker::NAME;
    const DESCRIPTION: &'static str = PitchWorker::DESCRIPTION;
    const SCALING: Scaling = PitchWorker::SCALING;
    type Shared = ();
    const HANDLERS: &'static [Registration<()>] = &[
        Registration::of::<Pitches>(),
        // The one registration.
        Registration::of::<Echo>(),
    ];

    fn shared(backends: &Backends) -> anyhow::Result<()> {
        PitchWorker::shared(backends)
    }
}

const PROGRAMS: &[Program] = &[cli::PROGRAMS[0], cli::PROGRAMS[1], Program::of::<WithEcho>(), cli::PROGRAMS[3]];

/// Set where this process is to be `spotifai` and no test.
const PROGRAM: &str = "SPOTIFAI_TEST_RECIPE";

type Test = (&'static str, fn(&Path));

fn main() -> ExitCode {
    if std::env::var_os(PROGRAM).is_some() {
        return cli::main(PROGRAMS);
    }
    let tests: &[Test] = &[
        ("the_kind_is_listed_with_all_that_its_type_says", listed),
        ("its_jobs_are_enqueued_paused_run_and_timed_out", run_and_timed_out),
        ("what_a_cluster_scales_by_names_its_queues_and_is_one_file_to_make_anew", scaled),
    ];
    for (name, test) in tests {
        let folder = tempfile::tempdir().expect("a folder");
        test(folder.path());
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

fn listed(at: &Path) {
    let kinds: Value = json(at, &["kinds", "--json"]);
    let echo = kinds.as_array().unwrap().iter().find(|kind| kind["name"] == "test.echo").expect("it is there");
    assert_eq!((&echo["worker"], &echo["attempts"]), (&"pitch-worker".into(), &2.into()));
    assert_eq!(echo["timeout_seconds"], 1);
    let help = ok(at, &["enqueue", "file", "--help"]);
    assert!(help.contains("test.echo") && help.contains(r#"{"n":1}"#), "{help}");
    assert!(ok(at, &["completions", "bash"]).contains("test.echo"));
}

fn run_and_timed_out(at: &Path) {
    std::fs::write(at.join("jobs"), "7\n{\"n\":0}\n8\n").unwrap();
    assert!(ok(at, &["enqueue", "file", "jobs", "--kind", "test.echo"]).contains("enqueued 3 jobs"));
    ok(at, &["pause", "test.echo"]);
    let queue = queue(at);
    assert!(queue["ready"] == 3 && queue["paused_since"].is_i64(), "{queue}");
    ok(at, &["resume", "test.echo"]);
    ok(at, &["worker", "pitch", "--until-empty"]);
    let dead = json(at, &["dead", "list", "--kind", "test.echo", "--json"]);
    assert_eq!((dead.as_array().unwrap().len(), &dead[0]["key"]), (1, &"0".into()), "{dead}");
    assert_eq!(dead[0]["reason"], "gave up after 2 attempts: timed out after 1 s");
    let queue = self::queue(at);
    assert!(queue["ready"] == 0 && queue["dead"] == 1, "{queue}");
}

fn scaled(at: &Path) {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../k8s/base/scaling.yaml");
    let committed = std::fs::read_to_string(committed).unwrap();
    let with = ok(at, &["kinds", "--scaling"]);
    for queue in ["queueName: spotifai.test.echo\n", "queueName: spotifai.test.echo.high\n"] {
        assert!(with.contains(queue), "{with}");
        assert!(!committed.contains(queue));
    }
    let spotifai = Command::new(env!("CARGO_BIN_EXE_spotifai")).args(["kinds", "--scaling"]).output().unwrap();
    let now = String::from_utf8(spotifai.stdout).unwrap();
    assert_eq!(now, committed, "k8s/base/scaling.yaml is old: `cargo xtask deploy --write` makes it anew");
}

/// What `queues` says of the kind.
fn queue(at: &Path) -> Value {
    let queues = json(at, &["queues", "--json"]);
    queues.as_array().unwrap().iter().find(|queue| queue["kind"] == "test.echo").expect("it is listed").clone()
}

fn json(at: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(at, args)).expect("JSON")
}

/// Standard output of this process as `spotifai`.
fn ok(at: &Path, args: &[&str]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("SPOTIFAI_"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    let output = command.current_dir(at).args(args).env(PROGRAM, "1").stdin(Stdio::null()).output().expect("it starts");
    assert!(output.status.success(), "{args:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
