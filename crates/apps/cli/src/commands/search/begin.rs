//! The beginning of a search, and `spotifai search start`.

use host::Backends;
use model::dataset::DatasetInfo;
use model::job::Envelope;
use model::run::Run;
use model::search::Search;
use serde::Serialize;

use super::data;
use super::grid::Plan;
use super::unfinished::name_same;
use crate::args::SearchStartArgs;
use crate::output::{say, say_json, thousands};

/// A search whose jobs lie in the queue.
pub struct Begun {
    /// As it is stored.
    pub search: Search,
    /// Trials that are finished already.
    pub finished: usize,
    /// Jobs that were published now; none where the search has its model.
    pub published: usize,
}

/// Saves a search and publishes its blocks; of one that is there already those that are not finished, and the refit where
/// all are. A search that was cancelled goes on.
pub async fn begin(backends: &Backends, info: &DatasetInfo, plan: &Plan, run: Option<&Run>) -> anyhow::Result<Begun> {
    match run {
        Some(_) => data::check_collected(info, plan)?,
        None => data::check_folds(info, plan.folds)?,
    }
    data::warn_of_excess(info, &plan.settings, plan.folds);
    let (new, _) = grid_worker::plan_search(info, plan.settings.clone(), plan.folds, plan.seed, plan.thresholds);
    let store = &backends.store;
    store.save_search(&new).await?;
    // As it was saved first: another version of this program may have cut it into other blocks.
    let search = store.search(&new.id).await?.unwrap_or(new);
    name_same(backends, &search).await?;
    // Before its jobs are published: one that finds the search cancelled does nothing.
    store.resume_search(&search.id).await?;
    let finished = store.finished_trials(&search.id, None).await?;
    let mut jobs = Vec::new();
    if store.model(&search.id).await?.is_none() {
        let of_run = |job: Envelope| match run {
            Some(run) => job.in_run(&run.id),
            None => job,
        };
        jobs.extend(grid_worker::remaining_jobs(&search, &finished).into_iter().map(of_run));
        backends.queue.publish(&jobs).await?;
    }
    Ok(Begun { search, finished: finished.len(), published: jobs.len() })
}

/// What `--json` says.
#[derive(Serialize)]
struct Started<'a> {
    id: &'a str,
    dataset: &'a str,
    settings: usize,
    folds: u32,
    trials: usize,
    trials_done: usize,
    blocks: usize,
    jobs_published: usize,
}

/// Puts a search into the queue.
pub async fn start(args: &SearchStartArgs, backends: &Backends) -> anyhow::Result<()> {
    let plan = Plan::wanted(&args.what)?;
    let info = data::dataset(&args.what.data, backends).await?;
    let Begun { search, finished, published } = begin(backends, &info, &plan, None).await?;
    let (settings, blocks, trials) = (search.settings.len(), search.blocks.len(), search.trials());
    if args.json {
        let (id, dataset, folds) = (search.id.as_str(), search.dataset.as_str(), search.folds);
        let (trials_done, jobs_published) = (finished, published);
        return say_json(&Started { id, dataset, settings, folds, trials, trials_done, blocks, jobs_published });
    }
    let n = thousands;
    say(&format!(
        "search {}: {} settings × {} folds = {} trials in {} blocks",
        search.id,
        n(settings),
        search.folds,
        n(trials),
        n(blocks)
    ))?;
    if published == 0 {
        return say(&format!("finished already: spotifai search show {}", search.id));
    }
    if finished > 0 {
        say(&format!("goes on:  {} trials are finished, {} jobs were published", n(finished), n(published)))?;
    }
    say(&format!("watch it: spotifai search watch {}\nwork on it, on any machine: spotifai worker grid", search.id))
}
