//! `spotifai dead`.

use host::Backends;
use model::terminal::escaped;
use queue::{DeadLetter, DeadLetterFilter};

use crate::args::{DeadCommand, DeadSelection};
use crate::ids;
use crate::output::{age, count, say, say_json, table};

/// Lists, shows, requeues or deletes dead jobs.
pub async fn run(command: DeadCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        DeadCommand::List { kind, json } => list(backends, kind.as_deref(), json).await,
        DeadCommand::Show { id, json } => show(backends, &id, json).await,
        DeadCommand::Requeue(choice) => {
            let requeued = backends.queue.requeue(&chosen(backends, &choice).await?).await?;
            ended("requeued", requeued, choice.json)
        }
        DeadCommand::Purge(choice) => {
            let deleted = backends.queue.purge(&chosen(backends, &choice).await?).await?;
            ended("deleted", deleted, choice.json)
        }
    }
}

fn ended(how: &str, jobs: usize, json: bool) -> anyhow::Result<()> {
    if json { say_json(&serde_json::json!({ how: jobs })) } else { say(&format!("{how} {}", count(Some(jobs as u64)))) }
}

async fn list(backends: &Backends, kind: Option<&str>, json: bool) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(kind).await?;
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

async fn show(backends: &Backends, id: &str, json: bool) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(None).await?;
    let letter = find(&letters, id)?;
    if json {
        return say_json(letter);
    }
    // Each on its one line, whatever it holds.
    let line = |name: &str, text: &str| say(&format!("{name:<8} {}", escaped(text)));
    line("id", &letter.id)?;
    line("kind", &letter.kind)?;
    line("key", letter.key.as_deref().unwrap_or("–"))?;
    line("dead for", &age(letter.died_at))?;
    line("reason", &letter.reason)?;
    for (i, attempt) in letter.history.iter().enumerate() {
        line(&format!("attempt {} failed {} ago:", i + 1, age(attempt.at)), &attempt.reason)?;
    }
    line("payload", &letter.payload)
}

/// The dead jobs that were asked for. A misspelt id is an error, not "requeued 0".
async fn chosen(backends: &Backends, choice: &DeadSelection) -> anyhow::Result<DeadLetterFilter> {
    if choice.all {
        return Ok(DeadLetterFilter::All);
    }
    let letters = backends.queue.dead_letters(choice.kind.as_deref()).await?;
    if choice.kind.is_some() {
        return Ok(DeadLetterFilter::Ids(letters.into_iter().map(|letter| letter.id).collect()));
    }
    let ids: anyhow::Result<Vec<String>> = choice.ids.iter().map(|id| Ok(find(&letters, id)?.id.clone())).collect();
    Ok(DeadLetterFilter::Ids(ids?))
}

fn find<'a>(letters: &'a [DeadLetter], id: &str) -> anyhow::Result<&'a DeadLetter> {
    ids::find("dead job", "dead list", letters, id, |letter| &letter.id)
}
