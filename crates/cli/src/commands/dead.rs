//! `spotifai dead`.

use model::Timestamp;
use queue::{DeadLetter, Which};
use worker::Home;

use crate::args::{Choice, Dead};
use crate::error::usage;
use crate::output::{say, say_json, table};

/// Lists, shows, requeues or deletes dead jobs.
pub async fn run(command: Dead, home: &Home) -> anyhow::Result<()> {
    match command {
        Dead::List { json } => list(home, json).await,
        Dead::Show { id, json } => show(home, &id, json).await,
        Dead::Requeue(Choice { ids, all }) => {
            let which = if all { Which::All } else { known(home, ids).await? };
            say(&format!("requeued {}", home.queue.requeue(&which).await?))
        }
        Dead::Purge { ids } => {
            let which = if ids.is_empty() { Which::All } else { known(home, ids).await? };
            say(&format!("deleted {}", home.queue.purge(&which).await?))
        }
    }
}

async fn list(home: &Home, json: bool) -> anyhow::Result<()> {
    let letters = home.queue.dead_letters(None).await?;
    if json {
        return say_json(&letters);
    }
    if letters.is_empty() {
        return say("no dead jobs");
    }
    let row = |letter: &DeadLetter| {
        let key = letter.key.clone().unwrap_or_else(|| "–".into());
        vec![letter.id.clone(), letter.kind.clone(), key, age(letter.died_at), letter.reason.clone()]
    };
    say(&table(&["id", "kind", "key", "dead for", "reason"], &letters.iter().map(row).collect::<Vec<_>>()))
}

async fn show(home: &Home, id: &str, json: bool) -> anyhow::Result<()> {
    let letters = home.queue.dead_letters(None).await?;
    let letter = letters.into_iter().find(|letter| letter.id == id).ok_or_else(|| unknown(id))?;
    if json {
        return say_json(&letter);
    }
    say(&format!(
        "id       {}\nkind     {}\nkey      {}",
        letter.id,
        letter.kind,
        letter.key.as_deref().unwrap_or("–")
    ))?;
    say(&format!("dead for {}\nreason   {}", age(letter.died_at), letter.reason))?;
    for (i, attempt) in letter.history.iter().enumerate() {
        say(&format!("attempt {} failed {} ago: {}", i + 1, age(attempt.at), attempt.reason))?;
    }
    say(&format!("payload  {}", letter.payload))
}

/// A misspelt id is an error, not "requeued 0".
async fn known(home: &Home, ids: Vec<String>) -> anyhow::Result<Which> {
    let letters = home.queue.dead_letters(None).await?;
    match ids.iter().find(|id| letters.iter().all(|letter| letter.id != **id)) {
        Some(id) => Err(unknown(id)),
        None => Ok(Which::Ids(ids)),
    }
}

fn unknown(id: &str) -> anyhow::Error {
    usage(format!("no dead job has the id `{id}`; `spotifai dead list` shows them"))
}

fn age(since: Timestamp) -> String {
    let seconds = Timestamp::now().after(since).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
