//! What the benchmarks of the search share.

mod tracks;

use anyhow::Context;

pub use tracks::tracks;

/// The middle one of some values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Processor seconds that a process has used so far, in user and kernel mode.
pub fn processor_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Fields 14 and 15, in hundredths; field 2 is a name in brackets that may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let hundredths = |field: usize| fields.get(field - 3).context("no such field")?.parse::<f64>().context("no number");
    Ok((hundredths(14)? + hundredths(15)?) / 100.0)
}

/// `holds` where a ratio is as wanted.
pub fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}
