//! `spotifai dead`.

use host::Backends;
use model::terminal::escaped;
use queue::{DeadLetter, DeadLetterFilter};

use crate::args::{DeadCommand, DeadSelection};
use crate::ids;
use crate::output::{age, counted, print_json, print_line, table};

/// Lists, shows, requeues or deletes dead jobs.
pub async fn run(command: DeadCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        DeadCommand::List { kind, json } => list(backends, kind.as_deref(), json).await,
        DeadCommand::Show { id, json } => show(backends, &id, json).await,
        DeadCommand::Requeue(choice) => {
            let requeued = backends.queue.requeue(&filter(backends, &choice).await?).await?;
            report("requeued", requeued, choice.json)
        }
        DeadCommand::Purge(choice) => {
            let deleted = backends.queue.purge(&filter(backends, &choice).await?).await?;
            report("deleted", deleted, choice.json)
        }
    }
}

fn report(action: &str, jobs: usize, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&serde_json::json!({ action: jobs }));
    }
    print_line(&format!("{action} {}", counted(jobs, "job")))
}

async fn list(backends: &Backends, kind: Option<&str>, json: bool) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(kind).await?;
    if json {
        return print_json(&letters);
    }
    if letters.is_empty() {
        return print_line("no dead jobs");
    }
    let row = |letter: &DeadLetter| {
        let key = letter.key.clone().unwrap_or_else(|| "–".into());
        vec![letter.id.clone(), letter.kind.clone(), key, age(letter.died_at), letter.reason.clone()]
    };
    print_line(&table(&["id", "kind", "key", "dead for", "reason"], &letters.iter().map(row).collect::<Vec<_>>()))
}

async fn show(backends: &Backends, id: &str, json: bool) -> anyhow::Result<()> {
    let letters = backends.queue.dead_letters(None).await?;
    let letter = find(&letters, id)?;
    if json {
        return print_json(letter);
    }
    // Escaped, so that each field stays on its line.
    let line = |name: &str, text: &str| print_line(&format!("{name:<8} {}", escaped(text)));
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

/// The dead jobs selected by the arguments. An unknown id is an error, not "requeued 0 jobs".
async fn filter(backends: &Backends, choice: &DeadSelection) -> anyhow::Result<DeadLetterFilter> {
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
