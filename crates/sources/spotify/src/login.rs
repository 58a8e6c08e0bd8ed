//! Sign-in through the browser: authorization code with PKCE, and a listener on loopback for the callback.

use std::path::PathBuf;
use std::time::Duration;

use model::settings::SpotifySettings;
use reqwest::Url;
use rspotify::{AuthCodePkceSpotify, Config, Credentials, OAuth, scopes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Error;
use crate::accounts::Accounts;
use crate::token_file::{SignIn, TokenFile};

/// How long the user may take to consent.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a browser may take to send its request.
const BROWSER_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Size limit for the head of a browser's request.
const MAX_REQUEST_BYTES: usize = 16_384;

/// Signs a user in to the app of the settings and stores the token; returns the file that stores it. `show` is given the URL
/// that the user has to open in a browser on this machine, where they have ten minutes to consent.
///
/// # Errors
/// If the settings name no app, nobody consents, or the token cannot be obtained or stored.
pub async fn login(settings: &SpotifySettings, show: impl FnOnce(&str)) -> Result<PathBuf, Error> {
    let file = TokenFile::from_settings(settings).ok_or_else(|| {
        Error::Setup("there is no home folder to store a token in: set SPOTIFAI_SPOTIFY_TOKEN_FILE".into())
    })?;
    let app = settings.client_id.clone().ok_or_else(|| {
        Error::Setup(
            "a sign-in needs an app: register one at https://developer.spotify.com/dashboard with the redirect address \
             http://127.0.0.1/callback, then set SPOTIFAI_SPOTIFY_CLIENT_ID"
                .into(),
        )
    })?;
    let accounts = Accounts::new(settings, None)?;
    let (listener, redirect_uri) =
        listen().await.map_err(|error| Error::Setup(format!("cannot listen on 127.0.0.1: {error}")))?;
    let scopes = scopes!("playlist-read-private", "playlist-read-collaborative");
    let oauth = OAuth { redirect_uri: redirect_uri.clone(), scopes, ..OAuth::default() };
    let state = oauth.state.clone();
    let config = Config { auth_base_url: settings.auth_url.clone(), ..Config::default() };
    let mut pkce = AuthCodePkceSpotify::with_config(Credentials::new_pkce(&app), oauth, config);
    let address = pkce.get_authorize_url(Some(64)).map_err(|error| Error::Setup(error.to_string()))?;
    show(&address);
    let code = wait_for_code(listener, state).await?;
    let token = accounts.exchange_code(&app, &code, &redirect_uri, &pkce.verifier.unwrap_or_default()).await?;
    file.write(&SignIn { client_id: app, token })?;
    Ok(file.path().to_owned())
}

/// A listener on a free port, and the redirect URI that leads to it.
async fn listen() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/callback", listener.local_addr()?);
    Ok((listener, address))
}

/// Waits for the callback with the code for `state`.
async fn wait_for_code(listener: TcpListener, state: String) -> Result<String, Error> {
    let (found, mut answers) = mpsc::channel(1);
    // One task per connection: browsers open some that they leave idle.
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (found, state) = (found.clone(), state.clone());
            tokio::spawn(async move {
                if let Ok(Some(answer)) = timeout(BROWSER_REQUEST_TIMEOUT, serve(stream, &state)).await {
                    let _ = found.send(answer).await;
                }
            });
        }
    });
    let answer = timeout(CONSENT_TIMEOUT, answers.recv()).await;
    serving.abort();
    let why = match answer {
        Ok(Some(Callback::Code(code))) => return Ok(code),
        Ok(Some(Callback::Refused(error))) => format!("the sign-in was refused ({error})"),
        Ok(None) | Err(_) => "nobody consented within ten minutes".into(),
    };
    Err(Error::NotSignedIn { why })
}

/// What the browser came back with.
#[derive(Debug, PartialEq)]
enum Callback {
    Code(String),
    Refused(String),
}

/// Answers one request; `None` if it was not the callback.
async fn serve(mut stream: TcpStream, state: &str) -> Option<Callback> {
    let head = read_head(&mut stream).await?;
    let path = head.strip_prefix("GET ")?.split(' ').next()?;
    let answer = parse_callback(path, state);
    let (status, text) = match &answer {
        Some(Callback::Code(_)) => ("200 OK", "Signed in. You may close this tab."),
        Some(Callback::Refused(_)) => ("200 OK", "The sign-in was refused. You may close this tab."),
        None => ("400 Bad Request", "This is not the sign-in that was started here."),
    };
    let page = format!("<!doctype html><meta charset=utf-8><title>Spotif-A.I.</title><p>{text}</p>");
    let answered = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // The browser may have gone already; the code is valid all the same.
    let _ = stream.write_all(answered.as_bytes()).await;
    let _ = stream.shutdown().await;
    answer
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > MAX_REQUEST_BYTES || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// The callback's parameters. Another `state` means that the request does not belong to this sign-in.
fn parse_callback(path: &str, state: &str) -> Option<Callback> {
    let url = Url::parse("http://127.0.0.1").ok()?.join(path).ok()?;
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if url.path() != "/callback" || value("state").as_deref() != Some(state) {
        return None;
    }
    value("code").map(Callback::Code).or_else(|| value("error").map(Callback::Refused))
}
