//! The last.fm stand-in, from outside.

mod common;

use common::{Visitor, visit};
use reqwest::Url;
use serde_json::Value;
use testkit::{Answer, Capability, Catalogue, LASTFM_API_KEY, Oddities, Service, When};

/// The rule of last.fm's own links, for one part of a path.
fn encode(part: &str) -> String {
    let mut encoded = String::new();
    for character in part.chars() {
        match character {
            ' ' => encoded.push('+'),
            '+' => encoded.push_str("%252B"),
            '!' | '&' | '(' | ')' | '*' | ',' | '-' | '.' | ':' | ';' | '_' => encoded.push(character),
            character if character.is_ascii_alphanumeric() => encoded.push(character),
            other => {
                let mut bytes = [0; 4];
                encoded.extend(other.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
            }
        }
    }
    encoded
}

async fn page(visitor: &Visitor, artist: &str, title: &str) -> (u16, String) {
    let path = format!("/music/{}/_/{}/+tags", encode(artist), encode(title));
    let url: Url = format!("{}{path}", visitor.stage.lastfm_url).parse().unwrap();
    assert_eq!(url.path(), path, "addresses are sent as they are written");
    let answer = visitor.http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Artists and title of every track.
async fn credits(visitor: &Visitor) -> Vec<(Vec<String>, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let artists = |track: &Value| track["artists"].as_array().unwrap().iter().map(|a| text(&a["name"])).collect();
    visitor.tracks().await.iter().map(|track| (artists(track), text(&track["name"]))).collect()
}

#[tokio::test]
async fn every_track_is_found_tagged_untagged_or_unknown_as_counted() {
    let visitor = visit(Catalogue::sample(200, 3), Oddities::none()).await;
    let expected = visitor.stage.expected().clone();
    let (mut tagged, mut no_tags, mut unknown, mut joined) = (0, 0, 0, 0);
    let credits = credits(&visitor).await;
    for (artists, title) in &credits {
        let (mut status, mut body) = page(&visitor, &artists[0], title).await;
        if status == 404 && artists.len() > 1 {
            (status, body) = page(&visitor, &artists.join(", "), title).await;
            joined += usize::from(status == 200);
        }
        match status {
            404 => unknown += 1,
            200 if body.contains("<ol class=\"buffer-standard big-tags") => tagged += 1,
            200 if body.contains("no-data-message") => no_tags += 1,
            other => panic!("{artists:?} {title}: {other} {body}"),
        }
    }
    assert_eq!((tagged, no_tags, unknown), (expected.tagged, expected.no_tags, expected.unknown_tracks));
    assert_eq!((joined, expected.joined_credits), (1, 1));
    for odd in
        ["Milk + Honey", "100% Rain", "Half/Light", "Now & Then", "Who's There?", "#9 Harbour Street", "東京の夜, 日本"]
    {
        assert!(credits.iter().any(|(_, title)| title == odd), "{odd}");
    }
}

#[tokio::test]
async fn a_plus_sign_that_is_encoded_once_is_not_found() {
    let visitor = visit(Catalogue::sample(60, 3), Oddities::none()).await;
    let credits = credits(&visitor).await;
    let (artists, _) = credits.iter().find(|(_, title)| title == "Milk + Honey").unwrap();
    let (status, body) = page(&visitor, &artists[0], "Milk + Honey").await;
    assert_eq!(status, 200);
    let markup = "<h3 class=\"big-tags-item-name\"";
    assert_eq!(body.matches("href=\"/tag/").count(), 2 * body.matches(markup).count(), "each tag has a cover link too");
    let url = format!("{}/music/{}/_/Milk+%2B+Honey/+tags", visitor.stage.lastfm_url, encode(&artists[0]));
    assert_eq!(visitor.http.get(&url).send().await.unwrap().status(), 404);
    assert_eq!(visitor.http.get(url.replace("/_/", "/")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn robots_txt_lets_us_in_unless_told_otherwise() {
    let robots = async |oddities| {
        let visitor = visit(Catalogue::sample(60, 3), oddities).await;
        let answer = visitor.http.get(format!("{}/robots.txt", visitor.stage.lastfm_url)).send().await.unwrap();
        answer.text().await.unwrap()
    };
    assert!(robots(Oddities::none()).await.contains("Allow: /\n"));
    assert!(robots(Oddities::none().without(Capability::Pages)).await.contains("Disallow: /music\n"));
}

#[tokio::test]
async fn pages_that_are_none_come_when_they_are_due() {
    let oddities = Oddities { throttled_share: 0.25, seed: 5, ..Oddities::none() }
        .with(Service::Lastfm, "/+tags", When::At(1), Answer::FirewallPage)
        .with(Service::Lastfm, "/+tags", When::At(2), Answer::UnrecognisedPage)
        .with(Service::Lastfm, "/+tags", When::At(3), Answer::ThrottledPage)
        .with(Service::Lastfm, "/+tags", When::At(4), Answer::TooManyRequests { retry_after_seconds: 1 });
    let visitor = visit(Catalogue::sample(60, 3), oddities.clone()).await;
    assert_eq!(page(&visitor, "x", "y").await.0, 406);
    let (status, body) = page(&visitor, "x", "y").await;
    assert!(status == 200 && !body.contains("big-tags") && !body.contains("no-data"));
    let (status, body) = page(&visitor, "x", "y").await;
    assert!(status == 200 && body.contains("<title>Page not available"));
    assert_eq!(page(&visitor, "x", "y").await.0, 429);

    let throttled = async |visitor: &Visitor| {
        let mut pattern = Vec::new();
        for _ in 0..200 {
            pattern.push(page(visitor, "x", "y").await.0 == 200);
        }
        pattern
    };
    let pattern = throttled(&visitor).await;
    let count = pattern.iter().filter(|throttled| **throttled).count();
    assert!((30..=70).contains(&count), "{count} of 200");
    let again = visit(Catalogue::sample(60, 3), oddities).await;
    for _ in 0..4 {
        page(&again, "x", "y").await;
    }
    assert_eq!(throttled(&again).await, pattern);
}

#[tokio::test]
async fn the_api_answers_in_its_own_shapes() {
    let oddities = Oddities::none().with(Service::Lastfm, "/2.0/", When::First(1), Answer::ApiError(29));
    let visitor = visit(Catalogue::sample(200, 3), oddities).await;
    let expected = visitor.stage.expected().clone();
    let ask = async |key: &str, artist: &str, track: &str| {
        let query = [("method", "track.gettoptags"), ("format", "json"), ("autocorrect", "1"), ("api_key", key)];
        let request = visitor.http.get(&visitor.stage.lastfm_api_url).query(&query);
        let answer = request.query(&[("artist", artist), ("track", track)]).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, limited) = ask(LASTFM_API_KEY, "x", "y").await;
    assert_eq!((status, &limited["error"]), (200, &29.into()));
    let (status, refused) = ask("another", "x", "y").await;
    assert_eq!((status, &refused["error"]), (403, &10.into()));
    assert_eq!(ask(LASTFM_API_KEY, "", "").await.1["toptags"]["tag"], Value::Array(Vec::new()));

    let (mut empty, mut single, mut lists) = (0, 0, 0);
    for (artists, title) in credits(&visitor).await {
        match &ask(LASTFM_API_KEY, &artists[0], &title).await.1["toptags"]["tag"] {
            Value::Array(tags) if tags.is_empty() => empty += 1,
            Value::Array(tags) => {
                let counts: Vec<u64> = tags.iter().map(|tag| tag["count"].as_u64().unwrap()).collect();
                assert!(counts[0] == 100 && counts.is_sorted_by(|a, b| a >= b));
                lists += 1;
            }
            Value::Object(tag) => single += usize::from(tag["count"].is_string()),
            other => panic!("{other}"),
        }
    }
    assert_eq!(empty, expected.no_tags + expected.unknown_tracks + expected.joined_credits);
    assert!(single > 0 && lists > 0 && empty + single + lists == expected.tracks);
}
