//! The answer to a request for many things.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Unreadable, json};

/// What an answer says of the things that were asked for, matched by their ids: not all lists have everything in its place.
pub(crate) struct Batch {
    objects: HashMap<String, Value>,
    /// Whether the list has a null for each thing without an object: only then is certain whose they are.
    tells_unknown: bool,
}

impl Batch {
    /// Reads the list `field` of an answer to a request for `ids`.
    pub(crate) fn read(bytes: &[u8], field: &str, ids: &[String]) -> Result<Self, Unreadable> {
        let mut document = json::read(bytes)?;
        let Some(Value::Array(answers)) = document.get_mut(field).map(Value::take) else {
            return Err(Unreadable(format!("it has no list `{field}`")));
        };
        let nulls = answers.iter().filter(|answer| answer.is_null()).count();
        let with_id = |answer: Value| Some((answer["id"].as_str()?.to_owned(), answer));
        let objects: HashMap<String, Value> = answers.into_iter().filter_map(with_id).collect();
        let absent = ids.iter().filter(|id| !objects.contains_key(*id)).count();
        Ok(Self { objects, tells_unknown: nulls >= absent })
    }

    /// The object of one thing; null where Spotify has none, `None` where the answer does not speak of it.
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).or(self.tells_unknown.then_some(&Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a list says of a, b and c: `+` an object, `0` none, `?` nothing.
    fn said(list: Value) -> String {
        let ids = ["a", "b", "c"].map(str::to_owned);
        let batch = Batch::read(json!({ "list": list }).to_string().as_bytes(), "list", &ids).unwrap();
        let of = |id: &String| batch.get(id).map_or('?', |answer| if answer.is_null() { '0' } else { '+' });
        ids.iter().map(of).collect()
    }

    #[test]
    fn objects_are_matched_by_id_and_nulls_only_where_they_are_all_told() {
        let object = |id: &str| json!({ "id": id });
        assert_eq!(said(json!([object("c"), object("a"), object("b")])), "+++");
        assert_eq!(said(json!([null, object("a"), null])), "+00");
        assert_eq!(said(json!([object("b")])), "?+?", "a list that is too short");
        assert_eq!(said(json!([object("b"), null])), "?+?", "whose is it?");
        assert_eq!(said(json!([object("a"), {"no": "id"}, "text"])), "+??");
        assert_eq!(said(json!([])), "???");
        for no_list in ["{}", "null", "[]", "{\"list\": null}", "{\"list\": {}}"] {
            assert!(Batch::read(no_list.as_bytes(), "list", &[]).is_err(), "{no_list}");
        }
    }
}
