//! The checks at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use model::tag::TagsOutcome;
use queue::{DeadLetter, KindStats, Queue};
use store::Store;
use testkit::Service;

use crate::plan::Plan;
use crate::rate::{allowed_in_ten_seconds, max_in_ten_seconds};
use crate::rows;
use crate::storm::{MAX_RETURN_TIME, Seen};
use crate::world::World;

/// Tracks read from the store with one query.
const TRACKS_PER_QUERY: usize = 500;

/// The result of one check.
pub struct Check {
    pub name: &'static str,
    pub holds: bool,
    pub said: String,
}

fn check(name: &'static str, holds: bool, said: String) -> Check {
    Check { name, holds, said }
}

/// Runs all checks. The workers must have ended.
pub async fn all(
    world: &World,
    queue: &dyn Queue,
    store: &dyn Store,
    plan: &Plan,
    seen: &Seen,
) -> anyhow::Result<Vec<Check>> {
    let expected = world.catalogue.tags();
    let ids: Vec<String> = expected.keys().cloned().collect();
    let mut checks = vec![
        tags(store, &expected).await?,
        pitches(world, store, &ids).await?,
        jobs(queue, store, &ids, world).await?,
        rows(&world.store_url(), world).await?,
    ];
    checks.push(garbage(&queue.dead_letters(None).await?, seen));
    checks.push(rate(world, plan));
    checks.push(returns(seen));
    Ok(checks)
}

async fn tags(store: &dyn Store, expected: &BTreeMap<String, TagsOutcome>) -> anyhow::Result<Check> {
    let ids: Vec<String> = expected.keys().cloned().collect();
    let mut found = BTreeMap::new();
    for batch in ids.chunks(TRACKS_PER_QUERY) {
        found.extend(store.tags(batch).await?.into_iter().map(|tags| (tags.track_id, tags.outcome)));
    }
    let known: BTreeSet<String> = store.all_tracks().await?.into_iter().map(|track| track.id).collect();
    let strangers = known.iter().filter(|id| !expected.contains_key(*id)).count();
    let right = expected.iter().filter(|(id, outcome)| found.get(*id) == Some(*outcome)).count();
    let (missing, all) = (expected.len() - found.len(), expected.len());
    let said = format!("{right} of {all} tracks right, {missing} without, {strangers} unexpected tracks");
    Ok(check("tags", right == all && strangers == 0, said))
}

/// Compares the stored pitches with those computed here from the documents as they are served.
async fn pitches(world: &World, store: &dyn Store, ids: &[String]) -> anyhow::Result<Check> {
    let (mut right, mut with, mut missing) = (0, 0, 0);
    for batch in ids.chunks(TRACKS_PER_QUERY) {
        let stored = store.pitches(batch).await?;
        let stored: BTreeMap<_, _> = stored.into_iter().map(|pitches| (pitches.track_id, pitches.outcome)).collect();
        for id in batch {
            let computed = match world.catalogue.analysis(id) {
                None => None,
                Some(document) => {
                    let analysis = spotify::read_analysis(document.as_bytes())?;
                    Some(features::pitches(&analysis.segments).map_err(|error| error.as_str().to_owned()))
                }
            };
            with += usize::from(matches!(computed, Some(Ok(_))));
            missing += usize::from(computed.is_some() && !stored.contains_key(id));
            right += usize::from(stored.get(id) == computed.as_ref());
        }
    }
    let said = format!("{right} of {} tracks right to the last bit, {with} with columns, {missing} missing", ids.len());
    Ok(check("pitches", right == ids.len(), said))
}

