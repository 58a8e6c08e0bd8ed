//! The sign-in, with a browser played by the test, and what becomes of its token.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use model::settings::SpotifySettings;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spotify::{Client, Error, login};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::stand_in::{Request, StandIn, error, ok, text};

const PLAYLIST: &str = "p1000000000000000000id";

/// A sign-in under way: it waits for the browser.
struct Begun {
    result: JoinHandle<Result<std::path::PathBuf, Error>>,
    authorize: Url,
    query: HashMap<String, String>,
}

async fn begin(settings: &SpotifySettings) -> Begun {
    let (shown, address) = oneshot::channel();
    let settings = settings.clone();
    let result = tokio::spawn(async move { login(&settings, |address| shown.send(address.to_owned()).unwrap()).await });
    let authorize = Url::parse(&address.await.unwrap()).unwrap();
    let query = authorize.query_pairs().into_owned().collect();
    Begun { result, authorize, query }
}

impl Begun {
    /// What a browser does when Spotify sends it back with these parameters.
    async fn come_back(&self, parameters: &[(&str, &str)]) -> (StatusCode, String) {
        let address = Url::parse_with_params(&self.query["redirect_uri"], parameters).unwrap();
        visit(address).await
    }
}

async fn visit(address: Url) -> (StatusCode, String) {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = browser.get(address).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// A token service as Spotify's for PKCE: every refresh token is good for one use.
fn rotating(expires_in: u64) -> impl FnMut(&Request) -> crate::stand_in::Answer {
    let mut issued = 0;
    move |request| {
        let form = form(&request.body);
        let is_good = match form["grant_type"].as_str() {
            "authorization_code" => form["code"] == "the-code",
            "refresh_token" => form["refresh_token"] == format!("refresh-{issued}"),
            _ => false,
        };
        if !is_good {
            return text(400, r#"{"error": "invalid_grant", "error_description": "Refresh token revoked"}"#);
        }
        issued += 1;
        ok(json!({
            "access_token": format!("user-{issued}"), "refresh_token": format!("refresh-{issued}"),
            "token_type": "Bearer", "expires_in": expires_in, "scope": "playlist-read-private"
        }))
    }
}

fn form(body: &str) -> HashMap<String, String> {
    Url::parse(&format!("http://form/?{body}")).unwrap().query_pairs().into_owned().collect()
}

async fn signed_in(stand_in: &StandIn) -> Client {
    let begun = begin(&stand_in.settings()).await;
    begun.come_back(&[("code", "the-code"), ("state", &begun.query["state"])]).await;
    begun.result.await.unwrap().unwrap();
    Client::new(&stand_in.settings(), None).unwrap()
}

fn token_in(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[tokio::test]
async fn a_user_signs_in_through_the_browser() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(3600));
    let begun = begin(&stand_in.settings()).await;
    let query = &begun.query;
    assert!(begun.authorize.as_str().starts_with(&format!("{}/authorize?", stand_in.url)));
    assert!(query["redirect_uri"].starts_with("http://127.0.0.1:") && query["redirect_uri"].ends_with("/callback"));
    assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", "the-app"));
    assert_eq!(query["code_challenge_method"], "S256");
    assert!(query["scope"].contains("playlist-read-private"));

    // A connection that a browser opens and leaves idle does not hold up the one it uses.
    let port = Url::parse(&query["redirect_uri"]).unwrap().port().unwrap();
    let _idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (status, page) = begun.come_back(&[("code", "the-code"), ("state", &query["state"])]).await;
    assert!(status == StatusCode::OK && page.contains("You may close this tab"), "{page}");

    let file = begun.result.await.unwrap().unwrap();
    let exchanged = form(&stand_in.asked("/api/token")[0].body);
    assert_eq!(base64url(&Sha256::digest(&exchanged["code_verifier"])), begun.query["code_challenge"]);
    assert_eq!(exchanged["redirect_uri"], begun.query["redirect_uri"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        (&token_in(&file)["access_token"], &token_in(&file)["client_id"]),
        (&json!("user-1"), &json!("the-app"))
    );
}

#[tokio::test]
async fn a_return_with_another_state_is_refused() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(3600));
    let begun = begin(&stand_in.settings()).await;
    for strange in
        [vec![("code", "evil"), ("state", "other")], vec![("code", "evil")], vec![("error", "x"), ("state", "")]]
    {
        let (status, _) = begun.come_back(&strange).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{strange:?}");
    }
    let elsewhere = Url::parse(&begun.query["redirect_uri"]).unwrap().join("/favicon.ico").unwrap();
    assert_eq!(visit(elsewhere).await.0, StatusCode::BAD_REQUEST);
    assert!(stand_in.asked("/api/token").is_empty(), "no strange code is exchanged");
    begun.come_back(&[("code", "the-code"), ("state", &begun.query["state"])]).await;
    assert!(begun.result.await.unwrap().is_ok(), "the true return still counts");
}

