//! Printing: lines, tables, JSON. Colours are for a terminal only, and none where NO_COLOR is set.

use std::io::Write;
use std::time::Duration;

use console::{measure_text_width, strip_ansi_codes, style};
use model::Timestamp;

pub use report::thousands;
use serde::Serialize;

/// A line on standard output; a closed pipe is an error like any other.
pub fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// A value as indented JSON on standard output.
pub fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?)
}

/// Rows under a header, columns aligned: the first to the left, numbers to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| measure_text_width(&row[column]));
        cells.chain([measure_text_width(header[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let begins_as_number = |cell: &str| strip_ansi_codes(cell).starts_with(|c: char| c.is_ascii_digit() || c == '–');
    let is_number = |column: usize| !rows.is_empty() && rows.iter().all(|row| begins_as_number(&row[column]));
    let right: Vec<bool> = (0..header.len()).map(is_number).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(i, cell)| {
            let pad = " ".repeat(widths[i] - measure_text_width(cell));
            if right[i] { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = style(line(header.to_vec())).bold().to_string();
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(head).chain(body).collect::<Vec<_>>().join("\n")
}

/// A count; `–` where nobody knows it.
pub fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| thousands(number as usize))
}

/// A count that is red unless it is zero.
pub fn alarming(number: u64) -> String {
    let text = thousands(number as usize);
    if number == 0 { text } else { style(text).red().to_string() }
}

/// A length of time in one unit.
pub fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago that was.
pub fn age(since: Timestamp) -> String {
    length(Timestamp::now().after(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = vec![vec!["track.tags".into(), "7".into()], vec!["x".into(), "1,200".into()]];
        assert_eq!(table(&["kind", "ready"], &rows), "kind        ready\ntrack.tags      7\nx           1,200");
    }
}
