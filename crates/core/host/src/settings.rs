//! The settings in force: flags over environment over `spotifai.toml` over defaults.

mod check;
mod file;
mod layer;
mod message;
mod quote;
#[cfg(test)]
mod tests;
mod trim;

use std::path::{Path, PathBuf};

use clap::ArgAction;
use figment::Figment;
use figment::providers::Serialized;
use model::settings::{ENVIRONMENT, PROCESS_ENVIRONMENT, Settings, has_password};
use secrecy::ExposeSecret;

use crate::complain;
use file::SettingsFile;
use layer::Layer;
use trim::Trimmed;
pub(crate) use trim::trimmed;

/// The settings file, unless another one is named.
const DEFAULT_FILE: &str = "spotifai.toml";

/// A variable of the tests, which has the prefix of the programs' variables.
const REAL_DATA_VARIABLE: &str = "SPOTIFAI_REAL_DATA";

/// The heading of these options, at the end of every help.
pub const GLOBAL_OPTIONS: &str = "Global options";

/// The options that every program takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Settings file [default: spotifai.toml in the current folder, if it exists]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL_OPTIONS)]
    pub config: Option<PathBuf>,
    /// Job queue: sqlite:FILE or amqp(s)://HOST
    ///
    /// Put URLs containing a password in SPOTIFAI_QUEUE: other users of this machine can read arguments.
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL_OPTIONS)]
    pub queue: Option<String>,
    /// Store of results: sqlite:FILE or mongodb://HOST
    ///
    /// Put URLs containing a password in SPOTIFAI_STORE: other users of this machine can read arguments.
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL_OPTIONS)]
    pub store: Option<String>,
    /// Print help (-h: summary, --help: details)
    // In place of clap's own, which stands among the options of the command.
    #[arg(short, long, global = true, action = ArgAction::Help, help_heading = GLOBAL_OPTIONS)]
    help: Option<bool>,
}

impl Flags {
    /// The settings file, whether it exists or not.
    pub fn settings_file(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| DEFAULT_FILE.into())
    }

    /// Warns if an option contains a password.
    pub fn warn_of_passwords(&self) {
        for (flag, variable, value) in
            [("--queue", "SPOTIFAI_QUEUE", &self.queue), ("--store", "SPOTIFAI_STORE", &self.store)]
        {
            if value.as_deref().is_some_and(has_password) {
                let warning = format!(
                    "other users of this machine can read the password in {flag}: put the URL in {variable} instead"
                );
                // Interactive commands have no log.
                if tracing::dispatcher::has_been_set() {
                    tracing::warn!("{warning}");
                } else {
                    complain(&warning);
                }
            }
        }
    }
}

/// Settings that cannot be used. One line: what, where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// The settings in force.
///
/// # Errors
/// Unknown keys, wrong types, values out of range, and a named file that cannot be read.
pub fn load_settings(flags: &Flags) -> Result<Settings, SettingsError> {
    flags.warn_of_passwords();
    load(flags, Path::new("."), environment()?)
}

/// The variables with our prefix; others may hold any bytes.
fn environment() -> Result<Vec<(String, String)>, SettingsError> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("SPOTIFAI_")) else { continue };
        let value =
            value.into_string().map_err(|_| SettingsError(format!("environment variable {name} is not UTF-8")))?;
        variables.push((name.to_owned(), value));
    }
    Ok(variables)
}

fn load(flags: &Flags, folder: &Path, environment: Vec<(String, String)>) -> Result<Settings, SettingsError> {
    let defaults = Figment::from(Serialized::defaults(Settings::default()));
    let mut layers = defaults.clone();
    let file = file(flags, folder)?;
    if let Some(file) = &file {
        layers = layers.merge(Trimmed(file));
    }
    for (variable, value) in environment.iter().filter(|(_, value)| !trimmed(value).is_empty()) {
        match ENVIRONMENT.iter().find(|(name, ..)| name == variable) {
            Some((_, key, meaning)) => {
                layers = layers.merge(Trimmed(Layer::variable(variable, key, value, meaning, &defaults)?))
            }
            None => warn_of_unknown(variable),
        }
    }
    for (flag, key, value) in [("--queue", "queue", &flags.queue), ("--store", "store", &flags.store)] {
        if let Some(value) = value {
            layers = layers.merge(Trimmed(Layer::text(flag, key, value)));
        }
    }
    let mut settings: Settings =
        layers.extract().map_err(|error| SettingsError(message::one_line(error, file.as_ref())))?;
    unset_empty(&mut settings);
    check::check(&settings).map_err(|(key, problem)| {
        let origin = message::origin(layers.find_metadata(key), file.as_ref(), key);
        SettingsError(format!("{origin}: {key} {problem}"))
    })?;
    Ok(settings)
}

/// Unsets optional settings that are empty, as an empty environment variable counts as unset.
fn unset_empty(settings: &mut Settings) {
    let Settings { queue_management_url, contact, spotify, lastfm, worker, .. } = settings;
    for text in [queue_management_url, contact, &mut spotify.client_id, &mut spotify.token_file, &mut worker.listen] {
        text.take_if(|text| text.is_empty());
    }
    for secret in [&mut spotify.client_secret, &mut lastfm.api_key] {
        secret.take_if(|secret| secret.expose_secret().is_empty());
    }
}

/// The named file, which must exist, or the default one if it exists.
fn file(flags: &Flags, folder: &Path) -> Result<Option<SettingsFile>, SettingsError> {
    let file = flags.config.clone().unwrap_or_else(|| folder.join(DEFAULT_FILE));
    if flags.config.is_none() && !file.exists() {
        return Ok(None);
    }
    SettingsFile::read(&file).map(Some).map_err(SettingsError)
}

fn warn_of_unknown(variable: &str) {
    let is_ours = variable.starts_with("SPOTIFAI_") && !variable.starts_with("SPOTIFAI_TEST_");
    let is_known = variable == REAL_DATA_VARIABLE || PROCESS_ENVIRONMENT.iter().any(|(name, _)| *name == variable);
    if is_ours && !is_known {
        tracing::warn!("unknown environment variable {variable}: ignored");
    }
}