#[tokio::test]
async fn a_user_may_say_no() {
    let stand_in = StandIn::start().await;
    let begun = begin(&stand_in.settings()).await;
    begun.come_back(&[("error", "access_denied"), ("state", &begun.query["state"])]).await;
    let error = begun.result.await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::NotSignedIn { why } if why.contains("access_denied")), "{error}");
    let nobody = SpotifySettings { client_id: None, ..stand_in.settings() };
    let error = login(&nobody, |_| panic!("there is no app to sign in to")).await.unwrap_err();
    assert!(error.to_string().contains("SPOTIFAI_SPOTIFY_CLIENT_ID"), "{error}");
}

#[tokio::test]
async fn a_sign_in_is_used_and_refreshed() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(3600));
    stand_in.on("/v1/playlists/p1000000000000000000id/items", |request| match request.authorization.as_str() {
        "Bearer user-3" => ok(json!({"items": []})),
        _ => error(401, "The access token expired"),
    });
    let client = signed_in(&stand_in).await;
    assert!(
        matches!(client.playlist_items(PLAYLIST, 0).await, Err(Error::Unauthorized { .. })),
        "user-1 and user-2 are refused"
    );
    client.playlist_items(PLAYLIST, 0).await.unwrap();
    let file = stand_in.folder.path().join("config/token.json");
    assert_eq!(token_in(&file)["refresh_token"], "refresh-3", "each refresh token was used once, in turn");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        stand_in.asked("/api/token").iter().all(|request| request.authorization.is_empty()),
        "PKCE needs no secret"
    );
}

#[tokio::test]
async fn processes_that_share_a_sign_in_take_turns() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(3600));
    stand_in.on("/v1/artists", |request| match request.authorization.as_str() {
        "Bearer user-2" => ok(json!({"artists": []})),
        _ => error(401, "The access token expired"),
    });
    signed_in(&stand_in).await;
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let client = Client::new(&stand_in.settings(), None).unwrap();
        processes.spawn(async move { client.artists(&[]).await });
    }
    assert!(processes.join_all().await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(stand_in.asked("/api/token").len(), 2, "the code, and one refresh for all of them");
}

#[tokio::test]
async fn a_sign_in_is_noticed_without_a_restart() {
    let stand_in = StandIn::start().await;
    stand_in.on("/v1/artists", |_| ok(json!({"artists": []})));
    let client = Client::new(&stand_in.settings(), None).unwrap();
    client.artists(&[]).await.unwrap();
    stand_in.on("/api/token", rotating(3600));
    signed_in(&stand_in).await;
    client.artists(&[]).await.unwrap();
    let used: Vec<_> = stand_in.asked("/v1/artists").into_iter().map(|request| request.authorization).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer user-1"]);
}

#[tokio::test]
async fn a_sign_in_that_has_ended_names_the_way_out() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(0));
    let client = signed_in(&stand_in).await;
    stand_in
        .on("/api/token", |_| text(400, r#"{"error": "invalid_grant", "error_description": "Refresh token expired"}"#));
    let error = client.sign_in().await.unwrap_err().to_string();
    assert!(error.contains("Refresh token expired") && error.contains("spotifai login"), "{error}");
    fs::write(stand_in.folder.path().join("config/token.json"), "{").unwrap();
    let error = client.sign_in().await.unwrap_err().to_string();
    assert!(error.contains("token.json") && error.contains("spotifai login"), "{error}");
}

/// Base64 for addresses, without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sixes = bits.as_bytes().chunks(6).map(|six| format!("{:0<6}", std::str::from_utf8(six).unwrap()));
    sixes.map(|six| LETTERS[usize::from_str_radix(&six, 2).unwrap()] as char).collect()
}

#[tokio::test]
async fn a_token_file_may_begin_with_a_byte_order_mark() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", rotating(3_600));
    signed_in(&stand_in).await;
    let file = stand_in.settings().token_file.unwrap();
    let token = fs::read(&file).unwrap();
    fs::write(&file, [b"\xef\xbb\xbf", token.as_slice()].concat()).unwrap();
    let asked = stand_in.asked("/api/token").len();
    Client::new(&stand_in.settings(), None).unwrap().sign_in().await.unwrap();
    assert_eq!(stand_in.asked("/api/token").len(), asked, "the token of the file is good");
}
