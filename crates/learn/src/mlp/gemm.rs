//! Matrix products in f32, through the kernel that ndarray picks for this machine.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `into` = `left` · `right`.
pub(super) fn product(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, mut into: ArrayViewMut2<'_, f32>) {
    general_mat_mul(1.0, &left, &right, 0.0, &mut into);
}

/// `into` += `left` · `right`.
pub(super) fn add_product(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, mut into: ArrayViewMut2<'_, f32>) {
    general_mat_mul(1.0, &left, &right, 1.0, &mut into);
}

/// Name of the kernel that products go through on this machine. Machines with different names give networks that
/// differ in the last digits. The choice is that of `matrixmultiply`, which ndarray uses without its AVX-512 kernel.
pub fn kernel() -> &'static str {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        if std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2") {
            return "f32-fma";
        }
        if std::arch::is_x86_feature_detected!("avx") {
            return "f32-avx";
        }
    }
    if cfg!(target_arch = "aarch64") { "f32-neon" } else { "f32-plain" }
}