/// A job is lost if a queue is not empty, or if one of its results is missing.
async fn jobs(queue: &dyn Queue, store: &dyn Store, ids: &[String], world: &World) -> anyhow::Result<Check> {
    let stats = queue.stats().await?;
    let left: u64 = stats.iter().map(|stats| stats.ready + stats.delayed + stats.running.unwrap_or(0)).sum();
    let untagged = store.tracks_without_tags().await?.len();
    let unheard = store.tracks_without_audio().await?.len();
    let unmade = store.tracks_without_pitches().await?.len();
    let tracks = store.all_tracks().await?;
    let artists: BTreeSet<String> =
        tracks.iter().flat_map(|track| &track.artists).filter_map(|artist| artist.id.clone()).collect();
    let artists: Vec<String> = artists.into_iter().collect();
    let (stored, expected) = (store.artists(&artists).await?.len(), world.catalogue.expected().artists);
    let lost = untagged + unheard + unmade + (ids.len() - tracks.len().min(ids.len())) + expected.abs_diff(stored);
    let said = format!(
        "{lost} lost ({} tracks; without tags {untagged}, audio {unheard}, pitches {unmade}; {stored} of {expected} \
         artists), {left} still in queues",
        tracks.len()
    );
    let holds = lost == 0 && left == 0 && stats.iter().all(KindStats::is_idle);
    Ok(check("jobs", holds, said))
}

/// Each collection has as many rows as the catalogue has items: none twice, none missing.
async fn rows(url: &str, world: &World) -> anyhow::Result<Check> {
    let expected = world.catalogue.expected();
    let right = |collection: &str| match collection {
        "artists" => expected.artists,
        "pitches" => expected.tracks - expected.without_analysis,
        "playlist_pages" => expected.pages,
        _ => expected.tracks,
    };
    let counts = rows::count(url).await?;
    let parts: Vec<String> =
        counts.iter().map(|(collection, count)| format!("{count} of {} {collection}", right(collection))).collect();
    let holds = counts.iter().all(|(collection, count)| *count == right(collection) as u64);
    Ok(check("rows", holds, parts.join(", ")))
}

/// A worker that is killed between publishing a dead letter and acknowledging the job leaves two: at least once.
fn garbage(letters: &[DeadLetter], seen: &Seen) -> Check {
    let published: BTreeSet<&str> = seen.garbage.iter().map(|garbage| garbage.payload.as_str()).collect();
    let dead: BTreeSet<&str> = letters.iter().map(|letter| letter.payload.as_str()).collect();
    let missing = published.difference(&dead).count();
    let jobs: Vec<&DeadLetter> = letters.iter().filter(|letter| !published.contains(letter.payload.as_str())).collect();
    let unexplained = letters.iter().filter(|letter| letter.reason.is_empty()).count();
    let first = jobs.first().map(|letter| format!(": {} `{}` {}", letter.kind, letter.payload, letter.reason));
    let said = format!(
        "{} published, {} dead letters, {missing} missing, {unexplained} without a reason, {} jobs among them{}",
        published.len(),
        letters.len(),
        jobs.len(),
        first.unwrap_or_default()
    );
    check("garbage", missing == 0 && jobs.is_empty() && unexplained == 0, said)
}

fn rate(world: &World, plan: &Plan) -> Check {
    let requests = world.stage.requests();
    let times: Vec<_> =
        requests.iter().filter(|request| request.service == Service::Lastfm).map(|request| request.at).collect();
    let (count, throttled) = (times.len(), world.stage.throttled());
    let (most, allowed) = (max_in_ten_seconds(times), allowed_in_ten_seconds(plan.rates.0));
    let said = format!(
        "at most {most} in any 10 s, {allowed} are allowed; {throttled} of {count} requests to last.fm were throttled"
    );
    check("rate", most <= allowed, said)
}

fn returns(seen: &Seen) -> Check {
    let longest = seen.returns.iter().map(|(_, after, _)| *after).max().unwrap_or_default();
    let parts: Vec<String> =
        seen.returns.iter().map(|(event, after, _)| format!("{event:?} {:.1} s", after.as_secs_f64())).collect();
    check(
        "returns",
        longest <= MAX_RETURN_TIME && !parts.is_empty(),
        format!("workers ready after: {}", parts.join(", ")),
    )
}
