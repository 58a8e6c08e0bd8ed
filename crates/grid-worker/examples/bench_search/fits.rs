//! Single fits, growth and limits, as Markdown.

use std::collections::BTreeMap;

use crate::common::{median, verdict};
use crate::growth::{FITS, Growth, Peer, ROUNDS, exponent};
use crate::limits::{Need, Peaks, need};
use crate::markdown::{digits, table};
use crate::plot::Line;
use crate::single::Single;
use crate::{Bench, cores};

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

/// The lines of the figure.
pub fn lines(growth: &[Growth], bench: &Bench) -> Vec<Line> {
    let line = |&(family, ..): &(&str, &str, &str)| {
        let points = medians(of_rows(growth, bench, family), |of| of.rows);
        Line { name: family.into(), points }
    };
    FITS.iter().map(line).filter(|line| line.points.len() > 1).collect()
}

/// The exponents of a family's rounds: their mean and its standard error.
fn exponents<'a>(rows: impl Iterator<Item = &'a Growth> + Clone) -> (f64, f64) {
    let of_round = |round: usize| medians(rows.clone().filter(|of| of.round == round), |of| of.train);
    let all: Vec<f64> = (0..ROUNDS).map(of_round).filter(|of| of.len() > 1).map(|of| exponent(&of)).collect();
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let squares: f64 = all.iter().map(|of| (of - mean).powi(2)).sum();
    (mean, (squares / ((n - 1.0).max(1.0) * n)).sqrt())
}

/// Growth against rows, features and workers.
pub fn growth(growth: &[Growth], peers: &[Peer], bench: &Bench, figure: &str) -> String {
    let row = |&(family, what, grid): &(&str, &str, &str)| {
        let rows = of_rows(growth, bench, family);
        let seconds = medians(rows.clone(), |of| of.rows);
        let base = || growth.iter().filter(|of| of.family == family && of.rows == bench.args.rows);
        let features = medians(base().filter(|of| of.workers == cores()), |of| of.features);
        let workers = medians(base().filter(|of| of.features == bench.args.features), |of| of.workers);
        let (Some((_, one)), Some((_, all)), 2.., 2..) =
            (workers.first(), workers.last(), seconds.len(), features.len())
        else {
            return None;
        };
        // Of each size, its rows, how many rows n log n is, and how many all nodes had that were split.
        let sizes: BTreeMap<usize, Option<f64>> = rows.clone().map(|of| (of.train, of.depth)).collect();
        let as_sort: Vec<(f64, f64)> = sizes.keys().map(|&n| (n as f64, n as f64 * (n as f64).ln())).collect();
        let splits = sizes.iter().filter_map(|(&n, depth)| Some((n as f64, n as f64 * (*depth)?)));
        let (splits, as_sort) = (splits.collect::<Vec<_>>(), exponent(&as_sort));
        let most = match family {
            "knn" => 2.0,
            _ if splits.is_empty() => as_sort,
            _ => exponent(&splits).max(as_sort),
        };
        let (mean, error) = exponents(rows);
        let peers = peers.iter().filter(|of| of.grid == grid);
        let peers: Vec<(f64, f64)> = peers.map(|of| (of.rows as f64, of.seconds)).collect();
        let of_peers = if peers.len() < 2 { "".into() } else { format!("{:.2}", exponent(&peers)) };
        let list = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(digits).collect::<Vec<_>>().join(", ");
        Some(vec![
            format!("{family}: {what}"),
            list(&mut seconds.iter().map(|of| of.1)),
            list(&mut splits.iter().map(|of| of.1 / of.0)),
            format!("{mean:.3} ± {error:.3}"),
            format!("{as_sort:.3}"),
            format!("{most:.3}"),
            verdict(mean - 2.0 * error <= most).into(),
            of_peers,
            format!("{:.2}", exponent(&features)),
            format!("{:.2}", one / all),
        ])
    };
    let tracks = medians(of_rows(growth, bench, "knn"), |of| of.rows);
    let tracks = tracks.iter().map(|of| of.0.to_string()).collect::<Vec<_>>().join(", ");
    let head = [
        "fit and predictions",
        &format!("s for {tracks} tracks"),
        "splits a row passes",
        "exponent of rows",
        "that of n log n",
        "allowed",
        "",
        "that of scikit-learn's fit",
        "exponent of features",
        &format!("faster with {} workers than with 1", cores()),
    ];
    let figure = format!("![Seconds against tracks, both axes logarithmic]({figure})");
    table("Growth", &head, FITS.iter().filter_map(row).collect(), &figure)
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
