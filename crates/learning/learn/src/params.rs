//! Parameters of a family: which there are, what they may be, and what they are when nobody says.

use model::search::Params;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One parameter of a family, by scikit-learn's name.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// scikit-learn's default, as JSON.
    pub default: &'static str,
    /// What it may be, for people.
    pub allowed: &'static str,
}

/// A setting that is not one: which family, which parameter, what was given and what may be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamError {
    /// There is no such family.
    #[error("there is no family `{family}`: the families are {known}")]
    UnknownFamily {
        /// As given.
        family: String,
        /// Those there are.
        known: String,
    },
    /// The family has no such parameter.
    #[error("{family} has no parameter `{name}`: it has {known}")]
    UnknownParameter {
        /// Family.
        family: &'static str,
        /// As given.
        name: String,
        /// Those it has.
        known: String,
    },
    /// The parameter cannot be this.
    #[error("{family}: {name} cannot be {value}: it is {allowed}")]
    BadValue {
        /// Family.
        family: &'static str,
        /// Parameter.
        name: &'static str,
        /// As given, as JSON.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
}

/// The parameters of one setting while they are read.
pub(crate) struct Fields {
    family: &'static str,
    known: &'static [Parameter],
    complete: Params,
}

impl Fields {
    /// Completes what is given by the defaults; refuses parameters that the family does not have.
    pub(crate) fn new(family: &'static str, known: &'static [Parameter], given: &Params) -> Result<Self, ParamError> {
        let default = |of: &Parameter| serde_json::from_str(of.default).expect("defaults are JSON");
        let mut complete: Params = known.iter().map(|of| (of.name.to_owned(), default(of))).collect();
        for (name, value) in given {
            match complete.get_mut(name) {
                Some(slot) => *slot = value.clone(),
                None => return Err(unknown(family, known, name)),
            }
        }
        Ok(Self { family, known, complete })
    }

    /// Reads one parameter.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, ParamError> {
        let value = self.complete.get(name).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|_| bad_value(self.family, self.known, name, value))
    }

    /// Every parameter the family has.
    pub(crate) fn complete(self) -> Params {
        self.complete
    }
}

fn unknown(family: &'static str, known: &[Parameter], name: &str) -> ParamError {
    let names: Vec<&str> = known.iter().map(|of| of.name).collect();
    ParamError::UnknownParameter { family, name: name.to_owned(), known: names.join(", ") }
}

/// The error for a value that a parameter cannot have.
pub(crate) fn bad_value(
    family: &'static str,
    known: &'static [Parameter],
    name: &str,
    value: impl std::fmt::Display,
) -> ParamError {
    let of = known.iter().find(|of| of.name == name).expect("a family reads its own parameters");
    ParamError::BadValue { family, name: of.name, value: value.to_string(), allowed: of.allowed }
}
