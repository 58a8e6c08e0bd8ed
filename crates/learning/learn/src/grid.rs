//! Grids: TOML files that list the candidates of a search.
//!
//! Each table is named after its family and lists values of parameters by scikit-learn's names; a single value stands
//! for a list of one, and `"none"` for Python's `None`. The candidates of a table are the product of its lists, the last
//! parameter varying fastest, in the order of the file; `[[knn]]` in place of `[knn]` allows several products of one
//! family.
//!
//! ```
//! let candidates = learn::grid::read("[knn]\nn_neighbors = [3, 5]\nweights = [\"uniform\", \"distance\"]", &[])?;
//! assert_eq!(candidates.len(), 4);
//! # Ok::<(), learn::grid::GridError>(())
//! ```

use std::fmt;
use std::marker::PhantomData;

use model::explain::TomlExplainer;
use model::search::{Candidate, Params};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;

use crate::family;
use crate::params::ParamError;

/// A quick grid: a few dozen candidates of two families.
pub const QUICK: &str = include_str!("../grids/quick.toml");

/// The five tables of the original study: 11,274 candidates.
pub const STUDY: &str = include_str!("../grids/study.toml");

/// A few candidates of the small families: a single extra tree, neighbours within a radius, ridge regression.
pub const SMALL: &str = include_str!("../grids/small.toml");

/// What is wrong with a grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// At one place in the file.
    #[error("line {line}: {message}")]
    At {
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what is expected instead.
        message: String,
    },
    /// With the grid as a whole.
    #[error("{0}")]
    Whole(String),
    /// The caller chose a family that the grid does not have: the choice has to be changed, not the grid.
    #[error("the grid has no family `{family}`: it has {known}")]
    NoFamily {
        /// The family that was chosen.
        family: String,
        /// Those of the grid.
        known: String,
    },
}

/// The built-in grids with their names.
pub const BUILT_IN: [(&str, &str); 3] = [("quick", QUICK), ("study", STUDY), ("small", SMALL)];

/// The built-in grid of this name.
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// The candidates of a grid: of these families in this order, or of all in the order of the file. Parameters that the
/// grid leaves out have scikit-learn's defaults.
pub fn read(text: &str, families: &[String]) -> Result<Vec<Candidate>, GridError> {
    let line = |offset: usize| text[..offset].matches('\n').count() + 1;
    let grid: Grid = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        GridError::At { line: line(offset), message: syntax_message(text, offset, error.message()) }
    })?;
    let mut candidates = Vec::new();
    for (family, tables) in chosen_tables(&grid, families)? {
        for table in &tables.0 {
            let product = expand(family.get_ref(), table).map_err(|(parameter, message)| {
                let key = table.0.iter().map(|(name, _)| name).find(|name| Some(name.get_ref()) == parameter.as_ref());
                GridError::At { line: line(key.unwrap_or(family).span().start), message }
            })?;
            candidates.extend(product);
        }
    }
    if candidates.is_empty() {
        return Err(GridError::Whole("the grid is empty: it needs a table for a family, such as [knn]".into()));
    }
    Ok(candidates)
}

/// A message for a mistake in the TOML at this offset.
fn syntax_message(text: &str, offset: usize, toml_message: &str) -> String {
    let message = TomlExplainer { table: "knn", quotes_values: true }.explain(text, offset, toml_message);
    match message.strip_suffix("] appears twice") {
        Some(header) => format!("{message}: write [{header}]] each time to search several products of one family"),
        None => message,
    }
}

type Tables = OneOrMany<OrderedTable<Value>>;
type Grid = OrderedTable<Tables>;

/// The tables of these families, in this order; all tables where no family is given.
fn chosen_tables<'a>(grid: &'a Grid, families: &[String]) -> Result<Vec<&'a (Spanned<String>, Tables)>, GridError> {
    if families.is_empty() {
        return Ok(grid.0.iter().collect());
    }
    let find = |family: &String| {
        let found = grid.0.iter().find(|(name, _)| name.get_ref() == family);
        found.ok_or_else(|| {
            let names: Vec<&str> = grid.0.iter().map(|(name, _)| name.get_ref().as_str()).collect();
            GridError::NoFamily { family: family.clone(), known: names.join(", ") }
        })
    };
    families.iter().map(find).collect()
}

/// The product of a table's lists. The error names the parameter, where it is about one, and says what is wrong.
fn expand(family: &str, table: &OrderedTable<Value>) -> Result<Vec<Candidate>, (Option<String>, String)> {
    let mut points = vec![Params::new()];
    for (name, values) in &table.0 {
        let name = name.get_ref();
        let values = match values {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        if values.is_empty() {
            return Err((Some(name.clone()), format!("{family}: {name} has no values: leave it out for its default")));
        }
        // TOML has no null: serde_json reads nan and inf as null.
        if values.contains(&Value::Null) {
            return Err((Some(name.clone()), format!("{family}: {name} is nan or inf, expected a finite number")));
        }
        let with = |point: &Params, value: &Value| {
            let mut point = point.clone();
            point.insert(name.clone(), none_is_null(value));
            point
        };
        points = points.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect();
    }
    let complete = |point: &Params| {
        family::complete(family, point).map_err(|error| {
            let parameter = match &error {
                ParamError::UnknownFamily { .. } => None,
                ParamError::UnknownParameter { name, .. } => Some(name.clone()),
                ParamError::BadValue { name, .. } => Some((*name).to_owned()),
            };
            (parameter, error.to_string())
        })
    };
    points.iter().map(complete).collect()
}

fn none_is_null(value: &Value) -> Value {
    match value.as_str() {
        Some("none" | "None") => Value::Null,
        _ => value.clone(),
    }
}

/// A table in the order of the file, which TOML's own maps do not keep, with the positions of its keys.
struct OrderedTable<T>(Vec<(Spanned<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrderedTable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = OrderedTable<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderedTable<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(OrderedTable(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// `[name]` or `[[name]]`.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of a family, such as [knn]")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany<T>, A::Error> {
                Ok(OneOrMany(Vec::deserialize(SeqAccessDeserializer::new(seq))?))
            }
        }
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}
