//! Single fits, growth and limits, as Markdown.

use crate::common::verdict;
use crate::growth::{FITS, Growth, Peer, exponent};
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

/// The points of a family: rows and seconds on all cores, with all features.
fn by_rows(growth: &[Growth], bench: &Bench, family: &str) -> Vec<(f64, f64)> {
    let is = |of: &&Growth| of.family == family && of.features == bench.args.features && of.workers == cores();
    growth.iter().filter(is).map(|of| (of.rows as f64, of.seconds)).collect()
}

/// The lines of the figure.
pub fn lines(growth: &[Growth], bench: &Bench) -> Vec<Line> {
    let line =
        |&(family, ..): &(&str, &str, &str)| Line { name: family.into(), points: by_rows(growth, bench, family) };
    FITS.iter().map(line).filter(|line| line.points.len() > 1).collect()
}

/// Growth against rows, features and workers.
pub fn growth(growth: &[Growth], peers: &[Peer], bench: &Bench, figure: &str) -> String {
    let base = |of: &&Growth| of.rows == bench.args.rows;
    let row = |&(family, what, grid): &(&str, &str, &str)| {
        let rows = by_rows(growth, bench, family);
        let of = || growth.iter().filter(base).filter(|of| of.family == family);
        let features: Vec<(f64, f64)> =
            of().filter(|of| of.workers == cores()).map(|of| (of.features as f64, of.seconds)).collect();
        let workers = |count: usize| {
            of().find(|of| of.features == bench.args.features && of.workers == count).map(|of| of.seconds)
        };
        if rows.len() < 2 || features.len() < 2 {
            return None;
        }
        let as_sort: Vec<(f64, f64)> = rows.iter().map(|&(n, _)| (n, n * n.ln())).collect();
        let (found, most) = (exponent(&rows), if family == "knn" { 2.0 } else { exponent(&as_sort) });
        let peers = peers.iter().filter(|of| of.grid == grid);
        let peers: Vec<(f64, f64)> = peers.map(|of| (of.rows as f64, of.seconds)).collect();
        let of_peers = if peers.len() < 2 { "".into() } else { format!("{:.2}", exponent(&peers)) };
        let speedup = workers(1)? / workers(cores())?;
        let seconds = rows.iter().map(|of| digits(of.1)).collect::<Vec<_>>().join(", ");
        Some(vec![
            format!("{family}: {what}"),
            seconds,
            format!("{found:.2}"),
            format!("{most:.2}"),
            verdict(found <= most).into(),
            of_peers,
            format!("{:.2}", exponent(&features)),
            format!("{speedup:.2}"),
        ])
    };
    let of_rows = growth.iter().filter(|of| of.family == "knn" && of.features == bench.args.features);
    let of_rows =
        of_rows.filter(|of| of.workers == cores()).map(|of| of.rows.to_string()).collect::<Vec<_>>().join(", ");
    let head = format!("s for {of_rows} tracks");
    let faster = format!("faster with {} workers than with 1", cores());
    let head = [
        "fit and predictions",
        &head,
        "exponent of rows",
        "allowed",
        "",
        "that of scikit-learn's fit",
        "exponent of features",
        &faster,
    ];
    let figure = format!("![Seconds against tracks, both axes logarithmic]({figure})");
    table("Growth", &head, FITS.iter().filter_map(row).collect(), &figure)
}

/// How far the fits of the growth are from what the machine allows.
pub fn limits(growth: &[Growth], bench: &Bench, peaks: Peaks) -> String {
    let args = &bench.args;
    let base = |of: &&Growth| (of.rows, of.features, of.workers) == (args.rows, args.features, cores());
    let row = |of: &Growth| {
        let need = need(of, args.labels);
        let what = match need {
            Need::Bytes(bytes) => format!("{} GB", digits(bytes / 1e9)),
            Need::Flops(flops) => format!("{} GFLOP", digits(flops / 1e9)),
        };
        let least = peaks.seconds(&need);
        vec![of.family.clone(), what, digits(least), digits(of.seconds), digits(of.seconds / least)]
    };
    let head = ["fit of the growth", "needs at least", "s at the limit", "measured, s", "times the limit"];
    let after = format!(
        "All cores read {:.1} GB/s from memory and do {:.0} GFLOP/s in f32 (a multiplication with its addition counts two), \
         each the best of {} rounds of this run.",
        peaks.gigabytes, peaks.gigaflops, args.rounds
    );
    table("Distance to the limits", &head, growth.iter().filter(base).map(row).collect(), &after)
}
