//! What a run can expect of Spotify, found out by its first requests, before hours are spent.

use host::Backends;
use model::job::PlaylistPageJob;
use model::run::Run;
use runtime::Failure;
use spotify::{Client, Error};
use store::Store;

use crate::capability::{self, AUDIO_ANALYSIS, AUDIO_FEATURES, Refusals};
use crate::page::PlaylistPages;
use crate::request::paid;

/// A track that has features and an analysis wherever one may ask for them: "Mr. Brightside".
pub const KNOWN_TRACK: &str = "3n3Ppam7vgaVa1iaRUc9Lp";

/// Asks for the audio of one track and notes what comes of it; whatever is remembered is asked anew, for the app may be
/// another one. What cannot be found out now, since Spotify throttles or is out of reach, stays as it is remembered.
///
/// # Errors
/// The settings cannot be used, or the store does not answer.
pub async fn ask_for_audio(backends: &Backends) -> anyhow::Result<Refusals> {
    let client = client(backends)?;
    let (context, store) = (crate::context(backends), &*backends.store);
    let features = paid(&context, client.audio_features_of(KNOWN_TRACK)).await;
    if note(store, AUDIO_FEATURES, features).await? == Throttled::No {
        let analysis = paid(&context, client.audio_analysis(KNOWN_TRACK)).await;
        note(store, AUDIO_ANALYSIS, analysis).await?;
    }
    Ok(Refusals::remembered(store).await?)
}

/// Whether Spotify wants fewer requests: the next one is then a job's, which closes the budget for everyone.
#[derive(PartialEq)]
enum Throttled {
    No,
    Yes,
}

async fn note<T>(store: &dyn Store, name: &str, asked: Result<Result<T, Error>, Failure>) -> store::Result<Throttled> {
    match asked {
        Ok(Ok(_)) => capability::allowed(store, name).await?,
        Ok(Err(Error::Forbidden { detail, .. })) => capability::refused(store, name, &detail).await?,
        Ok(Err(Error::RateLimited { .. } | Error::Quota { .. })) | Err(Failure::Closed { .. }) => {
            return Ok(Throttled::Yes);
        }
        _ => {}
    }
    Ok(Throttled::No)
}

/// Reads the first page of each playlist of a run into the store, where its job finds it. Returns why playlists cannot be
/// read, a line each: they do not exist, or this app may not read them. All other trouble is left to the jobs, and so are the
/// other playlists where Spotify throttles or is out of reach.
///
/// # Errors
/// The settings cannot be used, or the store does not answer.
pub async fn read_first_pages(backends: &Backends, run: &Run) -> anyhow::Result<Vec<String>> {
    let pages = PlaylistPages { client: client(backends)? };
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
