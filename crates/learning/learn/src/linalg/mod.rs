//! Dense linear algebra in f64 whose results are the same bits on every machine.

mod cholesky;
mod eigen;
mod products;

pub(crate) use cholesky::Cholesky;
pub(crate) use eigen::Eigen;
pub(crate) use products::{matrix_product, self_products, transposed};
