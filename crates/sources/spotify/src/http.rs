//! Sends requests, and turns responses into errors.

use reqwest::{Client, RequestBuilder, Url};
use web::{Redirects, RequestError};

use crate::Error;

/// The base URL of a service.
pub(crate) fn base(text: &str) -> Result<Url, Error> {
    web::parse_url(text).map_err(|cause| Error::Setup(format!("not the URL of a web service: {cause}")))
}

/// An HTTP client for requests to `base`, which must be an `http` or `https` URL.
pub(crate) fn client(base: &str, contact: Option<&str>) -> Result<Client, Error> {
    // Every request contains a token or the app's secret.
    web::client(&self::base(base)?, contact, Redirects::Never).map_err(Error::Setup)
}

/// Sends a request for `what` and returns the body of a successful response, of up to `max_bytes`.
pub(crate) async fn send(request: RequestBuilder, what: &str, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let response = web::send(request, max_bytes).await.map_err(|error| match error {
        RequestError::Unreachable { .. } => Error::Unreachable { detail: error.to_string() },
        RequestError::Interrupted(detail) => Error::Unavailable { what: what.to_owned(), detail, after: None },
        RequestError::InvalidRequest(detail) => Error::Setup(format!("cannot send a request for {what}: {detail}")),
        RequestError::TooLarge { .. } => Error::unreadable(what, error),
    })?;
    if response.status.is_success() {
        return Ok(response.body);
    }
    Err(Error::from_response(what, response.status, response.retry_after, &response.body))
}
