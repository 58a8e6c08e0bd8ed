//! The cost of a selection and the number of features it passes on, for [`crate::plan`].

use super::{Components, Selection};
use crate::family::FitSize;
use crate::tree::{TreeFamily, TreeParams};

impl Selection {
    /// The most of `features` features that it passes on.
    pub(crate) fn selected(self, features: usize) -> usize {
        match self {
            Self::Anova { k: count }
            | Self::MutualInfo { k: count }
            | Self::TreeImportance { k: count, .. }
            | Self::Pca { n_components: Components::Count(count) } => features.min(count as usize),
            Self::Variance { .. } | Self::Pca { n_components: Components::Share(_) } => features,
        }
    }

    /// Estimated seconds to fit it on one core. The factors are round numbers of nanoseconds: a plan needs the order of
    /// magnitude.
    pub(crate) fn seconds(self, size: FitSize) -> f64 {
        let FitSize { rows, features, labels, .. } = size;
        let values = rows as f64 * features as f64;
        match self {
            Self::Variance { .. } => values * 10e-9,
            Self::Anova { .. } => values * (10.0 + labels as f64) * 1e-9,
            Self::MutualInfo { .. } => values * (100.0 + 2.0 * labels as f64) * 1e-9,
            Self::TreeImportance { .. } => TreeParams::new(TreeFamily::ExtraTrees).seconds(size).shared,
            Self::Pca { .. } => {
                let shorter = rows.min(features) as f64;
                shorter * values * 0.1e-9 + shorter.powi(3) * 5e-9
            }
        }
    }
}
