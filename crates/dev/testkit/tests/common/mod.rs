//! A client that knows nothing of the stand-ins but their addresses.
#![allow(dead_code, reason = "each test file uses its own part")]

use reqwest::{Response, StatusCode};
use serde_json::Value;
use testkit::{CLIENT_ID, CLIENT_SECRET, Catalogue, Oddities, Stage};

pub struct Visitor {
    pub stage: Stage,
    pub http: reqwest::Client,
    pub token: String,
}

/// A stage with somebody who has a token.
pub async fn visit(catalogue: Catalogue, oddities: Oddities) -> Visitor {
    let stage = testkit::serve(catalogue, oddities).await.unwrap();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut visitor = Visitor { stage, http, token: String::new() };
    visitor.sign_in().await;
    visitor
}

impl Visitor {
    pub async fn sign_in(&mut self) {
        let grant = [("grant_type", "client_credentials")];
        let url = format!("{}api/token", self.stage.spotify_auth_url);
        let answer = self.http.post(url).basic_auth(CLIENT_ID, Some(CLIENT_SECRET)).form(&grant).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["token_type"], "Bearer");
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn ask(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.stage.spotify_api_url);
        self.http.get(url).bearer_auth(&self.token).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let answer = self.ask(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Status and message of an error.
    pub async fn refusal(&self, path: &str) -> (u16, String) {
        let answer = self.ask(path).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["status"], status);
        (status, body["error"]["message"].as_str().unwrap_or_default().to_owned())
    }

    /// All rows of a playlist, page by page until there is no next one.
    pub async fn rows(&self, playlist: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = Some(format!("playlists/{playlist}/items?limit=50"));
        while let Some(path) = next {
            let page = self.json(&path).await;
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            next = page["next"].as_str().map(|url| url.strip_prefix(&self.stage.spotify_api_url).unwrap().to_owned());
        }
        rows
    }

    /// Rows of all playlists.
    pub async fn all_rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for playlist in self.stage.playlists() {
            rows.extend(self.rows(&playlist).await);
        }
        rows
    }

    /// The track objects that a collector keeps, each once.
    pub async fn tracks(&self) -> Vec<Value> {
        let mut tracks: Vec<Value> = Vec::new();
        for row in self.all_rows().await {
            let item = if row["item"].is_object() { &row["item"] } else { &row["track"] };
            let is_track = item["type"] == "track" && item["id"].is_string() && item["name"].is_string();
            if is_track && !tracks.iter().any(|known| known["id"] == item["id"]) {
                tracks.push(item.clone());
            }
        }
        tracks
    }
}
