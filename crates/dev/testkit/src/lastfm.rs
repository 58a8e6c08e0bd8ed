//! The last.fm stand-in: robots.txt, tag pages under `/music`, the API under `/2.0/`.

mod address;
mod api;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::oddities::{Answer, Capability};
use crate::shared::Shared;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/robots.txt", get(robots))
        .route("/music/{*rest}", get(tag_page))
        .route("/2.0", get(api::answer).post(api::answer_form))
        .route("/2.0/", get(api::answer).post(api::answer_form))
        .fallback(async || not_found())
}

async fn robots(State(shared): State<Arc<Shared>>) -> &'static str {
    match shared.schedule.forbids(Capability::Pages) {
        true => "User-agent: *\nDisallow: /music\n",
        false => "User-agent: *\nDisallow: /music/+noredirect/\nDisallow: /user/*/library\n\nAllow: /\n",
    }
}

/// The page is looked up by the address as it came: decoding by the framework would hide how it was encoded.
async fn tag_page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let asked = address::parse(uri.path());
    let song = asked.as_ref().and_then(|(artist, title)| shared.catalogue.page(artist, title));
    match (asked, song) {
        (Some((artist, title)), Some(song)) => Html(pages::tags(&artist, &title, &song.tags)).into_response(),
        _ => not_found(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Html(pages::not_found())).into_response()
}

/// The odd answers as last.fm gives them; those that only Spotify has become a 503.
pub(crate) fn odd_answer(answer: Answer) -> Response {
    match answer {
        Answer::TooManyRequests { retry_after_seconds } | Answer::QuotaExceeded { retry_after_seconds } => {
            let page = (StatusCode::TOO_MANY_REQUESTS, Html(pages::throttled()));
            ([(header::RETRY_AFTER, retry_after_seconds)], page).into_response()
        }
        // Status 200: only the page itself says that it is none.
        Answer::ThrottledPage => Html(pages::throttled()).into_response(),
        Answer::FirewallPage => (StatusCode::NOT_ACCEPTABLE, Html(pages::firewall())).into_response(),
        Answer::UnrecognisedPage => Html(pages::unrecognised()).into_response(),
        Answer::ApiError(code) => api::error(code),
        Answer::Unavailable | Answer::ExpiredToken | Answer::CutShort | Answer::Half => {
            (StatusCode::SERVICE_UNAVAILABLE, Html("<html><body><h1>503 Service Unavailable</h1></body></html>"))
                .into_response()
        }
    }
}
