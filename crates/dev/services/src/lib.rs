#![doc = include_str!("../README.md")]

mod broker;
mod folder;
mod greeting;
mod install;
mod ports;
mod process;
mod store;

pub use broker::Broker;
pub use folder::Folder;
pub use install::{install_broker, install_store, missing_broker, missing_store};
pub use ports::{Ports, free_port};
pub use store::StoreServer;
