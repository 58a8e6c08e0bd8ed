//! The five tables of the study, really searched, beside what they cost scikit-learn; single fits; growth; the machine's
//! limits: `cargo xtask bench search`.
//!
//! Every result is kept as soon as it is there, so that a run that was killed goes on. Ours belong to this very program:
//! another build measures anew. The tables are printed, and written into the page about performance.

#[path = "../common/mod.rs"]
mod common;
mod fits;
mod growth;
mod journal;
mod limits;
mod markdown;
mod ours;
mod page;
mod plot;
mod single;
mod strata;
mod tables;
mod theirs;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::TypedValueParser;
use clap::{Parser, ValueEnum};
use learn::{Labelled, folds};
use model::search::Candidate;
use ndarray::{Array2, s};

/// Folds of the protocol.
const FOLDS: u32 = 5;

#[derive(Parser)]
struct SearchBenchArgs {
    /// Tracks of the generated dataset; 30 in 100 are held out
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..).map(|rows| rows as usize))]
    rows: usize,
    /// Features
    #[arg(long, default_value_t = 1_241, value_parser = clap::value_parser!(u32).range(4..=1_241).map(|number| number as usize))]
    features: usize,
    /// Labels
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100).map(|number| number as usize))]
    labels: usize,
    /// Tables of the study
    #[arg(long, value_delimiter = ',', default_value = "knn,tree,extra_trees,random_forest,mlp")]
    tables: Vec<String>,
    /// Minutes that scikit-learn gets for each table, earlier runs included
    #[arg(long, default_value_t = 8.0)]
    minutes: f64,
    /// Parts to measure; all where none is named
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Rounds of single fits, of which the median counts, and of limits, of which the best does
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..).map(|number| number as usize))]
    rounds: usize,
    /// Forget what is known of these parts and measure it again
    #[arg(long)]
    again: bool,
    /// A Python that has scikit-learn
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Where results are kept
    #[arg(long, default_value = "target/bench-search")]
    folder: PathBuf,
    /// The page that the tables are written into, between its marks
    #[arg(long, default_value = "docs/performance.md")]
    page: PathBuf,
    /// Only search the tables, in this process
    #[arg(long, hide = true)]
    here: bool,
    /// `cargo bench` says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What the machine can do at most
    Limits,
    /// Whole tables, ours
    Ours,
    /// Single fits, both sides
    Single,
    /// Time against rows, features and workers; against rows, that of scikit-learn's trees too
    Growth,
    /// A sample of the tables, by scikit-learn
    ScikitLearn,
}

/// A benchmark on one dataset by one build of this program.
struct Bench {
    args: SearchBenchArgs,
    /// Where the data and scikit-learn's results are.
    data: PathBuf,
    /// Where this program's results are.
    ours: PathBuf,
}

/// One fold of the protocol.
struct Fold {
    train: Labelled,
    validation: Array2<f64>,
}

fn main() -> anyhow::Result<()> {
    // Cargo starts a benchmark in its package's folder; paths are those that one gives `cargo` at the root.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))?;
    let bench = Bench::new(SearchBenchArgs::parse())?;
    if bench.args.here {
        return ours::run_here(&bench);
    }
    for part in Part::value_variants() {
        if bench.args.only.is_empty() || bench.args.only.contains(part) {
            bench.run(*part)?;
        }
    }
    page::write(&bench)
}

impl Bench {
    fn new(args: SearchBenchArgs) -> anyhow::Result<Self> {
        let data = args.folder.join(format!("{}x{}x{}", args.rows, args.features, args.labels));
        let mut hash = DefaultHasher::new();
        std::fs::read(std::env::current_exe()?)?.hash(&mut hash);
        let ours = data.join(format!("{:016x}", hash.finish()));
        std::fs::create_dir_all(&ours).with_context(|| format!("cannot make {}", ours.display()))?;
        Ok(Self { args, data, ours })
    }

    fn run(&self, part: Part) -> anyhow::Result<()> {
        if self.args.again {
            match part {
                Part::Limits => limits::journal(self).clear()?,
                Part::Ours => ours::journal(self).clear()?,
                Part::Single => single::journal(self).clear()?,
                Part::Growth => {
                    growth::journal(self).clear()?;
                    growth::peers(self).clear()?;
                }
                Part::ScikitLearn => {
                    self.args.tables.iter().try_for_each(|table| theirs::journal(self, table).clear())?;
                }
            }
        }
        match part {
            Part::Limits => limits::run(self),
            Part::Ours => ours::run_tables(self),
            Part::Single => single::run(self),
            Part::Growth => growth::run(self),
            Part::ScikitLearn => {
                self.training()?;
                self.args.tables.iter().try_for_each(|table| theirs::run_table(self, table))
            }
        }
    }

    /// The candidates of a table of the study.
    fn candidates(&self, table: &str) -> anyhow::Result<Vec<Candidate>> {
        Ok(learn::grid::read(learn::grid::STUDY, &[table.to_owned()])?)
    }

    /// The scaled training rows, also written for scikit-learn.
    fn training(&self) -> anyhow::Result<Labelled> {
        let data = theirs::training(self.args.rows, self.args.features, self.args.labels)?;
        theirs::write(&self.data, &data)?;
        Ok(data)
    }
}

/// The only candidate of a grid.
fn only_candidate(grid: &str) -> anyhow::Result<Candidate> {
    learn::grid::read(grid, &[])?.pop().context("the grid is empty")
}

/// The first fold of these training rows.
fn first_fold(data: &Labelled) -> anyhow::Result<Fold> {
    let validation = folds::k_fold(data.records.nrows(), FOLDS as usize)?.swap_remove(0);
    Ok(Fold {
        train: folds::training_rows(data, &validation),
        validation: data.records.slice(s![validation, ..]).to_owned(),
    })
}

/// Cores that this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
