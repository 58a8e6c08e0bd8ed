//! How a request is made, and which error an answer is.

use reqwest::{Client, RequestBuilder, Url};
use web::{RequestError, Redirects};

use crate::Error;

/// The address that all requests to a service begin with.
pub(crate) fn base(text: &str) -> Result<Url, Error> {
    web::parse_url(text).map_err(|cause| Error::Setup(format!("no address of a web service: {cause}")))
}

/// A connection pool for requests to `base`, which must be an `http` or `https` address.
pub(crate) fn pool(base: &str, contact: Option<&str>) -> Result<Client, Error> {
    // Every request holds a token or the app's secret.
    web::client(&self::base(base)?, contact, Redirects::Never).map_err(Error::Setup)
}

/// Makes a request for `what` and returns the body of a good answer, of up to `max_bytes`.
pub(crate) async fn send(request: RequestBuilder, what: &str, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let answer = web::send(request, max_bytes).await.map_err(|error| match error {
        RequestError::Unreachable { .. } => Error::Unreachable { detail: error.to_string() },
        RequestError::Interrupted(detail) => Error::Unavailable { what: what.to_owned(), detail, after: None },
        RequestError::InvalidRequest(detail) => Error::Setup(format!("no request for {what} can be made: {detail}")),
        RequestError::TooLarge { .. } => Error::unreadable(what, error),
    })?;
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    Err(Error::of_answer(what, answer.status, answer.retry_after, &answer.body))
}
