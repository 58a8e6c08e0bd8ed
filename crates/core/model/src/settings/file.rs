//! The settings as a file, and which of them are secrets.

use std::fmt::Write;

use secrecy::ExposeSecret;
use toml::{Table, Value};

use super::address::{is_mask, is_masked};
use super::{Settings, has_password, may_be_url, redacted};

impl Settings {
    /// The settings in the format of `spotifai.toml`. A setting that contains a secret becomes a comment, so that the text can
    /// be used as a settings file without overriding what is set elsewhere; `with_secrets`, it is written in full.
    pub fn to_toml(&self, with_secrets: bool) -> String {
        let table = self.table();
        let secrets = self.all_secrets(&table);
        let line =
            |key: &str, path: &str, value: &Value| match (secrets.iter().find(|(secret, _)| secret == path), value) {
                (None, value) => format!("{key} = {value}\n"),
                (Some((_, secret)), _) if with_secrets => format!("{key} = {secret}\n"),
                (Some(_), Value::String(address)) if may_be_url(address) => {
                    format!("# {path} = {} has a secret, not shown\n", Value::from(redacted(address)))
                }
                _ => format!("# {path} = is set, not shown\n"),
            };
        let mut text = String::new();
        write_table(&mut text, "", &table, &line);
        text
    }

    /// The keys of the settings that contain a secret.
    pub fn secret_keys(&self) -> Vec<String> {
        self.all_secrets(&self.table()).into_iter().map(|(key, _)| key).collect()
    }

    /// The key of a secret that is nothing but asterisks, as it is printed.
    pub fn masked_key(&self) -> Option<&'static str> {
        let is_url = |key: &str| ["queue", "queue_management_url", "store"].contains(&key);
        let masked =
            |(key, secret): &(&'static str, &str)| if is_url(key) { is_masked(secret) } else { is_mask(secret) };
        self.secrets().into_iter().find(masked).map(|(key, _)| key)
    }

    fn table(&self) -> Table {
        Table::try_from(self).expect("every setting has a form in TOML")
    }

    /// The secrets, and whatever else of the settings is an address with one: that is in the wrong place, and a password all
    /// the same.
    fn all_secrets(&self, table: &Table) -> Vec<(String, Value)> {
        let mut secrets: Vec<(String, Value)> =
            self.secrets().into_iter().map(|(key, secret)| (key.to_owned(), secret.into())).collect();
        let mut misplaced = Vec::new();
        find_addresses("", table, &mut misplaced);
        misplaced.retain(|(key, _)| secrets.iter().all(|(known, _)| known != key));
        secrets.append(&mut misplaced);
        secrets
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

/// Adds the values that are, or hold, an address with a password, each with its key.
fn find_addresses(path: &str, table: &Table, found: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let path = below(path, key);
        match value {
            Value::Table(table) => find_addresses(&path, table, found),
            value if has_address(value) => found.push((path, value.clone())),
            _ => {}
        }
    }
}

fn has_address(value: &Value) -> bool {
    match value {
        Value::String(text) => may_be_url(text) && has_password(text),
        Value::Array(values) => values.iter().any(has_address),
        _ => false,
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Values first, then each table under its header.
fn write_table(text: &mut String, path: &str, table: &Table, line: &dyn Fn(&str, &str, &Value) -> String) {
    let (tables, values): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
    for (key, value) in values {
        text.push_str(&line(key, &below(path, key), value));
    }
    for (key, value) in tables {
        let (path, table) = (below(path, key), value.as_table().expect("partitioned"));
        if table.values().any(|value| !value.is_table()) {
            let _ = write!(text, "\n[{path}]\n");
        }
        write_table(text, &path, table, line);
    }
}
