//! Looking up ids by prefix, so that people need not type them in full.

use crate::error::usage;

/// Ids listed in the error for an ambiguous prefix.
const MAX_LISTED: usize = 5;

/// Finds the item whose id equals `id`, or else the only one whose id begins with it.
///
/// # Errors
/// No id, or more than one, begins with it. The message uses `noun` for the item and names `list_command`.
pub fn find<'a, T>(
    noun: &str,
    list_command: &str,
    items: &'a [T],
    id: &str,
    id_of: impl Fn(&T) -> &str,
) -> anyhow::Result<&'a T> {
    if let Some(exact) = items.iter().find(|item| id_of(item) == id) {
        return Ok(exact);
    }
    let matches: Vec<&T> = items.iter().filter(|item| !id.is_empty() && id_of(item).starts_with(id)).collect();
    match matches.as_slice() {
        [item] => Ok(item),
        [] => Err(usage(format!("no {noun} `{id}`; `spotifai {list_command}` lists all ids"))),
        several => {
            let mut listed: Vec<&str> = several.iter().take(MAX_LISTED).map(|item| id_of(item)).collect();
            listed.extend((several.len() > MAX_LISTED).then_some("…"));
            let (count, listed) = (several.len(), listed.join(", "));
            Err(usage(format!("`{id}` matches {count} ids: use more characters ({listed})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_prefix_is_enough() {
        let found = |id: &str| {
            let ids = ["ab12", "ab1", "cd", "ab3", "ab4", "ab5", "ab6"];
            find("dead job", "dead list", &ids, id, |id| id).copied().map_err(|error| error.to_string())
        };
        assert_eq!((found("c"), found("ab1"), found("ab12")), (Ok("cd"), Ok("ab1"), Ok("ab12")));
        let several = "`ab` matches 6 ids: use more characters (ab12, ab1, ab3, ab4, ab5, …)";
        assert_eq!(found("ab"), Err(several.to_owned()));
        for unknown in ["x", "", "ab123"] {
            assert_eq!(found(unknown), Err(format!("no dead job `{unknown}`; `spotifai dead list` lists all ids")));
        }
    }
}
