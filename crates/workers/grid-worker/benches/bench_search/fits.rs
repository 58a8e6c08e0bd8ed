//! Single fits, growth and limits, as Markdown.

use std::collections::BTreeMap;

use crate::common::{median, verdict};
use crate::growth::{FITS, GrowthPoint, PeerFit, ROUNDS, exponent};
use crate::limits::{MachinePeaks, MinimalWork, minimal_work};
use crate::markdown::{digits, table};
use crate::plot::Line;
use crate::single::SingleFit;
use crate::{Bench, cores};

/// Standard errors of exponents beyond this say that the machine was busy with something else.
const MAX_STANDARD_ERROR: f64 = 0.03;

/// Single fits.
pub fn singles(singles: &[SingleFit]) -> String {
    let row = |point: &SingleFit| {
        let ratio = point.theirs / point.ours;
        let wanted = point.min_speedup.map_or("a baseline".into(), |wanted| wanted.to_string());
        let holds = point.min_speedup.map_or("", |wanted| verdict(ratio >= wanted));
        vec![
            point.fit.clone(),
            point.peer.clone(),
            digits(point.theirs),
            digits(point.ours),
            digits(ratio),
            wanted,
            holds.into(),
        ]
    };
    let head = ["fit", "beside", "its s", "here, s", "ratio", "wanted", ""];
    table("Single fits", &head, singles.iter().map(row).collect(), "")
}

/// The median seconds of some points for each x, ascending.
fn medians<'a>(growth: impl Iterator<Item = &'a GrowthPoint>, x: impl Fn(&GrowthPoint) -> usize) -> Vec<(f64, f64)> {
    let mut all = BTreeMap::<usize, Vec<f64>>::new();
    growth.for_each(|point| all.entry(x(point)).or_default().push(point.seconds));
    all.into_iter().map(|(x, seconds)| (x as f64, median(seconds))).collect()
}

/// A family's points of all rows, on all cores with all features.
fn of_rows<'a>(
    growth: &'a [GrowthPoint],
    bench: &Bench,
    family: &str,
) -> impl Iterator<Item = &'a GrowthPoint> + Clone {
    let features = bench.args.features;
    let family = family.to_owned();
    growth.iter().filter(move |point| point.family == family && point.features == features && point.workers == cores())
}

/// A family's points of the benchmark's own rows.
fn of_base<'a>(growth: &'a [GrowthPoint], bench: &Bench, family: &str) -> impl Iterator<Item = &'a GrowthPoint> {
    let rows = bench.args.rows;
    let family = family.to_owned();
    growth.iter().filter(move |point| point.family == family && point.rows == rows)
}

/// Median seconds against tracks, features and workers, all else as in the benchmark.
struct MediansBy {
    tracks: Vec<(f64, f64)>,
    features: Vec<(f64, f64)>,
    workers: Vec<(f64, f64)>,
}

impl MediansBy {
    fn new(growth: &[GrowthPoint], bench: &Bench, family: &str) -> Self {
        let features = bench.args.features;
        Self {
            tracks: medians(of_rows(growth, bench, family), |point| point.rows),
            features: medians(of_base(growth, bench, family).filter(|point| point.workers == cores()), |point| {
                point.features
            }),
            workers: medians(of_base(growth, bench, family).filter(|point| point.features == features), |point| {
                point.workers
            }),
        }
    }
}

/// The figures: what seconds are shown against, and a line a family.
pub fn figures(growth: &[GrowthPoint], bench: &Bench) -> Vec<(&'static str, Vec<Line>)> {
    let of_families = || FITS.iter().map(|&(family, ..)| (family, MediansBy::new(growth, bench, family)));
    let lines = |points: fn(MediansBy) -> Vec<(f64, f64)>| -> Vec<Line> {
        let lines = of_families().map(|(name, point)| Line { name: name.into(), points: points(point) });
        lines.filter(|line| line.points.len() > 1).collect()
    };
    vec![
        ("tracks", lines(|point| point.tracks)),
        ("features", lines(|point| point.features)),
        ("workers", lines(|point| point.workers)),
    ]
}

/// The exponents of a family's rounds: their mean and its standard error; `None` where fewer than two rounds were run to
/// their end.
fn exponents<'a>(rows: impl Iterator<Item = &'a GrowthPoint> + Clone) -> Option<(f64, f64)> {
    let sizes = medians(rows.clone(), |point| point.train).len();
    let of_round = |round: usize| medians(rows.clone().filter(|point| point.round == round), |point| point.train);
    let all: Vec<f64> = (0..ROUNDS)
        .map(of_round)
        .filter(|point| point.len() == sizes && sizes > 1)
        .map(|point| exponent(&point))
        .collect();
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let squares: f64 = all.iter().map(|point| (point - mean).powi(2)).sum();
    (all.len() > 1).then(|| (mean, (squares / (n * (n - 1.0))).sqrt()))
}

