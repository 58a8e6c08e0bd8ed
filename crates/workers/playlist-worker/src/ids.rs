//! Sets of ids in a fixed order, so that the keys of jobs made from them are the same each time.

use std::collections::BTreeSet;

use model::id::is_id;

/// Sorted, each once.
pub(crate) fn distinct(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Those of `ids` that are not among `known` (sorted).
pub(crate) fn without(ids: &[String], known: &[String]) -> Vec<String> {
    ids.iter().filter(|id| known.binary_search(id).is_err()).cloned().collect()
}

/// The ids of a job that something can be asked for by, and the others: anyone can publish a job. Those spoil only
/// themselves: they get a job of their own, which is dead, for it has no ids but such.
pub(crate) fn sound(ids: Vec<String>) -> (Vec<String>, Vec<String>) {
    distinct(ids).into_iter().partition(|id| is_id(id))
}
