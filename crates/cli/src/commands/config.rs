//! `spotifai config`.

use std::io::Write;

use model::settings::Settings;

/// Prints the settings in force as `spotifai.toml` would say them.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let text = toml::to_string(settings)?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
