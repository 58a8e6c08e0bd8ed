//! The client over real HTTP.

use std::time::Duration;

use model::audio::{AudioFeatures, SCALARS};
use model::track::Artist;
use serde_json::{Value, json};
use spotify::{Client, Error};

use crate::stand_in::{Answer, SECRET, StandIn, error, ok, redirect, text};

const PLAYLIST: &str = "p1000000000000000000id";
const ITEMS: &str = "/v1/playlists/p1000000000000000000id/items";

async fn client(stand_in: &StandIn) -> Client {
    Client::new(&stand_in.settings(), Some("me@example.org")).unwrap()
}

/// What the client makes of one answer to a request for a page.
async fn page_error(answer: Answer) -> Error {
    let stand_in = StandIn::start().await;
    stand_in.on(ITEMS, move |_| answer.clone());
    client(&stand_in).await.playlist_items(PLAYLIST, 0).await.unwrap_err()
}

/// An id that begins so.
fn id(name: &str) -> String {
    format!("{name:0<22}")
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| id(name)).collect()
}

fn features(name: &str, first: f64) -> Value {
    let mut features = json!({ "id": id(name) });
    for (i, name) in SCALARS.iter().enumerate() {
        features[name] = json!(first + i as f64);
    }
    features
}

#[tokio::test]
async fn a_page_is_asked_for_by_name() {
    let stand_in = StandIn::start().await;
    stand_in.on(ITEMS, |_| ok(json!({"items": [null], "total": 51})));
    let page = client(&stand_in).await.playlist_items(PLAYLIST, 50).await.unwrap();
    assert_eq!((page.rows, page.total), (1, Some(51)));
    let asked = &stand_in.asked(ITEMS)[0];
    assert_eq!(asked.query, "limit=50&offset=50&additional_types=track%2Cepisode");
    assert_eq!(asked.authorization, "Bearer token-1");
    assert!(asked.user_agent.starts_with("spotif-ai/") && asked.user_agent.contains("me@example.org"));
    let token = &stand_in.asked("/api/token")[0];
    assert_eq!(token.body, "grant_type=client_credentials");
    assert!(token.authorization.starts_with("Basic "));
}

