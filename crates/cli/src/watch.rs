//! A state on the screen: once, or as a table that lives until Ctrl-C.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use console::{Term, truncate_str};
use queue::QueueError;
use serde_json::Value;
use store::StoreError;
use worker::Shutdown;

use crate::args::Live;
use crate::output::{say, say_json};

/// How often a live table is drawn.
const EVERY: Duration = Duration::from_secs(1);

/// A state, for people and for programs.
pub struct View {
    /// Lines for people.
    pub text: String,
    /// The same, in full, for programs.
    pub json: Value,
}

/// Shows what `look` finds: once, or every second until a signal. A terminal is redrawn in place, anything else gets one
/// block after the other.
///
/// Servers that are out of reach end it, unless it has shown something already: then it says so and goes on looking.
pub async fn show(live: Live, mut look: impl AsyncFnMut() -> anyhow::Result<View>) -> anyhow::Result<()> {
    if !live.watch {
        let view = look().await?;
        return if live.json { say_json(&view.json) } else { say(&view.text) };
    }
    let shutdown = Shutdown::on_signals()?;
    let mut screen = Screen::new(live.json);
    loop {
        let view = tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            view = look() => view,
        };
        match view {
            Ok(view) => screen.draw(view)?,
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
        if self.json {
            say(&serde_json::to_string(&view.json)?)?;
        } else if self.in_place {
            redraw(&view.text, self.last.is_none())?;
        } else {
            say(&format!("{}\n", view.text))?;
        }
        self.last = Some(view.text);
        Ok(())
    }

    fn complain(&self, error: &anyhow::Error) -> anyhow::Result<()> {
        let line = format!("{error:#}; trying again");
        match &self.last {
            Some(last) if self.in_place => Ok(redraw(&format!("{last}\n\n{line}"), false)?),
            _ => {
                eprintln!("spotifai: {line}");
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
