//! How a request is made, and which error an answer is.

use reqwest::{Client, RequestBuilder, Url};
use web::{NoAnswer, Redirects};

use crate::Error;

/// The address that all requests to a service begin with.
pub(crate) fn base(text: &str) -> Result<Url, Error> {
    web::address(text).map_err(|cause| Error::Setup(format!("no address of a web service: {cause}")))
}

/// A connection pool for requests to `base`, which must be an `http` or `https` address.
pub(crate) fn pool(base: &str, contact: Option<&str>) -> Result<Client, Error> {
    // Every request holds a token or the app's secret.
    web::pool(&self::base(base)?, contact, Redirects::Never).map_err(Error::Setup)
}

/// Makes a request for `what` and returns the body of a good answer, of up to `most_bytes`.
pub(crate) async fn send(request: RequestBuilder, what: &str, most_bytes: usize) -> Result<Vec<u8>, Error> {
    let answer = web::send(request, most_bytes).await.map_err(|error| match error {
        NoAnswer::Unreachable { .. } => Error::Unreachable { detail: error.to_string() },
        NoAnswer::BrokenOff(detail) => Error::Unavailable { what: what.to_owned(), detail, after: None },
        NoAnswer::Unsendable(detail) => Error::Setup(format!("no request for {what} can be made: {detail}")),
        NoAnswer::TooLarge { .. } => Error::unreadable(what, error),
    })?;
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    Err(Error::of_answer(what, answer.status, answer.retry_after, &answer.body))
}
