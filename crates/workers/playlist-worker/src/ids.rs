//! Sets of ids in a fixed order, so that jobs made from them always have the same keys.

use std::collections::BTreeSet;

use model::id::is_id;

/// Sorted and without duplicates.
pub(crate) fn distinct(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Those of `ids` that are not among `known` (sorted).
pub(crate) fn without(ids: &[String], known: &[String]) -> Vec<String> {
    ids.iter().filter(|id| known.binary_search(id).is_err()).cloned().collect()
}

/// Splits the ids of a job into well-formed and malformed ones, since anyone can publish a job. The malformed ones get a job of
/// their own, which fails permanently, so that they do not spoil the others.
pub(crate) fn split_malformed(ids: Vec<String>) -> (Vec<String>, Vec<String>) {
    distinct(ids).into_iter().partition(|id| is_id(id))
}