#[tokio::test]
async fn a_page_has_no_more_rows_than_were_asked_for() {
    let stand_in = StandIn::start().await;
    let sixty: Vec<Value> = vec![Value::Null; 60];
    stand_in.on(ITEMS, move |_| ok(json!({"items": sixty, "total": 100})));
    let client = client(&stand_in).await;
    for (offset, rows) in [(0, 50), (20, 30), (40, 10), (50, 50)] {
        let page = client.playlist_items(PLAYLIST, offset).await.unwrap();
        assert_eq!((page.rows, page.skipped.values().sum()), (rows, rows), "from {offset}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_for_everyone() {
    let stand_in = StandIn::start().await;
    stand_in.on(ITEMS, |request| match request.authorization.as_str() {
        "Bearer token-2" => ok(json!({"items": []})),
        _ => error(401, "The access token expired"),
    });
    let client = client(&stand_in).await;
    let mut requests = tokio::task::JoinSet::new();
    for offset in 0..8 {
        let client = client.clone();
        requests.spawn(async move { client.playlist_items(PLAYLIST, offset).await });
    }
    assert!(requests.join_all().await.into_iter().all(|page| page.is_ok()));
    assert_eq!(stand_in.asked("/api/token").len(), 2, "one token at first, one after it was refused");
}

#[tokio::test]
async fn a_token_that_stays_refused_is_an_error_after_one_renewal() {
    let stand_in = StandIn::start().await;
    stand_in.on(ITEMS, |_| error(401, "Invalid access token"));
    let error = client(&stand_in).await.playlist_items(PLAYLIST, 0).await.unwrap_err();
    assert_eq!(error, Error::Unauthorized { detail: "Invalid access token".into() });
    assert_eq!((stand_in.asked(ITEMS).len(), stand_in.asked("/api/token").len()), (2, 2));
}

#[tokio::test]
async fn pauses_are_told_to_the_second() {
    let after = |seconds| Some(Duration::from_secs(seconds));
    let limited = error(429, "API rate limit exceeded");
    assert_eq!(page_error(limited.clone().retry_after("86236")).await, Error::RateLimited { after: after(86_236) });
    assert_eq!(page_error(limited).await, Error::RateLimited { after: None });
    assert_eq!(
        page_error(text(429, "Too many requests").retry_after("7")).await,
        Error::RateLimited { after: after(7) }
    );
    let quota = r#"{"error": {"status": 429, "message": "Quota exceeded", "reason": "QUOTA_EXCEEDED"}}"#;
    assert_eq!(page_error(text(429, quota).retry_after("3600")).await, Error::Quota { after: after(3_600) });
    assert_eq!(page_error(text(403, quota)).await, Error::Quota { after: None });
}

#[tokio::test]
async fn an_error_says_what_to_do() {
    assert!(matches!(page_error(error(404, "Not found.")).await, Error::NotFound { .. }));
    assert!(matches!(page_error(error(400, "Invalid limit")).await, Error::Rejected { status: 400, .. }));
    assert!(matches!(page_error(text(410, "")).await, Error::Rejected { status: 410, .. }));
    let Error::Forbidden { what, detail } = page_error(text(403, "the user may not be registered\n")).await else {
        panic!("403 is a refusal, JSON or not");
    };
    assert_eq!((what.contains(PLAYLIST), detail.as_str()), (true, "the user may not be registered"));
    let Error::Unavailable { detail, after, .. } =
        page_error(text(503, "<html>upstream</html>").retry_after("5")).await
    else {
        panic!("503 is trouble of the server's");
    };
    assert_eq!((detail.as_str(), after), ("HTTP 503", Some(Duration::from_secs(5))));
    for garbage in ["<html>maintenance</html>", "", "{\"items\": [", "null"] {
        assert!(matches!(page_error(text(200, garbage)).await, Error::BadAnswer { .. }), "{garbage}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere_with_the_token() {
    let (stand_in, elsewhere) = (StandIn::start().await, StandIn::start().await);
    let asked = "/v1/audio-analysis/".to_owned() + &id("t1");
    for to in [format!("{}{asked}", elsewhere.url), "/v1/login".to_owned()] {
        stand_in.on(&asked, move |_| redirect(&to));
        let error = client(&stand_in).await.audio_analysis(&id("t1")).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    }
    assert!(elsewhere.asked("/").is_empty() && stand_in.asked("/v1/login").is_empty());
}

#[tokio::test]
async fn an_analysis_may_be_larger_than_other_documents_and_no_answer_endless() {
    let stand_in = StandIn::start().await;
    let filled = |bytes| text(200, &format!(r#"{{"segments":[],"items":[],"code":"{}"}}"#, "x".repeat(bytes)));
    stand_in.on(&format!("/v1/audio-analysis/{}", id("t1")), move |_| filled(5 << 20));
    stand_in.on(&format!("/v1/audio-analysis/{}", id("t2")), move |_| filled(32 << 20));
    let client = client(&stand_in).await;
    client.audio_analysis(&id("t1")).await.unwrap();
    let too_large = client.audio_analysis(&id("t2")).await.unwrap_err();
    assert!(
        matches!(&too_large, Error::BadAnswer { detail, .. } if detail.contains("larger than 32 MB")),
        "{too_large}"
    );
    let page = page_error(filled(5 << 20)).await;
    assert!(matches!(&page, Error::BadAnswer { detail, .. } if detail.contains("larger than 4 MB")), "{page}");
}

#[tokio::test]
async fn nobody_at_the_address_says_nothing_about_the_request() {
    let stand_in = StandIn::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = model::settings::SpotifySettings { api_url: format!("http://{free}/v1"), ..stand_in.settings() };
    let error = Client::new(&settings, None).unwrap().audio_analysis(&id("t1")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let nonsense = model::settings::SpotifySettings { api_url: "spotify".into(), ..stand_in.settings() };
    assert!(matches!(Client::new(&nonsense, None), Err(Error::Setup(_))));
}

/// First and last value.
type Ends = (Option<f64>, Option<f64>);

/// Of each track its name, and the ends of its values.
fn told(found: &[AudioFeatures]) -> Vec<(&str, Option<Ends>)> {
    found.iter().map(|f| (f.track_id.trim_end_matches('0'), f.values.map(|v| (v[0], v[12])))).collect()
}

#[tokio::test]
async fn features_are_matched_by_id() {
    let stand_in = StandIn::start().await;
    let answer = json!({"audio_features": [null, features("c", 20.0), features("a", 10.5)]});
    stand_in.on("/v1/audio-features", move |_| ok(answer.clone()));
    let found = client(&stand_in).await.audio_features(&ids(&["a", "b", "c"])).await.unwrap();
    let both = |first, last| Some((Some(first), Some(last)));
    assert_eq!(told(&found), [("a", both(10.5, 22.5)), ("b", None), ("c", both(20.0, 32.0))]);
    let asked = ids(&["a", "b", "c"]).join("%2C");
    assert_eq!(stand_in.asked("/v1/audio-features")[0].query, format!("ids={asked}"));
}

#[tokio::test]
async fn a_value_that_is_missing_or_no_number_costs_no_other_and_is_not_spotifys_none() {
    let stand_in = StandIn::start().await;
    let odd = ["null", "\"NaN\"", "\"0.5\"", "NaN", "-Infinity", "1e999", "true", "[1]", "{}"];
    for (n, value) in odd.into_iter().enumerate() {
        let body = features("a", 0.0).to_string().replace("\"key\":3.0", &format!("\"key\":{value}"));
        assert!(body.contains(value));
        let none = features("b", 1.0);
        let batch = format!("{{\"audio_features\": [{body}, {none}, null]}}");
        stand_in.on("/v1/audio-features", move |_| text(200, &batch));
        stand_in.on(&format!("/v1/audio-features/{}", id("a")), move |_| text(200, &body));
        let client = client(&stand_in).await;
        let mut found = client.audio_features(&ids(&["a", "b", "c"])).await.unwrap();
        assert_eq!((found.len(), found[2].values), (3, None), "{value}");
        assert!(found[1].values.unwrap().iter().all(Option::is_some), "{value}");
        found.push(client.audio_features_of(&id("a")).await.unwrap());
        for features in [&found[0], &found[3]] {
            let expected = std::array::from_fn(|i| (i != 3).then_some(i as f64));
            assert_eq!((features.values, features.is_incomplete()), (Some(expected), true), "{value} {n}");
        }
    }
    let mut without = features("a", 0.0);
    without.as_object_mut().unwrap().remove("key");
    stand_in.on("/v1/audio-features", move |_| ok(json!({ "audio_features": [without] })));
    let found = client(&stand_in).await.audio_features(&ids(&["a"])).await.unwrap();
    assert_eq!(found[0].values.unwrap().iter().flatten().count(), 12);
}

#[tokio::test]
async fn what_an_answer_does_not_speak_of_stays_unknown() {
    let stand_in = StandIn::start().await;
    for (answer, expected) in [
        (json!([features("a", 1.0)]), vec!["a"]),
        (json!([features("a", 1.0), null]), vec!["a"]),
        (json!([features("a", 1.0), {"danceability": 0.5}, null]), vec!["a"]),
        (json!([features("a", 1.0), null, null]), vec!["a", "b", "c"]),
        (json!([]), vec![]),
    ] {
        stand_in.on("/v1/audio-features", move |_| ok(json!({ "audio_features": answer })));
        let found = client(&stand_in).await.audio_features(&ids(&["a", "b", "c"])).await.unwrap();
        assert_eq!(found.into_iter().map(|features| features.track_id).collect::<Vec<_>>(), ids(&expected));
    }
}

#[tokio::test]
async fn features_of_one_track_may_be_refused_or_not_exist() {
    let stand_in = StandIn::start().await;
    let at = |name: &str| format!("/v1/audio-features/{}", id(name));
    stand_in.on(&at("a"), |_| ok(features("a", 1.0)));
    stand_in.on(&at("c"), |_| text(403, r#"{"error": {"status": 403}}"#));
    stand_in.on(&at("d"), |_| text(200, "null"));
    stand_in.on(&at("e"), |_| text(200, "\"later\""));
    stand_in.on(&at("f"), |_| error(400, "invalid id"));
    let client = client(&stand_in).await;
    assert!(client.audio_features_of(&id("a")).await.unwrap().values.is_some());
    for name in ["b", "d"] {
        let none = AudioFeatures { track_id: id(name), values: None };
        assert_eq!(client.audio_features_of(&id(name)).await.unwrap(), none);
    }
    let error = client.audio_features_of(&id("c")).await.unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("HTTP 403"), "{error}");
    assert!(matches!(client.audio_features_of(&id("e")).await, Err(Error::BadAnswer { .. })));
    let error = client.audio_features_of(&id("f")).await.unwrap_err();
    assert!(!error.is_refusal(), "a 400 is about the request: {error}");
}

#[tokio::test]
async fn nothing_is_asked_for_by_what_is_no_id() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in).await;
    for odd in [
        "",
        "0short",
        "../me/player/devices",
        "../../../../admin/x",
        "..",
        "a/../../b",
        "%2e%2e%2fme",
        &id("a b"),
        "\u{1b}[2J",
    ] {
        let refusals = [
            client.playlist_items(odd, 0).await.unwrap_err(),
            client.audio_analysis(odd).await.unwrap_err(),
            client.audio_features_of(odd).await.unwrap_err(),
            client.audio_features(&[id("a"), odd.to_owned()]).await.unwrap_err(),
            client.artist(odd).await.unwrap_err(),
            client.track(odd).await.unwrap_err(),
            client.artists(&[odd.to_owned(), id("a")]).await.unwrap_err(),
        ];
        for error in refusals {
            let said = error.to_string();
            assert!(matches!(error, Error::BadId { .. }) && !said.contains(char::is_control), "{said}");
        }
    }
    assert!(stand_in.asked("/").is_empty(), "not even a token");
}

#[tokio::test]
async fn a_token_that_is_none_is_the_tokens_fault_though_spotify_says_400() {
    let stand_in = StandIn::start().await;
    stand_in.on(ITEMS, |request| match request.authorization.as_str() {
        "Bearer token-2" => ok(json!({"items": []})),
        _ => error(400, "Only valid bearer authentication supported"),
    });
    assert!(client(&stand_in).await.playlist_items(PLAYLIST, 0).await.is_ok());
}

#[tokio::test]
async fn requests_stay_below_the_base_address_with_its_own_path() {
    let stand_in = StandIn::start().await;
    for base in ["/deep/er/v1", "/deep/er/v1/"] {
        let settings =
            model::settings::SpotifySettings { api_url: format!("{}{base}", stand_in.url), ..stand_in.settings() };
        Client::new(&settings, None).unwrap().artist(&id("a")).await.unwrap();
    }
    assert_eq!(stand_in.asked(&format!("/deep/er/v1/artists/{}", id("a"))).len(), 2);
}

#[tokio::test]
async fn an_analysis_may_be_missing_or_broken() {
    let stand_in = StandIn::start().await;
    let at = |name: &str| format!("/v1/audio-analysis/{}", id(name));
    stand_in.on(&at("a"), |_| ok(json!({"segments": [{"start": 0, "pitches": vec![1; 12]}]})));
    stand_in.on(&at("b"), |_| ok(json!({"segments": [{"start": 0}]})));
    let client = client(&stand_in).await;
    assert_eq!(client.audio_analysis(&id("a")).await.unwrap().analysis.unwrap().segments.len(), 1);
    assert_eq!(client.audio_analysis(&id("unknown")).await.unwrap().analysis, None);
    let Err(Error::BadAnswer { detail, .. }) = client.audio_analysis(&id("b")).await else {
        panic!("it has no pitches")
    };
    assert!(detail.contains("segment 0") && detail.contains("pitches"), "{detail}");
}

#[tokio::test]
async fn artists_come_with_their_genres() {
    let stand_in = StandIn::start().await;
    let one = json!({"id": id("a"), "name": "One", "genres": ["art pop", "folk"]});
    stand_in.on(&format!("/v1/artists/{}", id("a")), {
        let one = one.clone();
        move |_| ok(one.clone())
    });
    let artist = |name: &str, called: &str, genres: &[&str]| Artist {
        id: id(name),
        name: called.into(),
        genres: genres.iter().map(ToString::to_string).collect(),
    };
    let [one_read, two_read, gone] =
        [artist("a", "One", &["art pop", "folk"]), artist("b", "Two", &[]), artist("gone", "", &[])];
    stand_in.on("/v1/artists", move |_| ok(json!({"artists": [null, {"id": id("b"), "name": "Two"}, one]})));
    let client = client(&stand_in).await;
    let found = client.artists(&ids(&["a", "b", "gone"])).await.unwrap();
    assert_eq!(found, [one_read.clone(), two_read.clone(), gone.clone()]);
    let found = client.artists(&ids(&["a", "b", "gone", "c"])).await.unwrap();
    assert_eq!(found, [one_read.clone(), two_read], "of the two others one is unknown, and nobody knows which");
    assert_eq!(client.artist(&id("a")).await.unwrap(), one_read);
    assert_eq!(client.artist(&id("gone")).await.unwrap(), gone);
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_being_shown() {
    let stand_in = StandIn::start().await;
    let answer = r#"{"error": "invalid_client", "error_description": "Invalid client secret"}"#;
    stand_in.on("/api/token", move |_| text(400, answer));
    let error = client(&stand_in).await.sign_in().await.unwrap_err();
    assert!(matches!(error, Error::NotSignedIn { .. }));
    let told = format!("{error} {error:?}");
    assert!(told.contains("Invalid client secret") && told.contains("spotifai login"), "{told}");
    assert!(!told.contains(SECRET));
}

#[tokio::test]
async fn a_token_answer_is_never_quoted() {
    let stand_in = StandIn::start().await;
    stand_in.on("/api/token", |_| ok(json!({"access_token": "the-token", "expires_in": "the-token"})));
    let error = client(&stand_in).await.sign_in().await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }) && !format!("{error:?}").contains("the-token"), "{error:?}");
}

#[tokio::test]
async fn without_a_secret_and_a_sign_in_the_way_out_is_named() {
    let stand_in = StandIn::start().await;
    let settings = model::settings::SpotifySettings { client_secret: None, ..stand_in.settings() };
    let error = Client::new(&settings, None).unwrap().audio_analysis(&id("t1")).await.unwrap_err().to_string();
    assert!(error.contains("spotifai login") && error.contains("SPOTIFAI_SPOTIFY_CLIENT_SECRET"), "{error}");
    assert_eq!(error.lines().count(), 1);
    assert!(stand_in.asked("/").is_empty());
}
