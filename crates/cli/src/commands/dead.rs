//! `spotifai dead`.

use queue::{DeadLetter, Which};
use worker::Home;

use crate::args::{Choice, Dead};
use crate::error::usage;
use crate::output::{age, count, say, say_json, table};

/// Lists, shows, requeues or deletes dead jobs.
pub async fn run(command: Dead, home: &Home) -> anyhow::Result<()> {
    match command {
        Dead::List { kind, json } => list(home, kind.as_deref(), json).await,
        Dead::Show { id, json } => show(home, &id, json).await,
        Dead::Requeue(choice) => {
            let requeued = home.queue.requeue(&chosen(home, &choice).await?).await?;
            ended("requeued", requeued, choice.json)
        }
        Dead::Purge(choice) => {
            let deleted = home.queue.purge(&chosen(home, &choice).await?).await?;
            ended("deleted", deleted, choice.json)
        }
    }
}

fn ended(how: &str, jobs: usize, json: bool) -> anyhow::Result<()> {
    if json { say_json(&serde_json::json!({ how: jobs })) } else { say(&format!("{how} {}", count(Some(jobs as u64)))) }
}

async fn list(home: &Home, kind: Option<&str>, json: bool) -> anyhow::Result<()> {
    let letters = home.queue.dead_letters(kind).await?;
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

/// The dead jobs that were asked for. A misspelt id is an error, not "requeued 0".
async fn chosen(home: &Home, choice: &Choice) -> anyhow::Result<Which> {
    if choice.all {
        return Ok(Which::All);
    }
    let letters = home.queue.dead_letters(choice.kind.as_deref()).await?;
    if choice.kind.is_some() {
        return Ok(Which::Ids(letters.into_iter().map(|letter| letter.id).collect()));
    }
    match choice.ids.iter().find(|id| letters.iter().all(|letter| letter.id != **id)) {
        Some(id) => Err(unknown(id)),
        None => Ok(Which::Ids(choice.ids.clone())),
    }
}

fn unknown(id: &str) -> anyhow::Error {
    usage(format!("no dead job has the id `{id}`; `spotifai dead list` shows them"))
}
