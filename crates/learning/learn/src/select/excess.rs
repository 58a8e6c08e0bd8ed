//! Selections that ask for more than there is.

use model::search::Candidate;

use super::{Components, Selection};

/// What to tell a person of the settings that select more than `rows` (those of a fold's fit) of `features` have: they take
/// all. A sentence for each such selection, in the order of the grid.
pub fn excesses(settings: &[Candidate], rows: usize, features: usize) -> Vec<String> {
    let mut sentences = Vec::new();
    for setting in settings {
        let selection = Selection::split(&setting.params).ok().and_then(|(selection, _)| selection);
        if let Some(sentence) = selection.and_then(|selection| excess(selection, rows, features))
            && !sentences.contains(&sentence)
        {
            sentences.push(sentence);
        }
    }
    sentences
}

fn excess(selection: Selection, rows: usize, features: usize) -> Option<String> {
    let best = |method: &str, k: u32| {
        let is_more = k as usize > features;
        is_more.then(|| format!("select: {method} with k = {k} takes all features: there are {features}"))
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
