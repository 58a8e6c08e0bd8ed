//! How a request is made: time limits, the name we go by, and which error an answer is.

use std::time::Duration;

use model::plain;
use model::settings::without_credentials;
use reqwest::{RequestBuilder, Url};
use web::retry_after;

use crate::Error;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE_REQUEST: Duration = Duration::from_secs(30);

/// The address that all requests to a service begin with.
pub(crate) fn base(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Error::Setup(format!("`{}` is no address of a web service", without_credentials(text))))
}

/// A connection pool for requests to `base`, which must be an `http` or `https` address.
pub(crate) fn pool(base: &str, contact: Option<&str>) -> Result<reqwest::Client, Error> {
    let url = self::base(base)?;
    let contact = contact.map_or_else(String::new, |contact| format!(" (+{contact})"));
    let name = format!("spotif-ai/{}{contact}", env!("CARGO_PKG_VERSION"));
    let mut builder = reqwest::Client::builder().user_agent(name).connect_timeout(CONNECT).timeout(WHOLE_REQUEST);
    // A stand-in on this machine is out of the reach of the proxy that the environment may name.
    if matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::Setup(format!("no requests can be made: {}", plain::root(&error))))
}

/// Makes a request for `what` and returns the body of a good answer.
pub(crate) async fn send(request: RequestBuilder, what: &str) -> Result<Vec<u8>, Error> {
    let unavailable = |detail| Error::Unavailable { what: what.to_owned(), detail, after: None };
    let answer =
        request.send().await.map_err(|error| match (error.is_connect(), plain::root(&error.without_url())) {
            (true, detail) => Error::Unreachable { detail },
            (false, detail) => unavailable(detail),
        })?;
    let (status, after) = (answer.status(), retry_after(answer.headers()));
    let body = answer.bytes().await.map_err(|error| unavailable(plain::root(&error.without_url())))?;
    if status.is_success() { Ok(body.into()) } else { Err(Error::of_answer(what, status, after, &body)) }
}
