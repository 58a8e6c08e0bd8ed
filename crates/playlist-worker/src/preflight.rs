//! What a run can expect of Spotify, found out by its first requests, before hours are spent.

use model::job::PlaylistPageJob;
use model::run::Run;
use spotify::{Client, Error};
use store::Store;
use worker::{Context, Failure, Home};

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
pub async fn ask_for_audio(home: &Home) -> anyhow::Result<Refusals> {
    let client = client(home)?;
    let (context, store) = (home.context(), &*home.store);
    let features = paid(&context, client.audio_features_of(KNOWN_TRACK)).await;
    note(store, AUDIO_FEATURES, features).await?;
    let analysis = paid(&context, client.audio_analysis(KNOWN_TRACK)).await;
    note(store, AUDIO_ANALYSIS, analysis).await?;
    Ok(Refusals::remembered(store).await?)
}

async fn note<T>(store: &dyn Store, name: &str, asked: Result<Result<T, Error>, Failure>) -> store::Result<()> {
    match asked {
        Ok(Ok(_)) => capability::allowed(store, name).await,
        Ok(Err(Error::Forbidden { detail, .. })) => capability::refused(store, name, &detail).await,
        _ => Ok(()),
    }
}

/// Reads the first page of each playlist of a run into the store, where its job finds it. Returns why playlists cannot be
/// read, a line each: they do not exist, or this app may not read them. All other trouble is left to the jobs.
///
/// # Errors
/// The settings cannot be used, or the store does not answer.
pub async fn read_first_pages(home: &Home, run: &Run) -> anyhow::Result<Vec<String>> {
    let pages = PlaylistPages { client: client(home)? };
    let context = home.context();
    let mut unreadable = Vec::new();
    for playlist in &run.playlists {
        if home.store.page(&run.id, playlist, 0).await?.is_none()
            && let Some(reason) = read(&pages, run, playlist, &context).await
        {
            unreadable.push(reason);
        }
    }
    Ok(unreadable)
}

/// Why the playlist cannot be read.
async fn read(pages: &PlaylistPages, run: &Run, playlist: &str, context: &Context) -> Option<String> {
    let job = PlaylistPageJob { run: run.id.clone(), playlist: playlist.to_owned(), ..PlaylistPageJob::default() };
    match pages.fetch(&job, context).await {
        Err(Failure::Dead { reason }) => Some(reason),
        _ => None,
    }
}

fn client(home: &Home) -> Result<Client, Error> {
    Client::new(&home.settings.spotify, home.settings.contact.as_deref())
}
