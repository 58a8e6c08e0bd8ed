#![doc = include_str!("../README.md")]

mod client;
mod request;
mod retry_after;
#[cfg(test)]
mod tests;

pub use client::{PRODUCT_TOKEN, Redirects, client, parse_url};
pub use request::{MAX_ANALYSIS_BYTES, MAX_PAGE_BYTES, RequestError, Response, send};
pub use retry_after::{MAX_RETRY_AFTER, retry_after};
