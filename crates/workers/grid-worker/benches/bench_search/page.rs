//! The measured section of the page about performance.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::{Bench, cores, fits, growth, limits, plot, single, tables};

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Prints all that is known and writes it between the marks of the page; the figure lies beside it.
pub fn write(bench: &Bench) -> anyhow::Result<()> {
    let page = &bench.args.page;
    let growth = growth::journal(bench).read()?;
    let stem = page.file_stem().context("the page is no file")?.to_string_lossy();
    let figure = |x: &str| format!("{stem}-{x}.svg");
    let mut sections = vec![conditions(bench), tables::whole(bench)?, tables::blocks(bench)?];
    sections.push(fits::singles(&single::journal(bench).read()?));
    sections.push(fits::growth(&growth, &growth::peers(bench).read()?, bench, figure));
    if let Some(peaks) = limits::journal(bench).read()?.last() {
        sections.push(fits::limits(&growth, bench, *peaks));
    }
    let sections: Vec<&str> =
        sections.iter().map(|section| section.trim()).filter(|section| !section.is_empty()).collect();
    let measured = sections.join("\n\n");
    println!("\n{measured}");
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read the page {}", page.display()))?;
    std::fs::write(page, between_marks(&text, &measured, page)?)?;
    for (x, lines) in fits::figures(&growth, bench) {
        if let Some(svg) = plot::svg(&format!("Seconds against {x}"), x, "seconds", &lines) {
            std::fs::write(page.with_file_name(figure(x)), svg)?;
        }
    }
    Ok(())
}

/// The page with what lies between its marks replaced.
fn between_marks(text: &str, measured: &str, page: &Path) -> anyhow::Result<String> {
    let marks = || format!("{} needs the lines `{BEGIN}` and `{END}`", page.display());
    let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    ensure!(!after.contains(BEGIN), marks());
    Ok(format!("{before}{BEGIN}\n{measured}\n{END}{after}"))
}

/// The data and the machine.
fn conditions(bench: &Bench) -> String {
    let args = &bench.args;
    let data =
        format!("{} tracks × {} features × {} labels, {} folds", args.rows, args.features, args.labels, crate::FOLDS);
    let proc_field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        line.trim_start_matches([':', ' ', '\t']).to_owned()
    };
    let memory =
        proc_field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) * 1024.0 / 1e9;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(", ");
    format!(
        "Data: {data}. Machine: {}, {} cores, {memory:.0} GB; load averages over 1, 5 and 15 minutes \
         at the end of the run {load}.",
        proc_field("/proc/cpuinfo", "model name"),
        cores(),
    )
}
