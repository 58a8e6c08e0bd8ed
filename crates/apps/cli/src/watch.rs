//! A state on the screen: once, or as a table that lives until Ctrl-C.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use console::{Term, truncate_str};
use host::complain;
use model::terminal::escaped;
use queue::QueueError;
use serde_json::Value;
use store::StoreError;

use crate::args::LiveArgs;
use crate::output::{say, say_json, say_json_line, shown, unprinted};

/// How often a live table is drawn.
const EVERY: Duration = Duration::from_secs(1);

/// A state, for people and for programs.
pub struct View {
    /// Lines for people.
    pub text: String,
    /// The same, in full, for programs.
    pub json: Value,
    /// What a log gets in place of the lines for people, whenever it is another than before.
    pub line: Option<String>,
}

/// Shows what `look` finds: once, or every second until a signal. A terminal is redrawn in place, anything else gets one
/// block after the other.
///
/// Servers that are out of reach end it, unless it has shown something already: then it says so and goes on looking.
pub async fn show(live: LiveArgs, mut look: impl AsyncFnMut() -> anyhow::Result<View>) -> anyhow::Result<()> {
    if !live.watch {
        let view = look().await?;
        return if live.json { say_json(&view.json) } else { say(&view.text) };
    }
    follow(live.json, async || Ok((look().await?, false))).await
}

/// [`show`] every second, until `look` says of a view that it is the last, or a signal.
pub async fn follow(json: bool, mut look: impl AsyncFnMut() -> anyhow::Result<(View, bool)>) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let mut screen = Screen::new(json);
    loop {
        let view = tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            view = look() => view,
        };
        match view {
            Ok((view, is_last)) => {
                screen.draw(view)?;
                if is_last {
                    return Ok(());
                }
            }
            Err(error) if screen.last.is_some() && is_passing(&error) => screen.complain(&error)?,
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn is_passing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(QueueError::Unavailable { .. }))
        || matches!(error.downcast_ref(), Some(StoreError::Unavailable { .. }))
}

struct Screen {
    json: bool,
    in_place: bool,
    /// The text drawn last.
    last: Option<String>,
}

impl Screen {
    fn new(json: bool) -> Self {
        Self { json, in_place: !json && std::io::stdout().is_terminal(), last: None }
    }

    fn draw(&mut self, view: View) -> anyhow::Result<()> {
        let is_line = view.line.is_some() && !self.in_place;
        let shown = view.line.filter(|_| is_line).unwrap_or(view.text);
        if self.json {
            say_json_line(&view.json)?;
        } else if self.in_place {
            redraw(&shown, self.last.is_none()).map_err(unprinted)?;
        } else if !is_line {
            say(&format!("{shown}\n"))?;
        } else if self.last.as_ref() != Some(&shown) {
            say(&shown)?;
        }
        self.last = Some(shown);
        Ok(())
    }

    fn complain(&self, error: &anyhow::Error) -> anyhow::Result<()> {
        let line = format!("{error:#}; trying again").replace('\n', " ");
        match &self.last {
            Some(last) if self.in_place => redraw(&format!("{last}\n\n{line}"), false).map_err(unprinted),
            _ => {
                complain(&format!("spotifai: {}", escaped(&line)));
                Ok(())
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.in_place {
            let _ = Term::stdout().show_cursor();
        }
    }
}

/// One write for the whole screen, over what is there: nothing is blank in between, so nothing flickers.
fn redraw(text: &str, is_first: bool) -> std::io::Result<()> {
    let (rows, columns) = Term::stdout().size();
    let text = shown(text);
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
