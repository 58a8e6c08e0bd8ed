//! The Spotify stand-in, from outside.

mod common;

use std::collections::{BTreeMap, HashSet};

use common::{Visitor, visit};
use model::settings::Settings;
use model::track::SkipReason;
use serde_json::{Value, json};
use testkit::{Answer, CLIENT_ID, Capability, Catalogue, Oddities, Service, When};

async fn plain() -> Visitor {
    visit(Catalogue::sample(120, 1), Oddities::none()).await
}

#[tokio::test]
async fn every_row_is_served_and_of_the_kind_that_was_counted() {
    let visitor = plain().await;
    let expected = visitor.stage.expected().clone();
    let rows = visitor.all_rows().await;
    assert_eq!(rows.len(), expected.rows);
    let mut seen = HashSet::new();
    let mut skipped: BTreeMap<SkipReason, usize> = BTreeMap::new();
    for row in &rows {
        let item = if row["item"].is_object() { &row["item"] } else { &row["track"] };
        let reason = match item {
            Value::Null => SkipReason::Removed,
            _ if row["is_local"] == true => SkipReason::Local,
            item if item["type"] == "episode" => SkipReason::Episode,
            item if item["id"].is_null() => SkipReason::NoId,
            item if item["name"].is_null() => SkipReason::NoName,
            item if !seen.insert(item["id"].clone()) => SkipReason::Duplicate,
            _ => continue,
        };
        *skipped.entry(reason).or_default() += 1;
    }
    assert_eq!(skipped, expected.skipped);
    assert_eq!(skipped.len(), 6, "one of each reason that a playlist can give");
    assert_eq!((seen.len(), expected.tracks), (120, 120));
    assert!(rows.iter().any(|row| row["item"].is_object() && row["track"].is_object()));
    assert!(rows.iter().any(|row| row["item"]["duration_ms"].is_f64() || row["track"]["duration_ms"].is_f64()));
}

#[tokio::test]
async fn pages_have_limits_and_the_small_playlist_says_nothing_of_itself() {
    let visitor = plain().await;
    let [large, small] = visitor.stage.playlists().try_into().unwrap();
    let page = visitor.json(&format!("playlists/{large}/items?offset=10")).await;
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["limit"], &page["offset"]),
        (20, &json!(20), &json!(10))
    );
    let page = visitor.json(&format!("playlists/{small}/items")).await;
    assert_eq!(page.as_object().unwrap().keys().collect::<Vec<_>>(), ["href", "items"]);
    assert_eq!(visitor.refusal(&format!("playlists/{large}/items?limit=51")).await, (400, "Invalid limit".into()));
    assert_eq!(visitor.refusal("playlists/nowhere/items").await, (404, "Resource not found".into()));
    assert_eq!(visitor.json(&format!("playlists/{large}")).await["items"]["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn pages_may_be_shorter_than_they_were_asked_to_be_and_totals_wrong() {
    let oddities = Oddities { page_rows: Some(20), rows_withheld: 3, ..Oddities::none() };
    let visitor = visit(Catalogue::sample(120, 1), oddities).await;
    let large = &visitor.stage.playlists()[0];
    let page = visitor.json(&format!("playlists/{large}/items?limit=50")).await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["limit"]), (20, &json!(20)));
    let rows = page["total"].as_u64().unwrap() - 3;
    let last = visitor.json(&format!("playlists/{large}/items?limit=50&offset={}", rows - 1)).await;
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));
}

#[tokio::test]
async fn features_and_analyses_are_missing_where_they_were_counted_as_missing() {
    let visitor = plain().await;
    let expected = visitor.stage.expected().clone();
    let tracks = visitor.tracks().await;
    let ids: Vec<&str> = tracks.iter().map(|track| track["id"].as_str().unwrap()).collect();
    let mut without = Vec::new();
    for hundred in ids.chunks(100) {
        let answer = visitor.json(&format!("audio-features?ids={}", hundred.join(","))).await;
        let features = answer["audio_features"].as_array().unwrap();
        assert_eq!(features.len(), hundred.len());
        without.extend(hundred.iter().zip(features).filter(|(_, one)| one.is_null()).map(|(id, _)| *id));
    }
    assert_eq!(without.len(), expected.without_features);
    let single = visitor.refusal(&format!("audio-features/{}", without[0])).await;
    assert_eq!(single, (404, "analysis not found".into()));

    let (mut missing, mut short, mut wrapped, mut integers) = (0, 0, 0, 0);
    for id in &ids {
        let answer = visitor.ask(&format!("audio-analysis/{id}")).await;
        if answer.status() == 404 {
            missing += 1;
            continue;
        }
        let mut document: Value = answer.json().await.unwrap();
        if document["audio_analysis"].is_object() {
            wrapped += 1;
            document = document["audio_analysis"].take();
        }
        let segments = document["segments"].as_array().unwrap();
        if segments[0]["start"].as_f64() > Some(0.0) {
            short += 1;
            continue;
        }
        integers += usize::from(segments[0]["start"].is_i64());
        assert!((150..=700).contains(&segments.len()));
        assert_contiguous(segments);
    }
    assert_eq!((missing, short), (expected.without_analysis, expected.short_analyses));
    assert_eq!((wrapped, integers), (1, 1));
    assert_eq!(expected.with_pitches + missing + short, expected.tracks);
}

