//! Ids as people type them: their beginning is enough.

use crate::error::usage;

/// Ids that are named where several begin alike.
const MOST_NAMED: usize = 5;

/// The one of `all` whose id is this, or the only one whose id begins so.
///
/// # Errors
/// There is none, or there are several: `what` they are and which; `list` is the command that shows them.
pub fn find<'a, T>(
    what: &str,
    list: &str,
    all: &'a [T],
    id: &str,
    id_of: impl Fn(&T) -> &str,
) -> anyhow::Result<&'a T> {
    if let Some(exact) = all.iter().find(|one| id_of(one) == id) {
        return Ok(exact);
    }
    let alike: Vec<&T> = all.iter().filter(|one| !id.is_empty() && id_of(one).starts_with(id)).collect();
    match alike.as_slice() {
        [one] => Ok(one),
        [] => Err(usage(format!("there is no {what} `{id}`; `spotifai {list}` shows all ids"))),
        several => {
            let mut named: Vec<&str> = several.iter().take(MOST_NAMED).map(|one| id_of(one)).collect();
            named.extend((several.len() > MOST_NAMED).then_some("…"));
            let (count, named) = (several.len(), named.join(", "));
            Err(usage(format!("`{id}` is the beginning of {count} ids: say more of it ({named})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_enough_where_it_is_one_things() {
        let found = |id: &str| {
            let all = ["ab12", "ab1", "cd", "ab3", "ab4", "ab5", "ab6"];
            find("dead job", "dead list", &all, id, |id| id).copied().map_err(|error| error.to_string())
        };
        assert_eq!((found("c"), found("ab1"), found("ab12")), (Ok("cd"), Ok("ab1"), Ok("ab12")));
        let several = "`ab` is the beginning of 6 ids: say more of it (ab12, ab1, ab3, ab4, ab5, …)";
        assert_eq!(found("ab"), Err(several.to_owned()));
        for none in ["x", "", "ab123"] {
            assert_eq!(found(none), Err(format!("there is no dead job `{none}`; `spotifai dead list` shows all ids")));
        }
    }
}
