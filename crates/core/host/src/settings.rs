//! The settings in force: flags over environment over `spotifai.toml` over defaults.

mod check;
mod file;
mod layer;
mod quote;
#[cfg(test)]
mod tests;
mod trim;
mod words;

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

/// The file that is read where no other is named.
const FILE: &str = "spotifai.toml";

/// A variable that starts like the programs' and is the tests'.
const REAL_DATA: &str = "SPOTIFAI_REAL_DATA";

/// What the help calls the options that every program takes; they stand at its end.
pub const GLOBAL_OPTIONS: &str = "Global options";

/// The flags that every program of the system takes.
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
    /// The file that settings are read from, if it is there.
    pub fn settings_file(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| FILE.into())
    }

    /// Says that a password in a flag is no secret, where there is one.
    pub fn warn_of_passwords(&self) {
        for (flag, variable, value) in
            [("--queue", "SPOTIFAI_QUEUE", &self.queue), ("--store", "SPOTIFAI_STORE", &self.store)]
        {
            if value.as_deref().is_some_and(has_password) {
                let warning = format!(
                    "other users of this machine can read the password in {flag}: put the URL in {variable} instead"
                );
                // A command of a person has no log.
                if tracing::dispatcher::has_been_set() {
                    tracing::warn!("{warning}");
                } else {
                    complain(&warning);
                }
            }
        }
    }
}

/// Settings that cannot be used; one line: what, where, what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// The settings in force.
///
/// # Errors
/// Unknown keys, wrong types, values out of range, and a file named by a flag that cannot be read.
pub fn load_settings(flags: &Flags) -> Result<Settings, SettingsError> {
    flags.warn_of_passwords();
    load(flags, Path::new("."), environment()?)
}

/// The variables of the environment; those of others may be anything.
fn environment() -> Result<Vec<(String, String)>, SettingsError> {
    let mut ours = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("SPOTIFAI_")) else { continue };
        let value =
            value.into_string().map_err(|_| SettingsError(format!("environment variable {name}: it is no UTF-8")))?;
        ours.push((name.to_owned(), value));
    }
    Ok(ours)
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
    let mut settings: Settings = layers.extract().map_err(|error| SettingsError(words::of(error, file.as_ref())))?;
    unset_what_is_empty(&mut settings);
    check::check(&settings).map_err(|(key, problem)| {
        let place = words::place(layers.find_metadata(key), file.as_ref(), key);
        SettingsError(format!("{place}: {key} {problem}"))
    })?;
    Ok(settings)
}

/// An empty text for what may be missing means that it is missing, as it does in the environment.
fn unset_what_is_empty(settings: &mut Settings) {
    let Settings { queue_management_url, contact, spotify, lastfm, worker, .. } = settings;
    for text in [queue_management_url, contact, &mut spotify.client_id, &mut spotify.token_file, &mut worker.listen] {
        text.take_if(|text| text.is_empty());
    }
    for secret in [&mut spotify.client_secret, &mut lastfm.api_key] {
        secret.take_if(|secret| secret.expose_secret().is_empty());
    }
}

/// The file that is named, which must be there, or the usual one where it is.
fn file(flags: &Flags, folder: &Path) -> Result<Option<SettingsFile>, SettingsError> {
    let file = flags.config.clone().unwrap_or_else(|| folder.join(FILE));
    if flags.config.is_none() && !file.exists() {
        return Ok(None);
    }
    SettingsFile::read(&file).map(Some).map_err(SettingsError)
}

fn warn_of_unknown(variable: &str) {
    let ours = variable.starts_with("SPOTIFAI_") && !variable.starts_with("SPOTIFAI_TEST_");
    let known = variable == REAL_DATA || PROCESS_ENVIRONMENT.iter().any(|(name, _)| *name == variable);
    if ours && !known {
        tracing::warn!("the environment variable {variable} is unknown and does nothing");
    }
}
