//! Finds out with the first requests of a run what it can expect of Spotify, before hours are spent.

use host::{Backends, Registered};
use model::job::PlaylistPageJob;
use model::run::Run;
use runtime::Failure;
use spotify::{Client, Error};

use crate::capability::{AUDIO_ANALYSIS, AUDIO_FEATURES, ApiAccess, Refusals};
use crate::page::PlaylistPages;
use crate::request::paid;

/// A track that is known to have features and an analysis: "Mr. Brightside".
pub const KNOWN_TRACK: &str = "3n3Ppam7vgaVa1iaRUc9Lp";

/// Asks for the audio of one track and records whether that is allowed, whatever was recorded before: the app may be another
/// one. If Spotify throttles or is unreachable, the record stays as it is.
///
/// # Errors
/// The settings cannot be used, or the store does not answer.
pub async fn ask_for_audio(backends: &Backends) -> anyhow::Result<Refusals> {
    let client = client(backends)?;
    let (context, access) = (crate::context(backends), ApiAccess::new(backends.store.clone()));
    let features = paid(&context, client.audio_features_of(KNOWN_TRACK)).await;
    if record(&access, AUDIO_FEATURES, features).await? == Throttled::No {
        let analysis = paid(&context, client.audio_analysis(KNOWN_TRACK)).await;
        record(&access, AUDIO_ANALYSIS, analysis).await?;
    }
    Ok(Refusals::remembered(&*backends.store).await?)
}

/// Whether Spotify throttles. The next request is then left to a job, which closes the budget for everyone.
#[derive(PartialEq)]
enum Throttled {
    No,
    Yes,
}

async fn record<T>(
    access: &ApiAccess,
    name: &str,
    asked: Result<Result<T, Error>, Failure>,
) -> store::Result<Throttled> {
    match asked {
        Ok(Ok(_)) => access.record_grant(name).await?,
        Ok(Err(Error::Forbidden { detail, .. })) => access.record_refusal(name, &detail).await?,
        Ok(Err(Error::RateLimited { .. } | Error::Quota { .. })) | Err(Failure::Closed { .. }) => {
            return Ok(Throttled::Yes);
        }
        _ => {}
    }
    Ok(Throttled::No)
}

/// Reads the first page of each playlist of a run into the store, where its job finds it. Returns a line for each playlist that
/// does not exist or that this app may not read. All other failures are left to the jobs; if Spotify throttles or is
/// unreachable, so are the remaining playlists.
///
/// # Errors
/// The settings cannot be used, or the store does not answer.
pub async fn read_first_pages(backends: &Backends, run: &Run) -> anyhow::Result<Vec<String>> {
    let pages = PlaylistPages::new(&client(backends)?, backends.store.clone());
    let context = crate::context(backends);
    let mut unreadable = Vec::new();
    for playlist in &run.playlists {
        if backends.store.page(&run.id, playlist, 0).await?.is_some() {
            continue;
        }
        let job = PlaylistPageJob { run: run.id.clone(), playlist: playlist.clone(), ..PlaylistPageJob::default() };
        match pages.fetch(&job, &context).await {
            Err(Failure::Dead { reason }) => unreadable.push(reason),
            Err(Failure::Pause { .. } | Failure::Closed { .. } | Failure::Decline { .. }) => break,
            _ => {}
        }
    }
    Ok(unreadable)
}

fn client(backends: &Backends) -> Result<Client, Error> {
    Client::new(&backends.settings.spotify, backends.settings.contact.as_deref())
}
