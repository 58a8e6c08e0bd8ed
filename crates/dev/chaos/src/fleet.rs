//! The workers: three processes of each program, restarted whenever they end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::join_all;
use rand::Rng;
use rand::rngs::StdRng;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// The worker programs.
const PROGRAMS: [&str; 3] = ["playlist-worker", "lastfm-worker", "pitch-worker"];

/// Processes of each program.
pub const PROCESSES_PER_PROGRAM: usize = 3;

/// How long after a process has ended by itself it is restarted, as by an orchestrator.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// All worker processes.
pub struct Fleet {
    members: Vec<Member>,
    environment: Vec<(String, String)>,
    http: reqwest::Client,
    kills: AtomicUsize,
    /// Processes that ended without being killed.
    ends: AtomicUsize,
    /// Locked while no process may be killed.
    pub peace: Mutex<()>,
}

/// One slot of the fleet: when its process ends, another one takes its place.
struct Member {
    name: String,
    program: PathBuf,
    log: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Fleet {
    /// Starts every process.
    ///
    /// # Errors
    /// If a program is not beside this one.
    pub async fn start(environment: Vec<(String, String)>, logs: &Path) -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?;
        let mut members = Vec::new();
        for (program, number) in
            PROGRAMS.iter().flat_map(|program| (0..PROCESSES_PER_PROGRAM).map(move |number| (program, number)))
        {
            let name = format!("{program}-{number}");
            let log = logs.join(format!("{name}.log"));
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
            let port = services::free_port()?;
            members.push(Member { name, program: beside.with_file_name(program), log, port, child: Mutex::default() });
        }
        let http = reqwest::Client::builder().timeout(Duration::from_millis(500)).no_proxy().build()?;
        let (kills, ends, peace) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::default());
        let fleet = Self { members, environment, http, kills, ends, peace };
        for member in &fleet.members {
            *member.child.lock().await = Some(member.start(&fleet.environment)?);
        }
        Ok(fleet)
    }

    /// Kills a random process about every second, for ever.
    pub async fn kill_at_random(&self, mut random: StdRng) -> anyhow::Error {
        loop {
            tokio::time::sleep(Duration::from_secs_f64(random.random_range(0.5..1.5))).await;
            let member = &self.members[random.random_range(0..self.members.len())];
            let _peace = self.peace.lock().await;
            if let Err(error) = self.replace(member).await {
                return error;
            }
        }
    }

    async fn replace(&self, member: &Member) -> anyhow::Result<()> {
        let mut child = member.child.lock().await;
        if let Some(child) = child.as_mut() {
            child.kill().await.with_context(|| format!("cannot kill {}", member.name))?;
        }
        self.kills.fetch_add(1, Ordering::Relaxed);
        *child = Some(member.start(&self.environment)?);
        Ok(())
    }

    /// Restarts processes that ended by themselves, for ever.
    pub async fn keep_alive(&self) -> anyhow::Error {
        loop {
            tokio::time::sleep(RESTART_DELAY).await;
            for member in &self.members {
                let mut child = member.child.lock().await;
                if matches!(child.as_mut().map(Child::try_wait), Some(Ok(Some(_)))) {
                    self.ends.fetch_add(1, Ordering::Relaxed);
                    match member.start(&self.environment) {
                        Ok(started) => *child = Some(started),
                        Err(error) => return error,
                    }
                }
            }
        }
    }

    /// Names of the workers that are not ready.
    pub async fn not_ready(&self) -> Vec<&str> {
        let ask = |member: &Member| self.http.get(format!("http://127.0.0.1:{}/readyz", member.port)).send();
        let answers = join_all(self.members.iter().map(ask)).await;
        let is_ready = |answer: &Result<reqwest::Response, _>| answer.as_ref().is_ok_and(|a| a.status().is_success());
        let unready = self.members.iter().zip(&answers).filter(|(_, answer)| !is_ready(answer));
        unready.map(|(member, _)| member.name.as_str()).collect()
    }

    /// Waits until every worker is ready, up to `limit`. Returns how long that took, and which workers were last.
    pub async fn ready_within(&self, limit: Duration) -> (Duration, Vec<&str>) {
        let begin = Instant::now();
        let mut last = Vec::new();
        loop {
            let unready = self.not_ready().await;
            if unready.is_empty() {
                return (begin.elapsed(), last);
            }
            last = unready;
            if begin.elapsed() > limit {
                return (begin.elapsed(), last);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The number of processes killed, and of processes that ended by themselves.
    pub fn losses(&self) -> (usize, usize) {
        (self.kills.load(Ordering::Relaxed), self.ends.load(Ordering::Relaxed))
    }

    /// Ends all processes.
    pub async fn end(&self) -> anyhow::Result<()> {
        for member in &self.members {
            if let Some(mut child) = member.child.lock().await.take() {
                child.kill().await?;
            }
        }
        Ok(())
    }
}

impl Member {
    fn start(&self, environment: &[(String, String)]) -> anyhow::Result<Child> {
        let log = File::options().append(true).open(&self.log)?;
        Command::new(&self.program)
            .env_clear()
            .env("SPOTIFAI_LISTEN", format!("127.0.0.1:{}", self.port))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}
