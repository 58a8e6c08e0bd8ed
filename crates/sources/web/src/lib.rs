#![doc = include_str!("../README.md")]

mod answer;
mod pool;
mod retry_after;
#[cfg(test)]
mod tests;

pub use answer::{ANALYSIS_BYTES, Answer, NoAnswer, PAGE_BYTES, send};
pub use pool::{AGENT, Redirects, address, pool};
pub use retry_after::{LONGEST_WAIT, retry_after};
