//! Shows a view once, or repeatedly (`--watch`) until Ctrl-C.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use console::{Term, truncate_str};
use host::complain;
use model::terminal::escaped;
use queue::QueueError;
use serde_json::Value;
use store::StoreError;

use crate::args::LiveArgs;
use crate::output::{print_json, print_json_line, print_line, render, stdout_error};

/// How often a live view is refreshed.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// What a command shows, for people and for programs.
pub struct View {
    /// Text for people.
    pub text: String,
    /// The same for programs, complete.
    pub json: Value,
    /// A one-line form for logs, printed in place of `text` whenever it changes.
    pub line: Option<String>,
}

/// Shows what `load` returns, once or every second until a signal. A terminal is redrawn in place; anything else gets one
/// block after another.
///
/// An unreachable server is an error on the first attempt. Later it is reported, and the next attempt follows.
pub async fn show(live: LiveArgs, mut load: impl AsyncFnMut() -> anyhow::Result<View>) -> anyhow::Result<()> {
    if !live.watch {
        let view = load().await?;
        return if live.json { print_json(&view.json) } else { print_line(&view.text) };
    }
    follow(live.json, async || Ok((load().await?, false))).await
}

/// Like [`show`] with `--watch`, but also ends when `load` marks a view as the last.
pub async fn follow(json: bool, mut load: impl AsyncFnMut() -> anyhow::Result<(View, bool)>) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let mut display = LiveDisplay::new(json);
    loop {
        let view = tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            view = load() => view,
        };
        match view {
            Ok((view, is_last)) => {
                display.draw(view)?;
                if is_last {
                    return Ok(());
                }
            }
            Err(error) if display.last.is_some() && is_transient(&error) => display.report(&error)?,
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            () = tokio::time::sleep(REFRESH_INTERVAL) => {}
        }
    }
}

fn is_transient(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(QueueError::Unavailable { .. }))
        || matches!(error.downcast_ref(), Some(StoreError::Unavailable { .. }))
}

struct LiveDisplay {
    json: bool,
    in_place: bool,
    /// The text drawn last, if any.
    last: Option<String>,
}

impl LiveDisplay {
    fn new(json: bool) -> Self {
        Self { json, in_place: !json && std::io::stdout().is_terminal(), last: None }
    }

    fn draw(&mut self, view: View) -> anyhow::Result<()> {
        let is_line = view.line.is_some() && !self.in_place;
        let text = view.line.filter(|_| is_line).unwrap_or(view.text);
        if self.json {
            print_json_line(&view.json)?;
        } else if self.in_place {
            redraw(&text, self.last.is_none()).map_err(stdout_error)?;
        } else if !is_line {
            print_line(&format!("{text}\n"))?;
        } else if self.last.as_ref() != Some(&text) {
            print_line(&text)?;
        }
        self.last = Some(text);
        Ok(())
    }

    fn report(&self, error: &anyhow::Error) -> anyhow::Result<()> {
        let line = format!("{error:#}; retrying").replace('\n', " ");
        match &self.last {
            Some(last) if self.in_place => redraw(&format!("{last}\n\n{line}"), false).map_err(stdout_error),
            _ => {
                complain(&format!("spotifai: {}", escaped(&line)));
                Ok(())
            }
        }
    }
}

impl Drop for LiveDisplay {
    fn drop(&mut self) {
        if self.in_place {
            let _ = Term::stdout().show_cursor();
        }
    }
}

/// Overwrites the screen in a single write, without clearing it first, so that nothing flickers.
fn redraw(text: &str, is_first: bool) -> std::io::Result<()> {
    let (rows, columns) = Term::stdout().size();
    let text = render(text);
    let lines = text.lines().take(usize::from(rows).saturating_sub(1));
    let mut frame = String::from(if is_first { "\x1b[?25l\x1b[2J\x1b[H" } else { "\x1b[H" });
    for line in lines {
        frame.push_str(&truncate_str(line, columns.into(), "…"));
        frame.push_str("\x1b[K\n");
    }
    frame.push_str("\x1b[J");
    let mut out = std::io::stdout().lock();
    out.write_all(frame.as_bytes())?;
    out.flush()
}
