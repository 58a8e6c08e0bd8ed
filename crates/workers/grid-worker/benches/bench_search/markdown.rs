//! Tables in Markdown.

/// A table with its head; nothing where it has no rows.
pub fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>, after: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut lines = vec![format!("### {title}\n"), line(&head), format!("|{}", "---|".repeat(head.len()))];
    lines.extend(rows.iter().map(|row| line(row)));
    if !after.is_empty() {
        lines.push(format!("\n{after}"));
    }
    lines.join("\n")
}

/// Three digits.
pub fn digits(value: f64) -> String {
    let decimals = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.decimals$}")
}
