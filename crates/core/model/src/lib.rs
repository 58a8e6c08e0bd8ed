#![doc = include_str!("../README.md")]

pub mod analysis;
pub mod audio;
pub mod dataset;
pub mod explain;
pub mod fleet;
pub mod id;
pub mod job;
pub mod run;
pub mod search;
pub mod settings;
pub mod tag;
pub mod terminal;
pub mod time;
pub mod track;

pub use time::Timestamp;