fn assert_contiguous(segments: &[Value]) {
    let mut end = 0.0;
    for segment in segments {
        let (start, duration) = (segment["start"].as_f64().unwrap(), segment["duration"].as_f64().unwrap());
        assert!((start - end).abs() < 1e-9 && duration > 0.05);
        end = start + duration;
        let pitches: Vec<f64> = segment["pitches"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        assert_eq!(pitches.iter().copied().fold(0.0, f64::max), 1.0);
        assert!(pitches.iter().all(|pitch| *pitch >= 0.0 && ((pitch * 1000.0).round() / 1000.0 - pitch).abs() < 1e-12));
    }
}

#[tokio::test]
async fn batches_keep_the_order_and_have_nulls_and_limits() {
    let visitor = plain().await;
    let tracks = visitor.tracks().await;
    let artist = tracks[0]["artists"][0]["id"].as_str().unwrap();
    let unknown = "0".repeat(22);
    let answer = visitor.json(&format!("artists/?ids={unknown},{artist}")).await;
    assert_eq!((&answer["artists"][0], &answer["artists"][1]["id"]), (&Value::Null, &json!(artist)));
    assert!(!visitor.json(&format!("artists/{artist}")).await["genres"].as_array().unwrap().is_empty());
    let id = tracks[3]["id"].as_str().unwrap();
    assert_eq!(visitor.json(&format!("tracks?ids={id}")).await["tracks"][0], tracks[3]);
    assert_eq!(visitor.json(&format!("tracks/{id}")).await, tracks[3]);
    assert_eq!(visitor.refusal(&format!("tracks?ids={id},0short")).await, (400, "invalid id".into()));
    let many = vec![id; 51].join(",");
    assert_eq!(visitor.refusal(&format!("artists?ids={many}")).await.0, 400);
    assert_eq!(visitor.json(&format!("audio-features?ids={many}")).await["audio_features"][50]["id"], id);
}

#[tokio::test]
async fn calls_need_a_token_that_was_given_out_and_is_fresh() {
    let oddities = Oddities { token_uses: Some(2), ..Oddities::none() };
    let mut visitor = visit(Catalogue::sample(60, 1), oddities).await;
    let path = format!("playlists/{}", visitor.stage.playlists()[0]);
    let good = std::mem::replace(&mut visitor.token, "made up".into());
    assert_eq!(visitor.refusal(&path).await, (401, "Invalid access token".into()));
    let bare = visitor.http.get(format!("{}{path}", visitor.stage.spotify_api_url)).send().await.unwrap();
    assert_eq!(bare.json::<Value>().await.unwrap()["error"]["message"], "No token provided");
    visitor.token = good;
    visitor.json(&path).await;
    visitor.json(&path).await;
    assert_eq!(visitor.refusal(&path).await, (401, "The access token expired".into()));
    visitor.sign_in().await;
    visitor.json(&path).await;
    assert_eq!(visitor.stage.requests_to("/api/token"), 2);
    assert_eq!(visitor.stage.answers(Service::Spotify, 401), 3);
}

fn by_code<'a>(code: &'a str, verifier: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "http://127.0.0.1:8888/callback"),
        ("code", code),
        ("code_verifier", verifier),
    ]
}