/// Whether time grows no faster than it may, as far as can be told.
fn grows_as_allowed(mean: f64, error: f64, most: f64) -> &'static str {
    if error > MAX_STANDARD_ERROR { "too noisy to tell" } else { verdict(mean - 2.0 * error <= most) }
}

/// Growth against rows, features and workers.
pub fn growth(growth: &[GrowthPoint], peers: &[PeerFit], bench: &Bench, figure: impl Fn(&str) -> String) -> String {
    let row = |&(family, what, grid): &(&str, &str, &str)| {
        let rows = of_rows(growth, bench, family);
        let MediansBy { tracks, features, workers } = MediansBy::new(growth, bench, family);
        let with = |count: usize| workers.iter().find(|point| point.0 == count as f64).map(|point| point.1);
        let (mean, error) = exponents(rows.clone())?;
        let as_sort = exponent(&rows.map(|point| point.train as f64).map(|n| (n, n * n.ln())).collect::<Vec<_>>());
        let peers: BTreeMap<usize, &PeerFit> =
            peers.iter().filter(|point| point.grid == grid).map(|point| (point.train, point)).collect();
        let of_peers = |y: fn(&PeerFit) -> f64| {
            let points: Vec<(f64, f64)> = peers.iter().map(|(&n, point)| (n as f64, y(point))).collect();
            (points.len() > 1).then(|| exponent(&points))
        };
        let most = match family {
            "knn" => 2.0,
            _ => of_peers(|point| point.train as f64 * point.splits).map_or(as_sort, |splits| splits.max(as_sort)),
        };
        let list = |numbers: Vec<f64>| numbers.into_iter().map(digits).collect::<Vec<_>>().join(", ");
        Some(vec![
            format!("{family}: {what}"),
            list(tracks.iter().map(|point| point.1).collect()),
            format!("{mean:.3} ± {error:.3}"),
            list(peers.values().map(|point| point.splits).collect()),
            format!("{as_sort:.3}"),
            format!("{most:.3}"),
            grows_as_allowed(mean, error, most).into(),
            of_peers(|point| point.seconds).map_or(String::new(), |exponent| format!("{exponent:.2}")),
            format!("{:.2}", exponent(&features)),
            format!("{:.2}", with(1)? / with(cores())?),
        ])
    };
    let tracks = MediansBy::new(growth, bench, "knn").tracks;
    let tracks = tracks.iter().map(|point| point.0.to_string()).collect::<Vec<_>>().join(", ");
    let head = [
        "fit and predictions",
        &format!("s for {tracks} tracks"),
        "exponent of rows",
        "splits a row passes in scikit-learn's trees",
        "exponent of n log n",
        "allowed",
        "",
        "exponent of scikit-learn's seconds",
        "exponent of features",
        &format!("faster with {} workers than with 1", cores()),
    ];
    let show = |(x, _): &(&str, Vec<Line>)| format!("![Seconds against {x}, both axes logarithmic]({})", figure(x));
    let figures: Vec<String> = figures(growth, bench).iter().map(show).collect();
    table("Growth", &head, FITS.iter().filter_map(row).collect(), &figures.join("\n"))
}

/// How far the fits of the growth are from what the machine allows.
pub fn limits(growth: &[GrowthPoint], bench: &Bench, peaks: MachinePeaks) -> String {
    let args = &bench.args;
    let row = |&(family, ..): &(&str, &str, &str)| {
        let mut of_base = of_rows(growth, bench, family).filter(|point| point.rows == args.rows);
        let (_, seconds) = *medians(of_base.clone(), |point| point.rows).first()?;
        let point = of_base.next()?;
        let minimal_work = minimal_work(point, args.labels);
        let what = match minimal_work {
            MinimalWork::Bytes(bytes) => format!("{} GB", digits(bytes / 1e9)),
            MinimalWork::Flops(flops) => format!("{} GFLOP", digits(flops / 1e9)),
        };
        let least = peaks.seconds(&minimal_work);
        Some(vec![family.into(), what, digits(least), digits(seconds), digits(seconds / least)])
    };
    let head = ["fit of the growth", "needs at least", "s at the limit", "measured, s", "times the limit"];
    let after = format!(
        "All cores read {:.1} GB/s from memory and do {:.0} GFLOP/s in f32 (a multiplication with its addition counts two), \
         each the best of {} rounds of this run.",
        peaks.gigabytes, peaks.gigaflops, args.rounds
    );
    table("Distance to the limits", &head, FITS.iter().filter_map(row).collect(), &after)
}
