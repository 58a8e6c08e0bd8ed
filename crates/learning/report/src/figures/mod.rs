//! The figures, one kind per file.

mod bars;
mod boxes;
mod confusion;
mod heatmap;
mod losses;

pub use bars::bars;
pub use boxes::{BoxRow, boxes};
pub use confusion::confusion;
pub use heatmap::{heatmap, legend};
pub use losses::losses;
