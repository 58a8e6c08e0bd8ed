//! One request and its whole answer, within a limit of size.

use std::time::Duration;

use model::plain;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::retry_after;

/// The largest page or document that is taken, in bytes. The largest of last.fm's have some 200 kB.
pub const PAGE_BYTES: usize = 4 << 20;

/// The largest audio analysis that is taken, in bytes. That of an hour of music has some 10 MB.
pub const ANALYSIS_BYTES: usize = 32 << 20;

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The wait that it asks for, a day at most.
    pub retry_after: Option<Duration>,
    /// The body, unpacked; of an answer that says no perhaps only its beginning.
    pub body: Vec<u8>,
}

/// Why a request got no answer, by what the caller can do about it. No text holds the request's address, which may hold a
/// key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No connection came about, whatever is asked for: it says nothing about the request.
    #[error("{at}: {cause}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// What happened.
        cause: String,
    },
    /// Ask again later: it broke off, or came too slowly.
    #[error("{0}")]
    BrokenOff(String),
    /// The request cannot be made, now or later.
    #[error("{0}")]
    Unsendable(String),
    /// It is larger than anything that was asked for.
    #[error("it is larger than {} MB", .most_bytes >> 20)]
    TooLarge {
        /// How much is taken.
        most_bytes: usize,
    },
}

/// Makes a request, and takes up to `most_bytes` of the answer's body, counted after they are unpacked: some hundred kB of
/// gzip can become more than there is memory.
///
/// # Errors
/// Where no whole answer comes. One that says no is an answer.
pub async fn send(request: RequestBuilder, most_bytes: usize) -> Result<Answer, NoAnswer> {
    // Errors name the address, and with it the key.
    let (client, request) = request.build_split();
    let request = request.map_err(|error| NoAnswer::Unsendable(plain::root(&error.without_url())))?;
    let url = request.url();
    let at = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let mut answer = client.execute(request).await.map_err(|error| no_answer(error, at))?;
    let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
    let mut body = Vec::new();
    if let Err(error) = read(&mut answer, most_bytes, &mut body).await
        // What a service refuses, and until when, counts whatever becomes of its explanation.
        && status.is_success()
    {
        return Err(error);
    }
    tracing::debug!(
        status = status.as_u16(),
        body_bytes = body.len(),
        path = answer.url().path(),
        "a service answered"
    );
    Ok(Answer { status, retry_after, body })
}

fn no_answer(error: reqwest::Error, at: String) -> NoAnswer {
    match (error.is_connect(), plain::root(&error.without_url())) {
        (true, cause) => NoAnswer::Unreachable { at, cause },
        (false, cause) => NoAnswer::BrokenOff(cause),
    }
}

async fn read(answer: &mut Response, most_bytes: usize, body: &mut Vec<u8>) -> Result<(), NoAnswer> {
    let broken = |error: reqwest::Error| NoAnswer::BrokenOff(plain::root(&error.without_url()));
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if body.len() + part.len() > most_bytes {
            return Err(NoAnswer::TooLarge { most_bytes });
        }
        body.extend_from_slice(&part);
    }
    Ok(())
}
