//! Starting a search, and `spotifai search start`.

use host::Backends;
use model::dataset::DatasetInfo;
use model::job::Envelope;
use model::run::Run;
use model::search::Search;
use serde::Serialize;

use super::data;
use super::spec::SearchSpec;
use super::unfinished::warn_about_other_versions;
use crate::args::SearchStartArgs;
use crate::output::{counted, print_json, print_line};

/// A search whose jobs are in the queue.
pub struct StartedSearch {
    /// The search as stored.
    pub search: Search,
    /// Trials finished earlier.
    pub finished: usize,
    /// Jobs published now; none if the search has its model.
    pub published: usize,
}

/// Saves a search and publishes its jobs. A search that exists already is resumed, even if it was cancelled: only unfinished
/// blocks are published, or the refit if none are left.
pub async fn publish(
    backends: &Backends,
    info: &DatasetInfo,
    spec: &SearchSpec,
    run: Option<&Run>,
) -> anyhow::Result<StartedSearch> {
    match run {
        Some(_) => data::check_collected(info, spec)?,
        None => data::check_folds(info, spec.folds)?,
    }
    data::warn_about_selection(info, &spec.settings, spec.folds);
    let (new, _) = grid_worker::plan_search(info, spec.settings.clone(), spec.folds, spec.seed, spec.thresholds);
    let store = &backends.store;
    store.save_search(&new).await?;
    // As first saved: another version of this program may have divided it into other blocks.
    let search = store.search(&new.id).await?.unwrap_or(new);
    warn_about_other_versions(backends, &search).await?;
    // Before publishing: jobs that find the search cancelled do nothing.
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
    Ok(StartedSearch { search, finished: finished.len(), published: jobs.len() })
}

/// The output of `--json`.
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

/// Adds a search to the queue.
pub async fn start(args: &SearchStartArgs, backends: &Backends) -> anyhow::Result<()> {
    let spec = SearchSpec::from_args(&args.what)?;
    let info = data::dataset(&args.what.data, backends).await?;
    let StartedSearch { search, finished, published } = publish(backends, &info, &spec, None).await?;
    let (settings, blocks, trials) = (search.settings.len(), search.blocks.len(), search.trials());
    if args.json {
        let (id, dataset, folds) = (search.id.as_str(), search.dataset.as_str(), search.folds);
        let (trials_done, jobs_published) = (finished, published);
        return print_json(&Started { id, dataset, settings, folds, trials, trials_done, blocks, jobs_published });
    }
    print_line(&format!(
        "search {}: {} × {} folds = {} in {}",
        search.id,
        counted(settings, "candidate"),
        search.folds,
        counted(trials, "fit"),
        counted(blocks, "block")
    ))?;
    if published == 0 {
        return print_line(&format!("already finished; see: spotifai search show {}", search.id));
    }
    if finished > 0 {
        print_line(&format!(
            "resumed: {} already finished; published {}",
            counted(finished, "fit"),
            counted(published, "job")
        ))?;
    }
    print_line(&format!(
        "follow it: spotifai search watch {}\nwork on it from any machine: spotifai worker grid",
        search.id
    ))
}
