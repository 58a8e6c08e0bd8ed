//! A stand-in for Spotify on loopback: answers what a test tells it to, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use model::settings::SpotifySettings;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The secret of the app that the stand-in's settings name.
pub const SECRET: &str = "the-secret-of-the-app";

/// The stand-in. It serves until the test ends.
pub struct StandIn {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Where [`StandIn::settings`] keep their token.
    pub folder: TempDir,
    shared: Arc<Mutex<Shared>>,
}

/// What is answered at one path.
type Route = Box<dyn FnMut(&Request) -> Answer + Send>;

#[derive(Default)]
struct Shared {
    routes: HashMap<String, Route>,
    requests: Vec<Request>,
}

/// What it was asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub path: String,
    /// As it was sent, encoded.
    pub query: String,
    pub authorization: String,
    pub user_agent: String,
    pub body: String,
}

/// What it answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    retry_after: Option<String>,
    location: Option<String>,
    body: String,
}

impl StandIn {
    /// Starts with a token service whose tokens are `token-1`, `token-2`, …, and 404 for everything else.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let stand_in = Self { url, folder: tempfile::tempdir().unwrap(), shared };
        let mut issued = 0;
        stand_in.on("/api/token", move |_| {
            issued += 1;
            ok(json!({"access_token": format!("token-{issued}"), "token_type": "Bearer", "expires_in": 3600}))
        });
        stand_in
    }

    /// Settings of an app with a secret, of which nobody is signed in.
    pub fn settings(&self) -> SpotifySettings {
        SpotifySettings {
            client_id: Some("the-app".into()),
            client_secret: Some(SECRET.to_owned().into()),
            api_url: format!("{}/v1/", self.url),
            auth_url: format!("{}/", self.url),
            token_file: Some(self.folder.path().join("config/token.json").display().to_string()),
            ..SpotifySettings::default()
        }
    }

    /// Decides what is answered at a path.
    pub fn on(&self, path: &str, answer: impl FnMut(&Request) -> Answer + Send + 'static) {
        self.shared.lock().unwrap().routes.insert(path.into(), Box::new(answer));
    }

    /// What was asked at paths that start so, in order.
    pub fn asked(&self, path: &str) -> Vec<Request> {
        let shared = self.shared.lock().unwrap();
        shared.requests.iter().filter(|request| request.path.starts_with(path)).cloned().collect()
    }
}

/// 200 with this document.
pub fn ok(body: Value) -> Answer {
    text(200, &body.to_string())
}

/// An error as the Web API words it.
pub fn error(status: u16, message: &str) -> Answer {
    text(status, &json!({"error": {"status": status, "message": message}}).to_string())
}

/// A redirect to another address.
pub fn redirect(to: &str) -> Answer {
    Answer { location: Some(to.into()), ..text(302, "") }
}

/// Any status with any body.
pub fn text(status: u16, body: &str) -> Answer {
    Answer { status, retry_after: None, location: None, body: body.into() }
}

impl Answer {
    /// With a `Retry-After`.
    pub fn retry_after(self, seconds: &str) -> Self {
        Self { retry_after: Some(seconds.into()), ..self }
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let request = Request {
        path: uri.path().into(),
        query: uri.query().unwrap_or_default().into(),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        body: String::from_utf8(body.into()).unwrap(),
    };
    let mut shared = shared.lock().unwrap();
    let answer = shared.routes.get_mut(uri.path()).map_or_else(|| error(404, "not found"), |route| route(&request));
    shared.requests.push(request);
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (header, value) in [("retry-after", answer.retry_after), ("location", answer.location)] {
        if let Some(value) = value {
            response.headers_mut().insert(header, value.parse().unwrap());
        }
    }
    response
}
