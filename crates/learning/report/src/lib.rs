#![doc = include_str!("../README.md")]

mod figures;
mod input;
mod page;
mod stats;
mod svg;
mod verdict;
mod words;

pub use input::Input;
pub use page::render;
pub use verdict::Verdict;
pub use words::{Words, differing, is_collected, thousands};
