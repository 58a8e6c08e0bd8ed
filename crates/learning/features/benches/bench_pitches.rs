//! Times the pitch step on generated tracks, here and in pandas, and prints the ratio:
//! `cargo bench -p features --bench bench_pitches -- --python VENV/bin/python` (a Python that has pandas).

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Parser;
use model::analysis::Segment;

const ROUNDS: usize = 7;

#[derive(Parser)]
struct Args {
    /// A Python with pandas.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Tracks of about 700 segments.
    #[arg(long, default_value_t = 300)]
    tracks: usize,
    /// Rounds of the pandas side; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// `cargo bench` says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut random = Random(234_634_754);
    let tracks: Vec<Vec<Segment>> = (0..args.tracks).map(|_| track(&mut random)).collect();
    let ours = median_milliseconds(&tracks)?;
    let pandas = pandas_milliseconds(&tracks, &args)?;
    println!("{} tracks, milliseconds a track for segments -> 1,224 columns", args.tracks);
    println!("pandas    {pandas:.3}");
    println!("features  {ours:.4}");
    println!("ratio     {:.0}", pandas / ours);
    Ok(())
}

fn median_milliseconds(tracks: &[Vec<Segment>]) -> anyhow::Result<f64> {
    let mut rounds = [0.0; ROUNDS];
    for round in &mut rounds {
        let begin = Instant::now();
        for segments in tracks {
            black_box(features::pitches(black_box(segments))?);
        }
        *round = begin.elapsed().as_secs_f64() * 1e3 / tracks.len() as f64;
    }
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}

/// The same tracks and the same step in Python, without the parsing of the file.
fn pandas_milliseconds(tracks: &[Vec<Segment>], args: &Args) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tracks.json");
    std::fs::write(&file, serde_json::to_vec(tracks)?)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pandas/timing.py");
    let output = Command::new(&args.python)
        .arg(script)
        .arg(&file)
        .arg(args.rounds.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("cannot run {}", args.python.display()))?;
    ensure!(output.status.success(), "{script} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)?.trim().parse().context("the script printed no number")
}

/// 650 to 750 segments of 60 to 500 ms, rounded as real documents are: starts to five decimals, pitches to three.
fn track(random: &mut Random) -> Vec<Segment> {
    let mut start = 0.0;
    let count = 650 + (random.unit() * 100.0) as usize;
    let mut segments = Vec::with_capacity(count);
    for _ in 0..count {
        let pitches = std::array::from_fn(|_| (random.unit() * 1e3).round() / 1e3);
        segments.push(segment((start * 1e5_f64).round() / 1e5, pitches));
        start += 0.06 + random.unit() * 0.44;
    }
    segments
}

fn segment(start: f64, pitches: [f64; 12]) -> Segment {
    Segment {
        start,
        duration: None,
        confidence: None,
        loudness_start: None,
        loudness_max: None,
        loudness_max_time: None,
        loudness_end: None,
        pitches,
        timbre: None,
    }
}

/// splitmix64: the same tracks in every run.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
