//! What a selection costs, and how much it leaves to the family behind it; see [`crate::plan`].

use super::{Components, Selection};
use crate::family::FitSize;
use crate::tree::{TreeFamily, TreeParams};

impl Selection {
    /// How many of `features` features it leaves, at most.
    pub(crate) fn selected(self, features: usize) -> usize {
        match self {
            Self::Anova { k: count }
            | Self::MutualInfo { k: count }
            | Self::TreeImportance { k: count, .. }
            | Self::Pca { n_components: Components::Count(count) } => features.min(count as usize),
            Self::Variance { .. } | Self::Pca { n_components: Components::Share(_) } => features,
        }
    }

    /// Rough seconds that fitting it takes on one core.
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
