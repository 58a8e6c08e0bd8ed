//! Printing lines, tables and JSON. Colours appear on terminals only, and never when NO_COLOR is set.
//!
//! Printed text may contain strings from outside. This module is the only place that escapes terminal control sequences,
//! so our own colours stay marker characters until the text passes through [`render`].

use std::io::Write;
use std::time::Duration;

use console::{colors_enabled, measure_text_width};
use model::Timestamp;
use model::terminal::{escaped, escaped_json, escaped_lines};

use host::complain;
pub use report::thousands;
use serde::Serialize;

/// Prints a line, [rendered](render), on standard output. A closed pipe is an error like any other.
pub fn print_line(line: &str) -> anyhow::Result<()> {
    write_line(&render(line))
}

/// Writes bytes to standard output unchanged.
pub fn print_bytes(text: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(stdout_error)
}

/// Prints a value as indented JSON on standard output.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    write_line(&escaped_json(&serde_json::to_string_pretty(value)?))
}

/// Prints a value as a single line of JSON on standard output.
pub fn print_json_line(value: &impl Serialize) -> anyhow::Result<()> {
    write_line(&escaped_json(&serde_json::to_string(value)?))
}

/// Prints a warning on standard error; the command goes on.
pub fn warn(note: &str) {
    complain(&format!("warning: {}", escaped(note)));
}

fn write_line(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(stdout_error)
}

/// Adds context to a failed write to standard output. A closed pipe is passed through: it is not a failure.
pub fn stdout_error(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => error.into(),
        _ => anyhow::Error::new(error).context("cannot write to standard output"),
    }
}

/// Prints a line, [rendered](render), on standard error. Errors are ignored: there is nowhere left to report them.
pub fn eprint_line(line: &str) {
    complain(&render(line));
}

/// How our own words look on a terminal.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// Headings.
    Bold,
    /// Unimportant.
    Dim,
    /// Bad.
    Red,
    /// Good.
    Green,
    /// Needs attention.
    Yellow,
}

/// Marker characters that stand for [`Style`]s in text that is not printed yet, with their escape sequences. They are Unicode
/// noncharacters, which are reserved for internal use. One that arrives in outside text can do no more than set a colour.
const STYLE_MARKS: [(char, &str); 6] = [
    ('\u{fdd0}', "\x1b[1m"),
    ('\u{fdd1}', "\x1b[2m"),
    ('\u{fdd2}', "\x1b[31m"),
    ('\u{fdd3}', "\x1b[32m"),
    ('\u{fdd4}', "\x1b[33m"),
    RESET,
];

/// Ends every style.
const RESET: (char, &str) = ('\u{fddf}', "\x1b[0m");

/// Marks text with a style, for [`print_line`] and the cells of [`table`].
pub fn style(text: impl std::fmt::Display, style: Style) -> String {
    format!("{}{text}{}", STYLE_MARKS[style as usize].0, RESET.0)
}

/// Makes text safe to print: control characters other than line ends are escaped, and style marks become colours if standard
/// output supports them.
pub fn render(text: &str) -> String {
    let mut rendered = escaped_lines(text).into_owned();
    for (mark, sequence) in STYLE_MARKS {
        if rendered.contains(mark) {
            rendered = rendered.replace(mark, if colors_enabled() { sequence } else { "" });
        }
    }
    rendered
}

/// Terminal columns that the text occupies.
fn width(text: &str) -> usize {
    measure_text_width(&text.replace(STYLE_MARKS.map(|(mark, _)| mark), ""))
}

/// Formats rows under a header. Columns of numbers are right-aligned, all others left-aligned; a cell is always one line.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.chain([width(header[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(widest).collect();
    let begins_as_number = |cell: &str| {
        let first = cell.chars().find(|c| STYLE_MARKS.iter().all(|(mark, _)| mark != c));
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
    let head = style(line(header.to_vec()), Style::Bold);
    let body = rows.iter().map(|row| line(row.iter().map(|cell| &**cell).collect()));
    std::iter::once(head).chain(body).collect::<Vec<_>>().join("\n")
}

/// Formats a count; `–` if it is unknown.
pub fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| thousands(number as usize))
}

/// Formats a count, in red unless it is zero.
pub fn red_unless_zero(number: u64) -> String {
    let text = thousands(number as usize);
    if number == 0 { text } else { style(text, Style::Red) }
}

/// A count with its noun: "1 job", "2 jobs", "1,200 tracks without tags". The first word takes the plural.
pub fn counted(number: usize, noun: &str) -> String {
    let count = thousands(number);
    match noun.split_once(' ') {
        _ if number == 1 => format!("{count} {noun}"),
        Some((first, rest)) => format!("{count} {first}s {rest}"),
        None => format!("{count} {noun}s"),
    }
}

/// Formats a duration in a single unit.
pub fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Formats how long ago something happened.
pub fn age(since: Timestamp) -> String {
    format_duration(Timestamp::now().duration_since(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_right_aligned() {
        let rows = vec![vec!["track.tags".into(), "7".into()], vec!["x".into(), "1,200".into()]];
        let table = render(&table(&["kind", "ready"], &rows));
        assert_eq!(table, "kind        ready\ntrack.tags      7\nx           1,200");
    }

    #[test]
    fn a_cell_is_one_line_padded_to_its_visible_width() {
        let rows = vec![vec!["a\nb\x1b[2J".into(), "1".into()], vec![style("open", Style::Green), "2".into()]];
        let table = render(&table(&["state", "n"], &rows));
        assert_eq!(table, "state          n\na\\nb\\u{1b}[2J  1\nopen           2");
    }
}
