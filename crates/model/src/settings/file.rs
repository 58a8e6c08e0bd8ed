//! The settings as a file, and which of them are secrets.

use std::fmt::Write;

use secrecy::ExposeSecret;
use toml::{Table, Value};

use super::address::{is_mask, is_masked};
use super::{Settings, has_password};

impl Settings {
    /// The settings in the format of `spotifai.toml`. A setting that holds a secret is a comment, so that the text can be a
    /// settings file without hiding what is set elsewhere; or, `with_secrets`, in full.
    pub fn to_toml(&self, with_secrets: bool) -> String {
        let shown = Table::try_from(self).expect("every setting has a form in TOML");
        let secrets: Vec<(&str, Value)> =
            self.secrets().into_iter().map(|(key, secret)| (key, Value::String(secret.to_owned()))).collect();
        let line =
            |key: &str, path: &str, value: &Value| match (secrets.iter().find(|(secret, _)| *secret == path), value) {
                (None, value) => format!("{key} = {value}\n"),
                (Some((_, secret)), _) if with_secrets => format!("{key} = {secret}\n"),
                (Some(_), Value::String(url)) if url.contains("://") => {
                    format!("# {path} = {value} has a secret, not shown\n")
                }
                _ => format!("# {path} = is set, not shown\n"),
            };
        let mut text = String::new();
        write_table(&mut text, "", &shown, &line);
        text
    }

    /// The keys of the settings that hold a secret.
    pub fn secret_keys(&self) -> Vec<&'static str> {
        self.secrets().into_iter().map(|(key, _)| key).collect()
    }

    /// The key of a secret that is nothing but asterisks: what is printed in place of one.
    pub fn masked_key(&self) -> Option<&'static str> {
        let is_url = |key: &str| ["queue", "queue_management_url", "store"].contains(&key);
        let masked =
            |(key, secret): &(&'static str, &str)| if is_url(key) { is_masked(secret) } else { is_mask(secret) };
        self.secrets().into_iter().find(masked).map(|(key, _)| key)
    }

    fn secrets(&self) -> Vec<(&'static str, &str)> {
        let urls = [
            ("queue", Some(&self.queue)),
            ("queue_management_url", self.queue_management_url.as_ref()),
            ("store", Some(&self.store)),
        ];
        let named = [("spotify.client_secret", &self.spotify.client_secret), ("lastfm.api_key", &self.lastfm.api_key)];
        let urls = urls.into_iter().filter_map(|(key, url)| Some((key, url?.as_str())));
        let named = named.into_iter().filter_map(|(key, secret)| Some((key, secret.as_ref()?.expose_secret())));
        urls.filter(|(_, url)| has_password(url)).chain(named).collect()
    }
}

/// Values first, then each table under its header.
fn write_table(text: &mut String, path: &str, table: &Table, line: &dyn Fn(&str, &str, &Value) -> String) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let (tables, values): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
    for (key, value) in values {
        text.push_str(&line(key, &below(key), value));
    }
    for (key, value) in tables {
        let (path, table) = (below(key), value.as_table().expect("partitioned"));
        if table.values().any(|value| !value.is_table()) {
            let _ = write!(text, "\n[{path}]\n");
        }
        write_table(text, &path, table, line);
    }
}
