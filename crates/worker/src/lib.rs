#![doc = include_str!("../README.md")]

mod budget;
mod failure;
mod handler;
mod home;

pub use budget::Budgets;
pub use failure::Failure;
pub use handler::{Context, Handler};
pub use home::Home;