#[tokio::test]
async fn a_user_signs_in_by_code_and_pkce_and_refreshes_once_per_token() {
    let mut visitor = visit(Catalogue::sample(60, 1), Oddities::none().without(Capability::OthersPlaylists)).await;
    let playlist = visitor.stage.playlists()[0].clone();
    assert!(visitor.json(&format!("playlists/{playlist}")).await.get("items").is_none());
    assert_eq!(visitor.refusal(&format!("playlists/{playlist}/items")).await.0, 403);

    // The verifier and challenge of RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let query = format!(
        "authorize?client_id={CLIENT_ID}&response_type=code&redirect_uri=http://127.0.0.1:8888/callback&state=s%20t\
         &code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let url = format!("{}{query}", visitor.stage.spotify_auth_url);
    let insecure = url.replace("127.0.0.1:8888", "localhost:8888");
    assert_eq!(visitor.http.get(insecure).send().await.unwrap().status(), 400);
    let code = async || {
        let answer = visitor.http.get(&url).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        let query = back.strip_prefix("http://127.0.0.1:8888/callback?code=").unwrap();
        query.strip_suffix("&state=s%20t").unwrap().to_owned()
    };
    let token = async |form: &[(&str, &str)]| {
        let answer = visitor.http.post(format!("{}api/token", visitor.stage.spotify_auth_url)).form(form).send().await;
        answer.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(token(&by_code(&code().await, "wrong")).await["error"], "invalid_grant");
    let signed_in = token(&by_code(&code().await, verifier)).await;
    let refresh = signed_in["refresh_token"].as_str().unwrap();
    let by_refresh = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh)];
    let refreshed = token(&by_refresh).await;
    assert_eq!(token(&by_refresh).await["error"], "invalid_grant");
    visitor.token = refreshed["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        visitor.rows(&playlist).await.len(),
        visitor.json(&format!("playlists/{playlist}")).await["items"]["total"]
    );
}

#[tokio::test]
async fn oddities_come_when_they_are_due() {
    let busy = Answer::TooManyRequests { retry_after_seconds: 1 };
    let quota = Answer::QuotaExceeded { retry_after_seconds: 86_236 };
    let oddities = Oddities::none()
        .with(Service::Spotify, "/v1/playlists", When::First(2), busy)
        .with(Service::Spotify, "/v1/playlists", When::At(3), quota)
        .with(Service::Spotify, "/v1/playlists", When::At(4), Answer::Unavailable)
        .with(Service::Spotify, "/v1/playlists", When::At(5), Answer::ExpiredToken)
        .with(Service::Spotify, "/v1/artists", When::Every(2), Answer::Unavailable)
        .with(Service::Spotify, "/v1/tracks", When::First(1), Answer::CutShort)
        .without(Capability::Analysis)
        .without(Capability::Batches);
    let mut visitor = visit(Catalogue::sample(60, 1), oddities).await;
    let path = format!("playlists/{}", visitor.stage.playlists()[0]);
    for seconds in ["1", "1", "86236"] {
        let answer = visitor.ask(&path).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, seconds));
    }
    assert_eq!(visitor.ask(&path).await.status(), 503);
    assert_eq!(visitor.refusal(&path).await, (401, "The access token expired".into()));
    assert_eq!(visitor.refusal(&path).await.0, 401, "an expired token stays expired");
    visitor.sign_in().await;
    visitor.json(&path).await;

    let track = visitor.tracks().await[0]["id"].as_str().unwrap().to_owned();
    assert!(visitor.ask(&format!("tracks/{track}")).await.bytes().await.is_err());
    visitor.json(&format!("tracks/{track}")).await;
    for status in [404, 503, 404, 503] {
        assert_eq!(visitor.ask("artists/unknown").await.status(), status);
    }
    assert_eq!(visitor.refusal(&format!("audio-analysis/{track}")).await, (403, String::new()));
    assert_eq!(visitor.refusal(&format!("audio-features?ids={track}")).await.0, 403);
    visitor.json(&format!("audio-features/{track}")).await;
}

#[tokio::test]
async fn the_program_is_pointed_at_the_stage_until_it_stops() {
    let visitor = plain().await;
    let environment: BTreeMap<String, String> = visitor.stage.environment().into_iter().collect();
    assert!(environment.keys().all(|name| model::settings::ENVIRONMENT.iter().any(|(known, ..)| known == name)));
    let settings = visitor.stage.settings(Settings::default());
    assert_eq!(settings.spotify.api_url, environment["SPOTIFAI_SPOTIFY_API_URL"]);
    assert_eq!(settings.lastfm.url, environment["SPOTIFAI_LASTFM_URL"]);
    let pages = visitor.stage.lastfm_url.clone();
    let Visitor { stage, http, .. } = visitor;
    stage.stop().await;
    assert!(http.get(format!("{pages}/robots.txt")).send().await.unwrap_err().is_connect());
}
