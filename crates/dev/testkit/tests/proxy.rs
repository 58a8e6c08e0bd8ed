//! The faulty network, before a server that answers every byte with the same byte.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use testkit::{Network, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts the server; its port.
async fn echo() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reads, mut writes) = stream.split();
                tokio::io::copy(&mut reads, &mut writes).await
            });
        }
    });
    port
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap()
}

/// Sends bytes and reads as many.
async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes).await?;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn an_open_network_passes_everything_and_its_end() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    let mut stream = connect(&proxy).await;
    let long: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    let (mut reads, mut writes) = stream.split();
    let send = async {
        writes.write_all(&long).await.unwrap();
        writes.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(send, reads.read_to_end(&mut received));
    read.unwrap();
    assert!(received == long, "{} of {} bytes came back", received.len(), long.len());
}

#[tokio::test]
async fn a_cut_resets_every_connection_and_new_ones_work() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    let mut streams = [connect(&proxy).await, connect(&proxy).await];
    for stream in &mut streams {
        assert_eq!(exchange(stream, b"hello").await.unwrap(), b"hello");
    }
    assert_eq!(proxy.cut(), 2);
    for stream in &mut streams {
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(exchange(&mut connect(&proxy).await, b"again").await.unwrap(), b"again");
}

#[tokio::test]
async fn a_refusing_network_takes_nobody_new() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    let mut old = connect(&proxy).await;
    assert_eq!(exchange(&mut old, b"before").await.unwrap(), b"before");
    proxy.set(Network::Refusing);
    assert!(exchange(&mut connect(&proxy).await, b"new").await.is_err());
    assert_eq!(exchange(&mut old, b"old").await.unwrap(), b"old");
    proxy.set(Network::Open);
    assert_eq!(exchange(&mut connect(&proxy).await, b"open").await.unwrap(), b"open");
}

#[tokio::test]
async fn a_silent_network_loses_nothing() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    proxy.set(Network::Silent);
    let mut stream = connect(&proxy).await;
    let answer = exchange(&mut stream, b"hello");
    tokio::pin!(answer);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut answer).await.is_err());
    proxy.set(Network::Open);
    assert_eq!(answer.await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_slow_network_takes_its_time_in_each_direction() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    let delay = Duration::from_millis(60);
    proxy.set(Network::Slow(delay));
    let begin = Instant::now();
    assert_eq!(exchange(&mut connect(&proxy).await, b"hello").await.unwrap(), b"hello");
    assert!(begin.elapsed() >= delay * 2);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_reset_until_it_is_back() {
    let port = echo().await;
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::before(gone.local_addr().unwrap().port()).await.unwrap();
    drop(gone);
    assert!(exchange(&mut connect(&proxy).await, b"hello").await.is_err());
    let other = Proxy::before(port).await.unwrap();
    assert_eq!(exchange(&mut connect(&other).await, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_dropped_proxy_cuts_and_is_gone() {
    let proxy = Proxy::before(echo().await).await.unwrap();
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, b"hello").await.unwrap(), b"hello");
    let port = proxy.port();
    drop(proxy);
    assert!(stream.read_u8().await.is_err());
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
