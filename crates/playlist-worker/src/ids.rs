//! Sets of ids in a fixed order, so that the keys of jobs made from them are the same each time.

use std::collections::BTreeSet;

/// Sorted, each once.
pub(crate) fn distinct(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Those of `ids` that are not among `known` (sorted).
pub(crate) fn without(ids: &[String], known: &[String]) -> Vec<String> {
    ids.iter().filter(|id| known.binary_search(id).is_err()).cloned().collect()
}
