//! Responses to requests for many items.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Unreadable, json};

/// The items of a response, matched by id: the list may be incomplete or in another order.
pub(crate) struct Batch {
    objects: HashMap<String, Value>,
    /// Whether the list has a null for every item without an object: only then it is certain which items they stand for.
    nulls_are_complete: bool,
}

impl Batch {
    /// Reads the list `field` of a response to a request for `ids`.
    pub(crate) fn read(bytes: &[u8], field: &str, ids: &[String]) -> Result<Self, Unreadable> {
        let mut document = json::read(bytes)?;
        let Some(Value::Array(items)) = document.get_mut(field).map(Value::take) else {
            return Err(Unreadable(format!("it has no list `{field}`")));
        };
        let nulls = items.iter().filter(|item| item.is_null()).count();
        let with_id = |item: Value| Some((item["id"].as_str()?.to_owned(), item));
        let objects: HashMap<String, Value> = items.into_iter().filter_map(with_id).collect();
        let absent = ids.iter().filter(|id| !objects.contains_key(*id)).count();
        Ok(Self { objects, nulls_are_complete: nulls >= absent })
    }

    /// The object of one item; null if Spotify has none, `None` if the response does not cover it.
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).or(self.nulls_are_complete.then_some(&Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a list says about a, b and c: `+` an object, `0` Spotify has none, `?` not covered.
    fn said(list: Value) -> String {
        let ids = ["a", "b", "c"].map(str::to_owned);
        let batch = Batch::read(json!({ "list": list }).to_string().as_bytes(), "list", &ids).unwrap();
        let symbol = |id: &String| batch.get(id).map_or('?', |item| if item.is_null() { '0' } else { '+' });
        ids.iter().map(symbol).collect()
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
