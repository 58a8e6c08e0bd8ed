#![doc = include_str!("../README.md")]

mod accounts;
mod analysis;
mod artists;
mod auth;
mod batch;
mod client;
mod error;
mod features;
mod http;
mod ids;
mod json;
mod login;
mod playlist;
mod token_file;
mod tracks;

pub use analysis::read_analysis;
pub use client::Client;
pub use error::{Error, Unreadable};
pub use ids::{BadId, is_id, parse_playlist, parse_track};
pub use login::login;
pub use playlist::{Page, read_playlist_page};
pub use token_file::sign_in_file;
