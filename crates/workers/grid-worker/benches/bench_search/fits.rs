//! Single fits, growth and limits, as Markdown.

use std::collections::BTreeMap;

use crate::common::{median, verdict};
use crate::growth::{FITS, Growth, Peer, ROUNDS, exponent};
use crate::limits::{Need, Peaks, need};
use crate::markdown::{digits, table};
use crate::plot::Line;
use crate::single::Single;
use crate::{Bench, cores};

/// Standard errors of exponents beyond this say that the machine was busy with something else.
const NOISE: f64 = 0.03;

/// Single fits.
pub fn singles(singles: &[Single]) -> String {
    let row = |of: &Single| {
        let ratio = of.theirs / of.ours;
        let wanted = of.wanted.map_or("a baseline".into(), |wanted| wanted.to_string());
        let holds = of.wanted.map_or("", |wanted| verdict(ratio >= wanted));
        vec![of.fit.clone(), of.peer.clone(), digits(of.theirs), digits(of.ours), digits(ratio), wanted, holds.into()]
    };
    let head = ["fit", "beside", "its s", "here, s", "ratio", "wanted", ""];
    table("Single fits", &head, singles.iter().map(row).collect(), "")
}

/// The median seconds of some points for each x, ascending.
fn medians<'a>(growth: impl Iterator<Item = &'a Growth>, x: impl Fn(&Growth) -> usize) -> Vec<(f64, f64)> {
    let mut all = BTreeMap::<usize, Vec<f64>>::new();
    growth.for_each(|of| all.entry(x(of)).or_default().push(of.seconds));
    all.into_iter().map(|(x, seconds)| (x as f64, median(seconds))).collect()
}

/// A family's points of all rows, on all cores with all features.
fn of_rows<'a>(growth: &'a [Growth], bench: &Bench, family: &str) -> impl Iterator<Item = &'a Growth> + Clone {
    let features = bench.args.features;
    let family = family.to_owned();
    growth.iter().filter(move |of| of.family == family && of.features == features && of.workers == cores())
}

/// A family's points of the benchmark's own rows.
fn of_base<'a>(growth: &'a [Growth], bench: &Bench, family: &str) -> impl Iterator<Item = &'a Growth> {
    let rows = bench.args.rows;
    let family = family.to_owned();
    growth.iter().filter(move |of| of.family == family && of.rows == rows)
}

/// Median seconds against tracks, features and workers, all else as in the benchmark.
struct Against {
    tracks: Vec<(f64, f64)>,
    features: Vec<(f64, f64)>,
    workers: Vec<(f64, f64)>,
}

impl Against {
    fn of(growth: &[Growth], bench: &Bench, family: &str) -> Self {
        let features = bench.args.features;
        Self {
            tracks: medians(of_rows(growth, bench, family), |of| of.rows),
            features: medians(of_base(growth, bench, family).filter(|of| of.workers == cores()), |of| of.features),
            workers: medians(of_base(growth, bench, family).filter(|of| of.features == features), |of| of.workers),
        }
    }
}

/// The figures: what seconds are shown against, and a line a family.
pub fn figures(growth: &[Growth], bench: &Bench) -> Vec<(&'static str, Vec<Line>)> {
    let of_families = || FITS.iter().map(|&(family, ..)| (family, Against::of(growth, bench, family)));
    let lines = |points: fn(Against) -> Vec<(f64, f64)>| -> Vec<Line> {
        let lines = of_families().map(|(name, of)| Line { name: name.into(), points: points(of) });
        lines.filter(|line| line.points.len() > 1).collect()
    };
    vec![("tracks", lines(|of| of.tracks)), ("features", lines(|of| of.features)), ("workers", lines(|of| of.workers))]
}

/// The exponents of a family's rounds: their mean and its standard error; `None` where fewer than two rounds were run to
/// their end.
fn exponents<'a>(rows: impl Iterator<Item = &'a Growth> + Clone) -> Option<(f64, f64)> {
    let sizes = medians(rows.clone(), |of| of.train).len();
    let of_round = |round: usize| medians(rows.clone().filter(|of| of.round == round), |of| of.train);
    let all: Vec<f64> =
        (0..ROUNDS).map(of_round).filter(|of| of.len() == sizes && sizes > 1).map(|of| exponent(&of)).collect();
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let squares: f64 = all.iter().map(|of| (of - mean).powi(2)).sum();
    (all.len() > 1).then(|| (mean, (squares / (n * (n - 1.0))).sqrt()))
}

/// Whether time grows no faster than it may, as far as can be told.
fn grows_as_allowed(mean: f64, error: f64, most: f64) -> &'static str {
    if error > NOISE { "too noisy to tell" } else { verdict(mean - 2.0 * error <= most) }
}

/// Growth against rows, features and workers.
pub fn growth(growth: &[Growth], peers: &[Peer], bench: &Bench, figure: impl Fn(&str) -> String) -> String {
    let row = |&(family, what, grid): &(&str, &str, &str)| {
        let rows = of_rows(growth, bench, family);
        let Against { tracks, features, workers } = Against::of(growth, bench, family);
        let with = |count: usize| workers.iter().find(|of| of.0 == count as f64).map(|of| of.1);
        let (mean, error) = exponents(rows.clone())?;
        let as_sort = exponent(&rows.map(|of| of.train as f64).map(|n| (n, n * n.ln())).collect::<Vec<_>>());
        let peers: BTreeMap<usize, &Peer> =
            peers.iter().filter(|of| of.grid == grid).map(|of| (of.train, of)).collect();
        let of_peers = |y: fn(&Peer) -> f64| {
            let points: Vec<(f64, f64)> = peers.iter().map(|(&n, of)| (n as f64, y(of))).collect();
            (points.len() > 1).then(|| exponent(&points))
        };
        let most = match family {
            "knn" => 2.0,
            _ => of_peers(|of| of.train as f64 * of.splits).map_or(as_sort, |splits| splits.max(as_sort)),
        };
        let list = |numbers: Vec<f64>| numbers.into_iter().map(digits).collect::<Vec<_>>().join(", ");
        Some(vec![
            format!("{family}: {what}"),
            list(tracks.iter().map(|of| of.1).collect()),
            format!("{mean:.3} ± {error:.3}"),
            list(peers.values().map(|of| of.splits).collect()),
            format!("{as_sort:.3}"),
            format!("{most:.3}"),
            grows_as_allowed(mean, error, most).into(),
            of_peers(|of| of.seconds).map_or(String::new(), |exponent| format!("{exponent:.2}")),
            format!("{:.2}", exponent(&features)),
            format!("{:.2}", with(1)? / with(cores())?),
        ])
    };
    let tracks = Against::of(growth, bench, "knn").tracks;
    let tracks = tracks.iter().map(|of| of.0.to_string()).collect::<Vec<_>>().join(", ");
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
pub fn limits(growth: &[Growth], bench: &Bench, peaks: Peaks) -> String {
    let args = &bench.args;
    let row = |&(family, ..): &(&str, &str, &str)| {
        let mut of_base = of_rows(growth, bench, family).filter(|of| of.rows == args.rows);
        let (_, seconds) = *medians(of_base.clone(), |of| of.rows).first()?;
        let of = of_base.next()?;
        let need = need(of, args.labels);
        let what = match need {
            Need::Bytes(bytes) => format!("{} GB", digits(bytes / 1e9)),
            Need::Flops(flops) => format!("{} GFLOP", digits(flops / 1e9)),
        };
        let least = peaks.seconds(&need);
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
