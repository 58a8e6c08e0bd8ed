//! The pages of the stand-in, cut off at every place.

use std::collections::BTreeMap;

use lastfm::{PageOutcome, read_page, tags_url};
use serde_json::Value;
use testkit::{Answer, CLIENT_ID, CLIENT_SECRET, Catalogue, Oddities, Service, Stage, When};

/// Artist and title of every row of the first playlist's first page.
async fn songs(stage: &Stage, http: &reqwest::Client) -> Vec<(String, String)> {
    let token = http.post(format!("{}api/token", stage.spotify_auth_url)).basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
    let token: Value = token.form(&[("grant_type", "client_credentials")]).send().await.unwrap().json().await.unwrap();
    let page = format!("{}playlists/{}/items?limit=50", stage.spotify_api_url, stage.playlists()[0]);
    let page = http.get(page).bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    let page: Value = page.json().await.unwrap();
    let rows = page["items"].as_array().unwrap().iter();
    let tracks = rows.filter_map(|row| [&row["item"], &row["track"]].into_iter().find(|item| item.is_object()));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    tracks.filter_map(|track| Some((text(&track["artists"][0]["name"])?, text(&track["name"])?))).collect()
}

#[tokio::test]
async fn every_beginning_of_a_page_is_unrecognised_or_right() {
    let oddities = Oddities::none().with(Service::Lastfm, "/+tags", When::At(1), Answer::ThrottledPage).with(
        Service::Lastfm,
        "/+tags",
        When::At(2),
        Answer::UnrecognisedPage,
    );
    let stage = testkit::serve(Catalogue::sample(60, 3), oddities).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    // Of each kind the shortest.
    let mut pages: BTreeMap<&str, String> = BTreeMap::new();
    for (artist, title) in songs(&stage, &http).await {
        let answer = http.get(tags_url(&stage.lastfm_url, &artist, &title)).send().await.unwrap();
        let page = answer.text().await.unwrap();
        let kind = read_page(200, &page).as_str();
        let shortest = pages.entry(kind).or_insert_with(|| page.clone());
        if page.len() < shortest.len() {
            *shortest = page;
        }
    }
    assert_eq!(
        pages.keys().collect::<Vec<_>>(),
        [&"no_tags", &"tags", &"throttled", &"unknown_track", &"unrecognised"]
    );
    for (kind, page) in pages {
        let right = read_page(200, &page);
        let mut outcomes =
            (0..page.len()).filter(|end| page.is_char_boundary(*end)).map(|end| read_page(200, &page[..end]));
        assert!(outcomes.all(|cut| cut == right || cut == PageOutcome::Unrecognised), "{kind}");
        // Caches and proxies leave something behind it.
        assert_eq!(read_page(200, &format!("{page}\n<!-- from a cache -->\n")), right, "{kind}");
    }
    stage.stop().await;
}
