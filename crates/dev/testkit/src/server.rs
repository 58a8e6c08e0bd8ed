//! The two servers: bound on loopback, every request passed by the schedule of oddities and written into the log.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::serve::ListenerExt;
use futures::StreamExt;
use futures::future::ready;
use futures::stream;
use model::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::oddities::{Answer, Schedule};
use crate::shared::{Request, Shared};
use crate::{Catalogue, Oddities, Service, Stage, lastfm, spotify};

/// Starts both stand-ins, each on a free port of 127.0.0.1; they end when the [`Stage`] is stopped or dropped.
///
/// # Errors
/// Where no port can be bound.
pub async fn serve(catalogue: Catalogue, oddities: Oddities) -> io::Result<Stage> {
    let spotify_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let lastfm_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let spotify_url = format!("http://{}", spotify_listener.local_addr()?);
    let lastfm_url = format!("http://{}", lastfm_listener.local_addr()?);
    let shared = Arc::new(Shared::new(catalogue, Schedule::new(oddities), spotify_url));
    let (stop, stopped) = watch::channel(());
    let servers = [
        start(spotify_listener, spotify::router(), Service::Spotify, &shared, stopped.clone()),
        start(lastfm_listener, lastfm::router(), Service::Lastfm, &shared, stopped),
    ];
    Ok(Stage::new(shared, lastfm_url, stop, servers))
}

fn start(
    listener: TcpListener,
    router: Router<Arc<Shared>>,
    service: Service,
    shared: &Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) -> JoinHandle<()> {
    let attended =
        router.layer(from_fn_with_state((Arc::clone(shared), service), attend)).with_state(Arc::clone(shared));
    // Small answers must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move {
        // `changed` ends when the sender is used and when it is dropped; both mean stop.
        let stop = async move {
            let _ = stopped.changed().await;
        };
        // Serving ends without an error: failed connections are the clients' affair.
        let _ = axum::serve(listener, attended).with_graceful_shutdown(stop).await;
    })
}

/// Gives a request the odd answer that is due, else the proper one, and logs it.
async fn attend(State((shared, service)): State<(Arc<Shared>, Service)>, request: HttpRequest, next: Next) -> Response {
    let at = Timestamp::now();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let response = match shared.schedule.next(service, &path) {
        None => next.run(request).await,
        Some(Answer::ExpiredToken) => {
            shared.tokens.expire(request.headers());
            next.run(request).await
        }
        Some(Answer::CutShort) => cut_short(next.run(request).await).await,
        Some(Answer::Half) => half(next.run(request).await).await,
        Some(answer) => match service {
            Service::Spotify => spotify::odd_answer(answer),
            Service::Lastfm => lastfm::odd_answer(answer),
        },
    };
    shared.log().push(Request { at, service, path, status: response.status().as_u16() });
    response
}

/// Sends the first half of the body and says nothing of the other.
async fn half(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(whole.slice(..whole.len() / 2)))
}

/// Promises the whole body, sends half of it and closes the connection.
async fn cut_short(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(CONTENT_LENGTH, whole.len().into());
    let half: io::Result<Bytes> = Ok(whole.slice(..whole.len() / 2));
    let end = async {
        // The server flushes what it has when the body makes it wait; an error at once would send nothing.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    };
    Response::from_parts(head, Body::from_stream(stream::once(ready(half)).chain(stream::once(end))))
}
