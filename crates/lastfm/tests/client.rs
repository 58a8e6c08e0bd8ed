//! The client against a server on loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lastfm::{ApiOutcome, Client, Error, PageOutcome};
use model::settings::Lastfm;

const TAGS: &str =
    r#"<ol class="big-tags"><li class="big-tags-item-wrap"><h3 class="big-tags-item-name"><a>rock</a></h3></li></ol>"#;

/// A request as the server saw it: path with query, and User-Agent.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

struct Server {
    at: SocketAddr,
    seen: Seen,
}

impl Server {
    /// A server that answers each path (with its query) as `answer` says.
    async fn start(answer: fn(&str) -> Response) -> Self {
        let seen = Seen::default();
        let handle = move |State(seen): State<Seen>, request: Request| async move {
            let path = request.uri().to_string();
            let agent = request.headers()[header::USER_AGENT].to_str().unwrap().to_owned();
            seen.lock().unwrap().push((path.clone(), agent));
            answer(&path)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = Router::new().fallback(handle).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, seen }
    }

    fn client(&self, contact: Option<&str>) -> Client {
        let url = format!("http://{}", self.at);
        let api_url = format!("{url}/2.0/");
        let settings = Lastfm { url, api_url, api_key: Some("s3cret".to_owned().into()), ..Lastfm::default() };
        Client::new(&settings, contact).unwrap()
    }

    fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }
}

fn no_robots(path: &str) -> Option<Response> {
    (path == "/robots.txt").then(|| StatusCode::NOT_FOUND.into_response())
}

#[tokio::test]
async fn robots_is_read_once_and_every_request_names_the_program() {
    let server = Server::start(|path| no_robots(path).unwrap_or_else(|| TAGS.into_response())).await;
    let client = server.client(Some("mail@example.org"));
    assert!(!client.knows_robots());
    for title in ["T", "U+"] {
        let answer = client.page("Beyoncé", title).await.unwrap();
        assert_eq!((answer.status, answer.outcome.as_str()), (200, "tags"));
    }
    assert!(client.knows_robots());
    let expected = ["/robots.txt", "/music/Beyonc%C3%A9/_/T/+tags", "/music/Beyonc%C3%A9/_/U%252B/+tags"];
    assert_eq!(server.paths(), expected);
    let agents: Vec<String> = server.seen.lock().unwrap().iter().map(|(_, agent)| agent.clone()).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert!(agents.iter().all(|agent| *agent == format!("spotif-ai/{version} (+mail@example.org)")), "{agents:?}");

    server.client(None).read_robots().await.unwrap();
    assert_eq!(server.seen.lock().unwrap().last().unwrap().1, format!("spotif-ai/{version}"));
}

#[tokio::test]
async fn a_forbidden_page_is_never_asked_for() {
    let server = Server::start(|_| "User-agent: *\nDisallow: /music/*/+tags".into_response()).await;
    let error = server.client(None).page("A", "T").await.unwrap_err();
    assert!(matches!(error, Error::Disallowed { .. }), "{error}");
    assert_eq!(server.paths(), ["/robots.txt"]);
}

#[tokio::test]
async fn without_a_readable_robots_no_page_is_asked_for() {
    let server =
        Server::start(|_| (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")], "").into_response()).await;
    let client = server.client(None);
    match client.page("A", "T").await.unwrap_err() {
        Error::RobotsUnreadable { retry_after, .. } => assert_eq!(retry_after, Some(Duration::from_secs(7))),
        other => panic!("{other}"),
    }
    client.page("A", "T").await.unwrap_err();
    assert_eq!(server.paths(), ["/robots.txt", "/robots.txt"]);
}

#[tokio::test]
async fn status_and_retry_after_are_handed_out() {
    let server = Server::start(|path| {
        let busy = || (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "12")], "slow down");
        no_robots(path).unwrap_or_else(|| busy().into_response())
    })
    .await;
    let page = server.client(None).page("A", "T").await.unwrap();
    assert_eq!(
        (page.status, page.outcome, page.retry_after),
        (429, PageOutcome::Throttled, Some(Duration::from_secs(12)))
    );
    assert_eq!(page.body, "slow down");
    let api = server.client(None).api("A", "T").await.unwrap();
    assert_eq!((api.outcome, api.retry_after), (ApiOutcome::Throttled, Some(Duration::from_secs(12))));
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_host_only() {
    let server = Server::start(|path| {
        let to = |target: &str| (StatusCode::FOUND, [(header::LOCATION, target.to_owned())], "").into_response();
        match path {
            "/music/A/_/moved/+tags" => to("/music/A/_/here/+tags"),
            "/music/A/_/here/+tags" => TAGS.into_response(),
            "/music/A/_/away/+tags" => to("http://elsewhere.invalid/"),
            "/music/A/_/round/+tags" => to("/music/A/_/round/+tags"),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    })
    .await;
    let client = server.client(None);
    assert_eq!(client.page("A", "moved").await.unwrap().outcome.as_str(), "tags");
    for title in ["away", "round"] {
        let answer = client.page("A", title).await.unwrap();
        assert_eq!((answer.status, answer.outcome), (302, PageOutcome::Unrecognised), "{title}");
    }
}

#[tokio::test]
async fn one_request_at_a_time() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
    let slow = |_: Request| async {
        AT_ONCE.fetch_max(UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Room for a second request to come in, if there were one.
        tokio::time::sleep(Duration::from_millis(20)).await;
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        TAGS
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(slow)).await });
    let client = Client::new(&Lastfm { url, ..Lastfm::default() }, None).unwrap();
    let answers = tokio::join!(client.page("A", "1"), client.page("A", "2"), client.page("A", "3"));
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
    assert_eq!(AT_ONCE.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_key_goes_to_the_api_and_nowhere_else() {
    let server = Server::start(|_| r#"{"toptags":{"tag":[{"name":"rock","count":9}]}}"#.into_response()).await;
    let answer = server.client(None).api("Beyoncé", "A & B").await.unwrap();
    assert!(matches!(answer.outcome, ApiOutcome::Tags(_)));
    let asked = server.paths().concat();
    for part in [
        "/2.0/?method=track.getTopTags",
        "artist=Beyonc%C3%A9",
        "track=A+%26+B",
        "autocorrect=1",
        "format=json",
        "api_key=s3cret",
    ] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
    assert!(!answer.address.contains("s3cret"), "{}", answer.address);

    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Server { at: gone, seen: Seen::default() };
    let error = nobody.client(None).api("A", "T").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }));
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let refused = |settings: Lastfm, contact| Client::new(&settings, contact).err().unwrap().to_string();
    let url = |url: &str| Lastfm { url: url.into(), ..Lastfm::default() };
    assert!(refused(url("last.fm"), None).starts_with("setting `lastfm.url`"));
    assert!(refused(url("ftp://last.fm"), None).contains("neither http nor https"));
    assert!(refused(Lastfm::default(), Some("a\nb")).starts_with("setting `contact`"));
}
