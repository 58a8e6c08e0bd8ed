//! Ports for servers.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

/// Below the range of ports for outgoing connections, so that a port that is free now will still be free in a moment.
const PORT_RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Which ports a server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// The usual ones, if they are free.
    Usual,
    /// Others, so that several servers can run side by side.
    Free,
}

impl Ports {
    pub(crate) fn choose(self, usual: u16) -> anyhow::Result<u16> {
        if self == Self::Usual && is_free(usual) {
            return Ok(usual);
        }
        // A different place in each process: test runs start side by side.
        let start = RandomState::new().hash_one(usual);
        let size = u64::from(PORT_RANGE.end - PORT_RANGE.start);
        let mut candidates = (0..size).map(|step| PORT_RANGE.start + ((start.wrapping_add(step)) % size) as u16);
        candidates.find(|port| is_free(*port)).context("no port is free on 127.0.0.1")
    }
}

/// A free port of 127.0.0.1, for any server.
///
/// # Errors
/// If all are taken.
pub fn free_port() -> anyhow::Result<u16> {
    Ports::Free.choose(0)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
