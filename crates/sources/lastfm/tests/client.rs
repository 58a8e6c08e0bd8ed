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
use model::settings::LastfmSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        let settings =
            LastfmSettings { url, api_url, api_key: Some("s3cret".to_owned().into()), ..LastfmSettings::default() };
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
async fn a_wait_may_be_a_date_and_is_a_day_at_most() {
    let wait = async |answer: fn(&str) -> Response| {
        Server::start(answer).await.client(None).page("A", "T").await.unwrap().retry_after
    };
    // Behind a server that keeps its time, the wait is counted from there.
    assert_eq!(
        wait(|path| no_robots(path).unwrap_or_else(|| {
            let times = [
                (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
                (header::RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"),
            ];
            (StatusCode::TOO_MANY_REQUESTS, times, "").into_response()
        }))
        .await,
        Some(Duration::from_secs(60))
    );
    let day = Some(Duration::from_secs(86_400));
    let absurd = |path: &str| {
        no_robots(path).unwrap_or_else(|| {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "100000000000000000000")], "").into_response()
        })
    };
    assert_eq!(wait(absurd).await, day);
    let garbage = |path: &str| {
        no_robots(path)
            .unwrap_or_else(|| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "-7")], "").into_response())
    };
    assert_eq!(wait(garbage).await, None);
}

/// A server that sends these bytes to whoever asks and closes the connection; robots.txt is not found.
async fn raw_server(answer: String) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            let robots = "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            let answer = if head.starts_with(b"GET /robots.txt") { robots } else { &answer };
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    Client::new(&LastfmSettings { url, ..LastfmSettings::default() }, None).unwrap()
}

#[tokio::test]
async fn a_connection_that_breaks_off_leaves_no_page() {
    let half = r#"<html><body><div class="col-main"><ol class="big-tags">"#;
    // Without a length nobody but the page itself can tell.
    let client = raw_server(format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{half}")).await;
    assert_eq!(client.page("A", "T").await.unwrap().outcome, PageOutcome::Unrecognised);
    let client = raw_server(format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{half}")).await;
    assert!(matches!(client.page("A", "T").await, Err(Error::Incomplete { .. })));
    let chunk = format!("{:x}\r\n{half}\r\n", half.len());
    let client = raw_server(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")).await;
    assert!(matches!(client.page("A", "T").await, Err(Error::Incomplete { .. })));
}

#[tokio::test]
async fn redirects_are_followed_within_the_site_and_not_with_the_key() {
    let server = Server::start(|path| {
        let to = |target: &str| (StatusCode::FOUND, [(header::LOCATION, target.to_owned())], "").into_response();
        match path {
            "/music/A/_/moved/+tags" => to("/music/A/_/here/+tags"),
            "/music/A/_/here/+tags" => TAGS.into_response(),
            "/music/A/_/away/+tags" => to("http://elsewhere.invalid/"),
            "/music/A/_/round/+tags" => to("/music/A/_/round/+tags"),
            api if api.starts_with("/2.0/") => to("/music/A/_/here/+tags"),
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
    let asked = server.paths().len();
    let answer = client.api("A", "T").await.unwrap();
    assert_eq!((answer.status, server.paths().len() - asked), (302, 1));
}

#[tokio::test]
async fn a_site_that_has_moved_is_named_with_the_setting() {
    let server = Server::start(|_| {
        (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "https://www.last.fm/robots.txt")], "").into_response()
    })
    .await;
    let error = server.client(None).page("A", "T").await.unwrap_err().to_string();
    assert!(error.starts_with("setting `lastfm.url`") && error.contains("redirects elsewhere"), "{error}");
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
    let client = Client::new(&LastfmSettings { url, ..LastfmSettings::default() }, None).unwrap();
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
    let refused = |settings: LastfmSettings, contact| Client::new(&settings, contact).err().unwrap().to_string();
    let url = |url: &str| LastfmSettings { url: url.into(), ..LastfmSettings::default() };
    assert!(refused(url("last.fm"), None).starts_with("setting `lastfm.url`"));
    assert!(refused(url("ftp://last.fm"), None).contains("neither http nor https"));
    assert!(refused(LastfmSettings::default(), Some("a\nb")).starts_with("setting `contact`"));
}
