//! The handler against a last.fm on loopback and a store in a file of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use host::WorkerProgram;
use model::settings::{LastfmSettings, Settings};
use model::track::ArtistRef;
use runtime::Budgets;

use super::*;
use crate::LastfmWorker;

const NO_TAGS: &str =
    r#"<html><div class="col-main"><h2>Tags</h2><p class="no-data-message">No tags yet</p></div></html>"#;
const FIREWALL: &str = "<h1>Your request was blocked</h1><div id=\"error\">Error 406</div>";
const LONG_PAUSE: Duration = Duration::from_secs(600);

/// Status, Retry-After and text of an answer.
type Reply = (u16, Option<&'static str>, String);

/// What last.fm answers to each path (`api` stands for the API); everything else is a 404.
type Site = Arc<Mutex<HashMap<&'static str, Reply>>>;

struct Fixture {
    handler: FetchTags,
    context: Context,
    site: Site,
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new(credit: &[&str], api_key: Option<&str>) -> Self {
        let (site, asked) = (Site::default(), Arc::<Mutex<Vec<String>>>::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state((site.clone(), asked.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let api_url = format!("{url}/2.0/");
        let settings = LastfmSettings {
            url,
            api_url,
            api_key: api_key.map(|key| key.to_owned().into()),
            ..LastfmSettings::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let store = store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
        let artists = credit.iter().map(|name| ArtistRef { id: None, name: (*name).into() }).collect();
        store
            .save_tracks(&[Track {
                id: "t1".into(),
                name: "Song".into(),
                artists,
                album: None,
                duration_ms: None,
                isrc: None,
            }])
            .await
            .unwrap();
        let lastfm = LastfmSettings { rate: 1_000.0, ..settings.clone() };
        let budgets = LastfmWorker::budgets(&Settings { lastfm, ..Settings::default() });
        let budgets = Budgets::new(store.clone(), budgets);
        let handler = FetchTags {
            client: Arc::new(Client::new(&settings, None).unwrap()),
            long_pause: LONG_PAUSE,
            tracks: store.clone(),
            tags: store,
        };
        Self { handler, context: Context::new(budgets), site, asked, _folder: folder }
    }

    fn answers(self, path: &'static str, status: u16, body: &str) -> Self {
        self.site.lock().unwrap().insert(path, (status, None, body.into()));
        self
    }

    fn answers_after(self, path: &'static str, status: u16, retry_after: &'static str) -> Self {
        self.site.lock().unwrap().insert(path, (status, Some(retry_after), String::new()));
        self
    }

    async fn run(&self, track_id: &str) -> Result<Vec<Envelope>, Failure> {
        self.handler.run(TrackTagsJob { track_id: track_id.into() }, &self.context).await
    }

    /// What is stored of the track.
    async fn stored(&self) -> Option<(TagsOutcome, TagSource)> {
        let tags = self.handler.tags.tags(&["t1".into()]).await.unwrap().pop();
        tags.map(|tags| (tags.outcome, tags.source))
    }

    /// The paths that were asked for, robots.txt aside, and forgets them.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().filter(|path| path != "/robots.txt").collect()
    }
}

async fn answer(State((site, asked)): State<(Site, Arc<Mutex<Vec<String>>>)>, request: Request) -> Response {
    let path = match request.uri().path() {
        "/2.0/" => "api",
        path => path,
    };
    asked.lock().unwrap().push(path.to_owned());
    match site.lock().unwrap().get(path).cloned() {
        Some((status, Some(after), body)) => {
            (status_code(status), [(header::RETRY_AFTER, after)], body).into_response()
        }
        Some((status, None, body)) => (status_code(status), body).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

fn page_of(tags: &[&str]) -> String {
    let item = |tag: &&str| {
        format!(r#"<li class="big-tags-item-wrap"><h3 class="big-tags-item-name"><a href="/tag/x">{tag}</a></h3></li>"#)
    };
    format!(r#"<ol class="big-tags">{}</ol>"#, tags.iter().map(item).collect::<String>())
}

fn tags(tags: &[(&str, Option<u32>)]) -> TagsOutcome {
    TagsOutcome::Tags(tags.iter().map(|(name, count)| Tag { name: (*name).into(), count: *count }).collect())
}

fn pause(after: Option<Duration>, failure: Failure) -> String {
    match failure {
        Failure::Pause { budget, after: found, reason } => {
            assert_eq!((budget.as_str(), found), (LASTFM_BUDGET, after), "{reason}");
            reason
        }
        other => panic!("not a pause: {other:?}"),
    }
}

const PAGE: &str = "/music/A/_/Song/+tags";

#[tokio::test]
async fn tags_are_stored_and_not_asked_for_twice() {
    let site =
        Fixture::new(&["A"], None).await.answers(PAGE, 200, &page_of(&["Hip-Hop", "A", "80s", "hip hop", "Rock"]));
    assert_eq!(site.run("t1").await.unwrap(), []);
    let found = tags(&[("Hip-Hop", None), ("A", None), ("80s", None), ("hip hop", None), ("Rock", None)]);
    assert_eq!(site.stored().await, Some((found, TagSource::Page)));
    let stored = site.handler.tags.tags(&["t1".into()]).await.unwrap();
    assert_eq!(stored[0].canonical, ["hip hop", "rock"]);
    assert_eq!(site.asked(), [PAGE]);

    assert_eq!(site.run("t1").await.unwrap(), []);
    assert!(site.asked().is_empty(), "asked again for what is stored");
}

#[tokio::test]
async fn no_tags_and_unknown_are_different_facts() {
    let site = Fixture::new(&["A"], None).await.answers(PAGE, 200, NO_TAGS);
    site.run("t1").await.unwrap();
    assert_eq!(site.stored().await, Some((TagsOutcome::NoTags, TagSource::Page)));

    let site = Fixture::new(&["A"], None).await;
    site.run("t1").await.unwrap();
    assert_eq!(site.stored().await, Some((TagsOutcome::UnknownTrack, TagSource::Page)));
}

#[tokio::test]
async fn the_whole_credit_is_tried_only_where_the_first_artist_has_no_such_track() {
    const JOINED: &str = "/music/A,+B/_/Song/+tags";
    let site = Fixture::new(&["A", "B"], None).await.answers(JOINED, 200, &page_of(&["rock"]));
    site.run("t1").await.unwrap();
    assert_eq!(site.stored().await, Some((tags(&[("rock", None)]), TagSource::Page)));
    assert_eq!(site.asked(), [PAGE, JOINED]);

    let site = Fixture::new(&["A", "B"], None).await.answers(PAGE, 200, NO_TAGS);
    site.run("t1").await.unwrap();
    assert_eq!(site.asked(), [PAGE]);

    let site = Fixture::new(&["A", "B"], None).await;
    site.run("t1").await.unwrap();
    assert_eq!(site.stored().await, Some((TagsOutcome::UnknownTrack, TagSource::Page)));
    assert_eq!(site.asked(), [PAGE, JOINED]);
}

#[tokio::test]
async fn the_api_comes_first_where_there_is_a_key() {
    let full = r#"{"toptags":{"tag":[{"name":"jazz","count":100}]}}"#;
    let site = Fixture::new(&["A"], Some("k")).await.answers("api", 200, full);
    site.run("t1").await.unwrap();
    assert_eq!(site.stored().await, Some((tags(&[("jazz", Some(100))]), TagSource::Api)));
    assert_eq!(site.asked(), ["api"]);

    for empty in [r#"{"toptags":{"tag":[]}}"#, r#"{"error":6,"message":"Track not found"}"#] {
        let site =
            Fixture::new(&["A"], Some("k")).await.answers("api", 200, empty).answers(PAGE, 200, &page_of(&["rock"]));
        site.run("t1").await.unwrap();
        assert_eq!(site.stored().await, Some((tags(&[("rock", None)]), TagSource::Page)));
        assert_eq!(site.asked(), ["api", PAGE]);
    }
}

#[tokio::test]
async fn throttled_answers_pause_everyone() {
    let throttled = "<title>Page not available | Last.fm</title>";
    let site = Fixture::new(&["A"], None).await.answers(PAGE, 200, throttled);
    pause(None, site.run("t1").await.unwrap_err());
    assert_eq!(site.stored().await, None);

    let site = Fixture::new(&["A"], None).await.answers_after(PAGE, 429, "17");
    pause(Some(Duration::from_secs(17)), site.run("t1").await.unwrap_err());

    let site = Fixture::new(&["A"], Some("k")).await.answers("api", 200, r#"{"error":29,"message":"Rate limit"}"#);
    pause(None, site.run("t1").await.unwrap_err());
    assert_eq!(site.asked(), ["api"]);
}

#[tokio::test]
async fn a_firewall_pauses_everyone_for_long_and_says_what_to_do() {
    let site = Fixture::new(&["A"], None).await.answers(PAGE, 406, FIREWALL);
    let reason = pause(Some(LONG_PAUSE), site.run("t1").await.unwrap_err());
    assert!(reason.contains("firewall") && reason.contains("SPOTIFAI_LASTFM_API_KEY"), "{reason}");
}

#[tokio::test]
async fn a_key_that_is_refused_stops_this_process_alone_and_says_what_to_do() {
    for error in [r#"{"error":10,"message":"Invalid API key"}"#, r#"{"error":26,"message":"Suspended API key"}"#] {
        let site = Fixture::new(&["A"], Some("k")).await.answers("api", 403, error);
        let failure = site.run("t1").await.unwrap_err();
        assert!(matches!(failure, Failure::Decline { .. }), "{failure:?}");
        assert!(failure.to_string().contains("SPOTIFAI_LASTFM_API_KEY"), "{failure}");
        assert_eq!(site.asked(), ["api"]);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_tried_again_and_never_stored_as_no_tags() {
    let site = Fixture::new(&["A"], None).await.answers(PAGE, 200, "<h1>A new design</h1>");
    let failure = site.run("t1").await.unwrap_err();
    assert!(matches!(&failure, Failure::Retry { reason, .. } if reason.contains(PAGE)), "{failure:?}");
    assert_eq!(site.stored().await, None);

    let site = Fixture::new(&["A"], Some("k")).await.answers("api", 200, r#"{"error":16,"message":"Try again"}"#);
    assert!(matches!(site.run("t1").await.unwrap_err(), Failure::Retry { .. }));
    assert_eq!(site.asked(), ["api"]);
}

#[tokio::test]
async fn robots_txt_has_the_last_word() {
    let site = Fixture::new(&["A"], None).await.answers("/robots.txt", 200, "User-agent: *\nDisallow: /music");
    let failure = site.run("t1").await.unwrap_err();
    assert!(matches!(&failure, Failure::Dead { reason } if reason.contains("robots.txt")), "{failure:?}");
    assert!(site.asked().is_empty());

    let site = Fixture::new(&["A"], None).await.answers_after("/robots.txt", 503, "30");
    pause(Some(Duration::from_secs(30)), site.run("t1").await.unwrap_err());
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn jobs_that_cannot_be_done_are_dead() {
    let site = Fixture::new(&[], None).await;
    let failure = site.run("t1").await.unwrap_err();
    assert!(matches!(&failure, Failure::Dead { reason } if reason.contains("credits no artist")), "{failure:?}");
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn a_track_that_is_not_there_yet_is_to_be_fetched_first() {
    let site = Fixture::new(&["A"], None).await;
    let jobs = site.run("t2").await.unwrap();
    let jobs: Vec<_> = jobs.iter().map(|job| (job.kind.as_str(), job.key.as_str())).collect();
    assert_eq!(jobs, [("track.metadata", "t2")]);
    assert!(site.asked().is_empty());
}
