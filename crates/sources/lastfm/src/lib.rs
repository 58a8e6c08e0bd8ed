#![doc = include_str!("../README.md")]

mod address;
mod api;
mod client;
mod error;
mod page;
mod robots;

pub use address::tags_url;
pub use api::{ApiOutcome, read_api};
pub use client::{Client, Response};
pub use error::Error;
pub use page::{PageOutcome, read_page};
