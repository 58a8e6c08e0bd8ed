#![doc = include_str!("../README.md")]

mod retry_after;

pub use retry_after::{LONGEST_WAIT, retry_after};
