//! Addresses that may hold a password.

use serde::Serializer;

/// A URL as messages may name it: without user, password and query. Where an unescaped password makes it no proper URL,
/// more is left out rather than less.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = split(url) else { return url.to_owned() };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let end = host.find(['?', '#']).unwrap_or(host.len());
    format!("{scheme}{}", &host[..end])
}

/// The same URL with `***` for its password and for the values of its query that may be secrets.
pub fn with_hidden_password(url: &str) -> String {
    let Some((scheme, rest)) = split(url) else { return url.to_owned() };
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => {
            (user.split_once(':').map_or(format!("{user}@"), |(user, _)| format!("{user}:***@")), host)
        }
        None => (String::new(), rest),
    };
    let Some((host, query)) = host.split_once('?') else { return format!("{scheme}{user}{host}") };
    let pairs: Vec<String> = query.split('&').map(hidden_value).collect();
    format!("{scheme}{user}{host}?{}", pairs.join("&"))
}

/// Whether the URL holds a password.
pub fn has_password(url: &str) -> bool {
    with_hidden_password(url) != url
}

/// Scheme and rest of a URL that names a host. A file has no credentials, whatever its name looks like.
fn split(url: &str) -> Option<(&str, &str)> {
    let at = match url.find("://") {
        _ if url.starts_with("sqlite:") => return None,
        Some(at) => at + 3,
        None => 0,
    };
    Some(url.split_at(at))
}

fn hidden_value(pair: &str) -> String {
    const SECRET: [&str; 4] = ["password", "secret", "token", "properties"];
    match pair.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|word| name.to_lowercase().contains(word)) => format!("{name}=***"),
        _ => pair.to_owned(),
    }
}

pub(super) fn serialize<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&with_hidden_password(url))
}

pub(super) fn serialize_if_any<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&with_hidden_password(url)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_of_addresses_and_passwords_hidden() {
        for (url, address, hidden) in [
            ("amqp://host:5672/%2f", "amqp://host:5672/%2f", "amqp://host:5672/%2f"),
            ("amqp://me:pw@host/v?heartbeat=5", "amqp://host/v", "amqp://me:***@host/v?heartbeat=5"),
            ("amqp://me@host", "amqp://host", "amqp://me@host"),
            ("amqps://me:p@s/s?w#d@host:1/v", "amqps://host:1/v", "amqps://me:***@host:1/v"),
            (
                "mongodb+srv://me:pw@a,b/db?tlsCertificateKeyFilePassword=x&w=1",
                "mongodb+srv://a,b/db",
                "mongodb+srv://me:***@a,b/db?tlsCertificateKeyFilePassword=***&w=1",
            ),
            ("me:pw@host:5672", "host:5672", "me:***@host:5672"),
            ("sqlite:a@b:c.db", "sqlite:a@b:c.db", "sqlite:a@b:c.db"),
        ] {
            assert_eq!((&*without_credentials(url), &*with_hidden_password(url)), (address, hidden), "{url}");
            assert_eq!(has_password(url), url != hidden);
        }
    }
}
