//! `spotifai config`.

use model::settings::Settings;

use crate::output::say_raw;

/// Prints the settings in force as `spotifai.toml` would say them.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let text = toml::to_string(settings)?;
    say_raw(text.as_bytes())
}
