//! Requests to misbehaving servers on loopback.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{StatusCode, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Timeouts, client_with_timeouts};
use crate::{MAX_PAGE_BYTES, Redirects, RequestError, Response, client, send};

/// A server that handles each connection with `response`, given the requested path; and the number of requests so far.
async fn server<F>(response: impl Fn(String, TcpStream) -> F + Send + 'static) -> (Url, Arc<AtomicUsize>)
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
            count.fetch_add(1, Ordering::SeqCst);
            let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
            tokio::spawn(response(path, stream));
        }
    });
    (url, asked)
}

/// A server that sends these bytes as its response.
async fn sends(bytes: Vec<u8>) -> Url {
    let response = move |_, mut stream: TcpStream| {
        let bytes = bytes.clone();
        async move { stream.write_all(&bytes).await }
    };
    server(response).await.0
}

fn complete(body: &[u8]) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}

async fn ask(url: Url, redirects: Redirects) -> Result<Response, RequestError> {
    send(client(&url, None, redirects).unwrap().get(url), MAX_PAGE_BYTES).await
}

/// With one second for the whole request.
async fn ask_with_short_timeout(url: Url) -> Result<Response, RequestError> {
    let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
    let client = client_with_timeouts(&url, None, Redirects::Never, timeouts).unwrap();
    let response = send(client.get(url), MAX_PAGE_BYTES);
    tokio::time::timeout(Duration::from_secs(20), response).await.expect("it is given up long before")
}

const TOO_LARGE: RequestError = RequestError::TooLarge { max_bytes: MAX_PAGE_BYTES };

#[tokio::test]
async fn a_body_is_taken_up_to_the_limit_and_no_further() {
    let largest = ask(sends(complete(&vec![b'x'; MAX_PAGE_BYTES])).await, Redirects::Never).await.unwrap();
    assert_eq!((largest.status.as_u16(), largest.body.len()), (200, MAX_PAGE_BYTES));
    let larger = ask(sends(complete(&vec![b'x'; MAX_PAGE_BYTES + 1])).await, Redirects::Never).await;
    assert_eq!(larger, Err(TOO_LARGE));
}

#[tokio::test]
async fn a_refusal_counts_whatever_becomes_of_its_explanation() {
    let refusal = |length, body: &[u8]| {
        let head = format!("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    for response in [refusal(MAX_PAGE_BYTES + 1, &vec![b'x'; MAX_PAGE_BYTES + 1]), refusal(1_000, b"half")] {
        let response = ask(sends(response).await, Redirects::Never).await.unwrap();
        let seven_seconds = Some(Duration::from_secs(7));
        assert_eq!((response.status, response.retry_after), (StatusCode::TOO_MANY_REQUESTS, seven_seconds));
        assert!(response.body.len() <= MAX_PAGE_BYTES);
    }
}

#[tokio::test]
async fn a_bomb_of_gzip_is_measured_by_what_it_becomes() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..256).for_each(|_| packed.write_all(&zeros).unwrap());
    let packed = packed.finish().unwrap();
    assert!(packed.len() < MAX_PAGE_BYTES / 8, "{} bytes of gzip", packed.len());
    let mut response =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len()).into_bytes();
    response.extend(packed);
    assert_eq!(ask(sends(response).await, Redirects::Never).await, Err(TOO_LARGE));
}

#[tokio::test]
async fn a_body_without_an_end_is_given_up() {
    let endless = |_, mut stream: TcpStream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
        let chunk = [format!("{:x}\r\n", 1 << 16).as_bytes(), &[b'x'; 1 << 16], b"\r\n"].concat();
        loop {
            stream.write_all(&chunk).await?;
        }
    };
    assert_eq!(ask(server(endless).await.0, Redirects::Never).await, Err(TOO_LARGE));
}

#[tokio::test]
async fn a_server_that_drips_or_says_nothing_is_given_up_and_to_be_asked_again() {
    let drips = |_, mut stream: TcpStream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await?;
        loop {
            stream.write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let silent = |_, stream: TcpStream| async move {
        let _held = stream;
        std::future::pending().await
    };
    for url in [server(drips).await.0, server(silent).await.0] {
        let given_up = ask_with_short_timeout(url).await;
        assert!(matches!(given_up, Err(RequestError::Interrupted(_))), "{given_up:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_apart_and_no_text_holds_the_key() {
    let at = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{at}/2.0/?api_key=s3cret")).unwrap();
    let nobody = ask(url, Redirects::Never).await.unwrap_err();
    assert!(matches!(&nobody, RequestError::Unreachable { at: seen, .. } if *seen == at.to_string()), "{nobody:?}");
    let mut broken = sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()).await;
    broken.set_query(Some("api_key=s3cret"));
    let broken = ask(broken, Redirects::Never).await.unwrap_err();
    for error in [nobody, broken] {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

/// A site that redirects from `/round` to itself, and from all other paths to `target`, except `/there`, which is a page.
async fn redirecting(target: String) -> (Url, Arc<AtomicUsize>) {
    server(move |path, mut stream: TcpStream| {
        let to = if path == "/round" { path.clone() } else { target.clone() };
        async move {
            let found =
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let page = complete(b"a page");
            stream.write_all(if path == "/there" { &page } else { found.as_bytes() }).await
        }
    })
    .await
}

#[tokio::test]
async fn redirects_are_followed_within_the_site_and_never_with_a_secret() {
    let (site, asked) = redirecting("/there".into()).await;
    assert_eq!(ask(site.clone(), Redirects::WithinSite).await.unwrap().body, b"a page");
    assert_eq!(asked.swap(0, Ordering::SeqCst), 2);
    assert_eq!(ask(site.clone(), Redirects::Never).await.unwrap().status, StatusCode::FOUND);
    assert_eq!(asked.swap(0, Ordering::SeqCst), 1);
    let round = ask(site.join("/round").unwrap(), Redirects::WithinSite).await.unwrap();
    assert_eq!((round.status, asked.load(Ordering::SeqCst)), (StatusCode::FOUND, 6));
}

#[tokio::test]
async fn a_redirect_to_another_host_port_or_scheme_is_the_answer() {
    let (elsewhere, visits) = redirecting("/there".into()).await;
    let port = elsewhere.port().unwrap();
    for foreign in [
        elsewhere.to_string(),
        format!("http://localhost:{port}/there"),
        format!("https://127.0.0.1:{port}/there"),
        format!("//localhost:{port}/there"),
    ] {
        let (site, asked) = redirecting(foreign.clone()).await;
        let response = ask(site, Redirects::WithinSite).await.unwrap();
        assert_eq!((response.status, asked.load(Ordering::SeqCst)), (StatusCode::FOUND, 1), "{foreign}");
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}
