//! A faulty network: a proxy on loopback that cuts, refuses, swallows and delays.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the way to the server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// As it should be.
    #[default]
    Open,
    /// New connections are reset at once; existing ones go on.
    Refusing,
    /// Connections are taken and kept, and nothing passes. What was sent meanwhile arrives when it is open again.
    Silent,
    /// Every piece takes this long, in each direction.
    Slow(Duration),
}

/// A proxy before a server. Dropping it cuts all connections.
pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    /// Held by every connection.
    open: Arc<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    network: Network,
    /// How often everything was cut.
    cuts: u64,
}

impl Proxy {
    /// Starts a proxy on a free port of 127.0.0.1, before a server there that need not run yet.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn before(server: u16) -> io::Result<Self> {
        Self::before_host("127.0.0.1", server).await
    }

    /// The same before a server on any machine.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn before_host(host: &str, port: u16) -> io::Result<Self> {
        let server = (host.to_owned(), port);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, open) = (watch::Sender::default(), Arc::new(()));
        tokio::spawn(accept(listener, server, state.subscribe(), Arc::downgrade(&open)));
        Ok(Self { port, state, open })
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes the network so, for existing connections and new ones.
    pub fn set(&self, network: Network) {
        self.state.send_modify(|state| state.network = network);
    }

    /// Resets all connections: both ends see `ECONNRESET`, and what was under way is lost. Returns how many there were.
    pub fn cut(&self) -> usize {
        let connections = Arc::strong_count(&self.open) - 1;
        self.state.send_modify(|state| state.cuts += 1);
        connections
    }
}

/// Takes connections until the proxy is dropped.
async fn accept(listener: TcpListener, server: (String, u16), state: watch::Receiver<State>, open: Weak<()>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => if let (Ok((client, _)), Some(open)) = (accepted, open.upgrade()) {
                let connection = carry(client, server.clone(), state.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(open);
                });
            },
            () = dropped(state.clone()) => return,
        }
    }
}

async fn dropped(mut state: watch::Receiver<State>) {
    while state.changed().await.is_ok() {}
}

/// One connection, until one end closes it or it is cut.
async fn carry(mut client: TcpStream, server: (String, u16), mut state: watch::Receiver<State>) {
    let State { network, cuts } = *state.borrow_and_update();
    let server = match network {
        Network::Refusing => None,
        _ => TcpStream::connect(server).await.ok(),
    };
    let Some(mut server) = server else { return reset(client) };
    let [up, down] = [state.clone(), state.clone()];
    let closed = {
        // Small pieces must not wait for the acknowledgement of the one before.
        let _ = client.set_nodelay(true).and(server.set_nodelay(true));
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        tokio::select! {
            // Ends with an error when the proxy is dropped, which is a cut as well.
            _ = state.wait_for(|state| state.cuts != cuts) => false,
            closed = async { tokio::try_join!(pump(client_reads, server_writes, up), pump(server_reads, client_writes, down)) }
                => closed.is_ok(),
        }
    };
    if !closed {
        reset(client);
        reset(server);
    }
}

/// Passes on what is read, until the end of it.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        let passes = state.wait_for(|state| state.network != Network::Silent).await.map(|state| state.network);
        if let Ok(Network::Slow(delay)) = passes {
            tokio::time::sleep(delay).await;
        }
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// Closes a connection so that the other end sees an error rather than an end.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}
