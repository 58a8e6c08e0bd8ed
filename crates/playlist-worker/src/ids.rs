//! Sets of ids in a fixed order, so that the keys of jobs made from them are the same each time.

use std::collections::BTreeSet;

use worker::Failure;

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
pub(crate) fn sound(ids: Vec<String>) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (sound, odd): (Vec<String>, Vec<String>) = distinct(ids).into_iter().partition(|id| spotify::is_id(id));
    match odd.first() {
        Some(first) if sound.is_empty() => {
            let first: String = first.chars().take(100).collect();
            let others = if odd.len() > 1 { format!(", nor are {} others", odd.len() - 1) } else { String::new() };
            Err(Failure::dead(format!("{first:?} is no Spotify id (22 letters and digits){others}")))
        }
        _ => Ok((sound, odd)),
    }
}
