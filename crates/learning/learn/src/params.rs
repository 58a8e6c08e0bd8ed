//! The parameters of a family: their names, defaults and allowed values.

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
    /// The allowed values, in words.
    pub allowed: &'static str,
}

/// Parameters that a family does not accept: which family, which parameter, what was given and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamError {
    /// There is no such family.
    #[error("there is no family `{family}`: the families are {known}")]
    UnknownFamily {
        /// As given.
        family: String,
        /// The families there are.
        known: String,
    },
    /// The family has no such parameter.
    #[error("{family} has no parameter `{name}`: it has {known}")]
    UnknownParameter {
        /// Family.
        family: &'static str,
        /// As given.
        name: String,
        /// The parameters it has.
        known: String,
    },
    /// The parameter cannot have this value.
    #[error("{family}: {name} cannot be {value}: it is {allowed}")]
    BadValue {
        /// Family.
        family: &'static str,
        /// Parameter.
        name: &'static str,
        /// As given, as JSON.
        value: String,
        /// The allowed values, in words.
        allowed: &'static str,
    },
}

/// Reads the parameters of one candidate by name.
pub(crate) struct ParamReader {
    family: &'static str,
    known: &'static [Parameter],
    completed: Params,
}

impl ParamReader {
    /// Fills in the defaults of what is not given; refuses parameters that the family does not have.
    pub(crate) fn new(family: &'static str, known: &'static [Parameter], given: &Params) -> Result<Self, ParamError> {
        let default = |known: &Parameter| serde_json::from_str(known.default).expect("defaults are JSON");
        let mut completed: Params = known.iter().map(|known| (known.name.to_owned(), default(known))).collect();
        for (name, value) in given {
            match completed.get_mut(name) {
                Some(slot) => *slot = value.clone(),
                None => return Err(unknown_parameter(family, known, name)),
            }
        }
        Ok(Self { family, known, completed })
    }

    /// Reads one parameter.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, ParamError> {
        let value = self.completed.get(name).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|_| bad_value(self.family, self.known, name, value))
    }

    /// Every parameter of the family, given or default.
    pub(crate) fn completed(self) -> Params {
        self.completed
    }
}

fn unknown_parameter(family: &'static str, known: &[Parameter], name: &str) -> ParamError {
    let names: Vec<&str> = known.iter().map(|known| known.name).collect();
    ParamError::UnknownParameter { family, name: name.to_owned(), known: names.join(", ") }
}

/// The error for a value that a parameter cannot have.
pub(crate) fn bad_value(
    family: &'static str,
    known: &'static [Parameter],
    name: &str,
    value: impl std::fmt::Display,
) -> ParamError {
    let parameter = known.iter().find(|known| known.name == name).expect("a family reads its own parameters");
    ParamError::BadValue { family, name: parameter.name, value: value.to_string(), allowed: parameter.allowed }
}
