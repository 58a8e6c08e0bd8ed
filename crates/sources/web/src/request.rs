//! One request and its whole response, within a size limit.

use std::time::Duration;

use model::explain;
use reqwest::{RequestBuilder, StatusCode};

use crate::retry_after;

/// Limit on pages and documents, 20 times the largest pages of last.fm.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

/// Limit on audio analyses: an hour of music takes some 10 MB.
pub const MAX_ANALYSIS_BYTES: usize = 32 << 20;

/// The response of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: StatusCode,
    /// The wait that it asks for, at most [`MAX_RETRY_AFTER`](crate::MAX_RETRY_AFTER).
    pub retry_after: Option<Duration>,
    /// The body, decompressed. If the status is not a success, it may be incomplete.
    pub body: Vec<u8>,
}

/// Why a request got no response, by what the caller can do about it. No message contains the URL, which may contain a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No connection could be made. That says nothing about the request itself.
    #[error("{at}: {cause}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// What happened.
        cause: String,
    },
    /// The response broke off or took too long: try again later.
    #[error("{0}")]
    Interrupted(String),
    /// The request cannot be sent, now or later.
    #[error("{0}")]
    InvalidRequest(String),
    /// The response is larger than anything that was asked for.
    #[error("it is larger than {} MB", .max_bytes >> 20)]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: usize,
    },
}

/// Sends a request and reads a response body of up to `max_bytes`, counted after decompression: a few hundred kB of gzip can
/// become more than fits into memory.
///
/// # Errors
/// If there is no complete response. A response with an error status is a response.
pub async fn send(request: RequestBuilder, max_bytes: usize) -> Result<Response, RequestError> {
    // Without the URL, which may contain a key.
    let (client, request) = request.build_split();
    let request = request.map_err(|error| RequestError::InvalidRequest(explain::root_cause(&error.without_url())))?;
    let url = request.url();
    let at = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let mut response = client.execute(request).await.map_err(|error| request_error(error, at))?;
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let mut body = Vec::new();
    if let Err(error) = read(&mut response, max_bytes, &mut body).await
        // The status and `Retry-After` of an error count even if its body cannot be read.
        && status.is_success()
    {
        return Err(error);
    }
    tracing::debug!(
        status = status.as_u16(),
        body_bytes = body.len(),
        path = response.url().path(),
        "received a response"
    );
    Ok(Response { status, retry_after, body })
}

fn request_error(error: reqwest::Error, at: String) -> RequestError {
    match (error.is_connect(), explain::root_cause(&error.without_url())) {
        (true, cause) => RequestError::Unreachable { at, cause },
        (false, cause) => RequestError::Interrupted(cause),
    }
}

async fn read(response: &mut reqwest::Response, max_bytes: usize, body: &mut Vec<u8>) -> Result<(), RequestError> {
    let interrupted = |error: reqwest::Error| RequestError::Interrupted(explain::root_cause(&error.without_url()));
    while let Some(part) = response.chunk().await.map_err(interrupted)? {
        if body.len() + part.len() > max_bytes {
            return Err(RequestError::TooLarge { max_bytes });
        }
        body.extend_from_slice(&part);
    }
    Ok(())
}
