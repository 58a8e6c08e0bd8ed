#![doc = include_str!("../README.md")]

mod catalogue;
mod lastfm;
mod oddities;
mod proxy;
mod random;
mod real_data;
mod sample;
mod server;
mod shared;
mod spotify;
mod stage;
mod table;
mod test_server;

pub use catalogue::{Catalogue, Expected};
pub use oddities::{Answer, Capability, Event, Oddities, Service, When};
pub use proxy::{Network, Proxy};
pub use real_data::{pandas, real_data};
pub use server::serve;
pub use shared::{CLIENT_ID, CLIENT_SECRET, LASTFM_API_KEY, Request};
pub use stage::Stage;
pub use table::{Column, SCALAR_COLUMNS, TableError};
pub use test_server::test_server;
