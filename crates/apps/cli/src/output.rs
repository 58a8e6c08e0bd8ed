//! Printing: lines, tables, JSON. Colours are for a terminal only, and none where NO_COLOR is set.
//!
//! What is printed may hold texts from outside: here, and only here, whatever a terminal would obey is escaped. Our own
//! colours are therefore no escape sequences until then.

use std::io::Write;
use std::time::Duration;

use console::{colors_enabled, measure_text_width};
use model::Timestamp;
use model::terminal::{escaped, escaped_json, escaped_lines};

use host::complain;
pub use report::thousands;
use serde::Serialize;

/// A line on standard output, [`shown`]; a closed pipe is an error like any other.
pub fn say(line: &str) -> anyhow::Result<()> {
    print(&shown(line))
}

/// A text as it is on standard output.
pub fn say_raw(text: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(unprinted)
}

/// A value as indented JSON on standard output.
pub fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped_json(&serde_json::to_string_pretty(value)?))
}

/// A value as JSON in one line on standard output.
pub fn say_json_line(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped_json(&serde_json::to_string(value)?))
}

/// A line on standard error about what is doubtful and does not stop the command.
pub fn warn(note: &str) {
    complain(&format!("warning: {}", escaped(note)));
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(unprinted)
}

/// Why nothing can be printed. A closed pipe stays what it is: it is no failure.
pub fn unprinted(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => error.into(),
        _ => anyhow::Error::new(error).context("cannot write to standard output"),
    }
}

/// A line on standard error, [`shown`]. Where that cannot be written, nobody would read why.
pub fn tell(line: &str) {
    complain(&shown(line));
}

/// How words of our own look on a terminal.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// Brighter or thicker.
    Bold,
    /// Darker.
    Dim,
    /// Bad.
    Red,
    /// Good.
    Green,
    /// Between the two.
    Yellow,
}

/// The characters that stand for [`Look`]s in a text that is not printed yet, with what a terminal knows them by: Unicode's
/// noncharacters, which are for a program's own use and in no text of others. The worst that one from outside can do is a
/// colour.
const LOOKS: [(char, &str); 6] = [
    ('\u{fdd0}', "\x1b[1m"),
    ('\u{fdd1}', "\x1b[2m"),
    ('\u{fdd2}', "\x1b[31m"),
    ('\u{fdd3}', "\x1b[32m"),
    ('\u{fdd4}', "\x1b[33m"),
    PLAIN,
];

/// The end of all looks.
const PLAIN: (char, &str) = ('\u{fddf}', "\x1b[0m");

/// The text in a look, for [`say`] and cells of [`table`].
pub fn style(text: impl std::fmt::Display, look: Look) -> String {
    format!("{}{text}{}", LOOKS[look as usize].0, PLAIN.0)
}

/// The text as it may be printed: what a terminal would obey is escaped, save the ends of lines, and our own looks are
/// colours where standard output has them.
pub fn shown(text: &str) -> String {
    let mut shown = escaped_lines(text).into_owned();
    for (mark, sequence) in LOOKS {
        if shown.contains(mark) {
            shown = shown.replace(mark, if colors_enabled() { sequence } else { "" });
        }
    }
    shown
}

/// Columns of a terminal that the text takes.
fn width(text: &str) -> usize {
    measure_text_width(&text.replace(LOOKS.map(|(mark, _)| mark), ""))
}

/// Rows under a header, columns aligned: the first to the left, numbers to the right. A cell is one line, whatever it holds.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.chain([width(header[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(widest).collect();
    let begins_as_number = |cell: &str| {
        let first = cell.chars().find(|c| LOOKS.iter().all(|(mark, _)| mark != c));
        first.is_some_and(|c| c.is_ascii_digit() || c == '–')
    };
    let is_number = |column: usize| !rows.is_empty() && rows.iter().all(|row| begins_as_number(&row[column]));
    let right: Vec<bool> = (0..header.len()).map(is_number).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(i, cell)| {
            let pad = " ".repeat(widths[i] - width(cell));
            if right[i] { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = style(line(header.to_vec()), Look::Bold);
    let body = rows.iter().map(|row| line(row.iter().map(|cell| &**cell).collect()));
    std::iter::once(head).chain(body).collect::<Vec<_>>().join("\n")
}

/// A count; `–` where nobody knows it.
pub fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| thousands(number as usize))
}

/// A count that is red unless it is zero.
pub fn alarming(number: u64) -> String {
    let text = thousands(number as usize);
    if number == 0 { text } else { style(text, Look::Red) }
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
    length(Timestamp::now().duration_since(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = vec![vec!["track.tags".into(), "7".into()], vec!["x".into(), "1,200".into()]];
        let table = shown(&table(&["kind", "ready"], &rows));
        assert_eq!(table, "kind        ready\ntrack.tags      7\nx           1,200");
    }

    #[test]
    fn a_cell_is_one_line_and_padded_by_what_is_seen_of_it() {
        let rows = vec![vec!["a\nb\x1b[2J".into(), "1".into()], vec![style("open", Look::Green), "2".into()]];
        let table = shown(&table(&["state", "n"], &rows));
        assert_eq!(table, "state          n\na\\nb\\u{1b}[2J  1\nopen           2");
    }
}
