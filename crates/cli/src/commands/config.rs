//! `spotifai config`.

use std::io::Write;

use model::settings::Settings;

/// Prints the settings in force as `spotifai.toml` would say them.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let (queue, store) = (without_password(&settings.queue), without_password(&settings.store));
    let text = toml::to_string(&Settings { queue, store, ..settings.clone() })?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// `amqp://user:***@host`.
fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (credentials, place) = rest.rsplit_once('@')?;
        let (user, _) = credentials.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{place}"))
    };
    hidden().unwrap_or_else(|| url.to_owned())
}
