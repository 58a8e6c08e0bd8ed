//! Warnings about selections that ask for more features than there are.

use model::search::Candidate;

use super::{Components, Selection};

/// A sentence for each selection that asks for more than `rows` (those of one fold's fit) of `features` provide, in the
/// order of the grid. Such a selection takes all there are.
pub fn warnings(candidates: &[Candidate], rows: usize, features: usize) -> Vec<String> {
    let mut sentences = Vec::new();
    for candidate in candidates {
        let selection = Selection::split(&candidate.params).ok().and_then(|(selection, _)| selection);
        if let Some(sentence) = selection.and_then(|selection| warning(selection, rows, features))
            && !sentences.contains(&sentence)
        {
            sentences.push(sentence);
        }
    }
    sentences
}

fn warning(selection: Selection, rows: usize, features: usize) -> Option<String> {
    let best = |method: &str, k: u32| {
        let asks_for_more = k as usize > features;
        asks_for_more.then(|| format!("select: {method} with k = {k} takes all features: there are {features}"))
    };
    match selection {
        Selection::Anova { k } => best("anova", k),
        Selection::MutualInfo { k } => best("mutual_info", k),
        Selection::TreeImportance { k, .. } => best("tree_importance", k),
        Selection::Pca { n_components: Components::Count(count) } if count as usize > rows.min(features) => {
            Some(format!(
                "select: pca with n_components = {count} makes {} at most: so many have {rows} rows of {features} features",
                rows.min(features)
            ))
        }
        Selection::Pca { .. } | Selection::Variance { .. } => None,
    }
}
