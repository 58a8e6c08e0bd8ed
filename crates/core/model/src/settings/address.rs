//! Redacts URLs that may contain a password.
//!
//! What people type need not be a valid URL: if a password contains `/`, `#`, `?` or `@`, a parser takes a part of it for a
//! host, a port or a path. So nothing is parsed here: whatever is between `://` and the last `@` is never shown, and the rest
//! is shown only if it looks like hosts.

use serde::Serializer;

/// Stands for what is not shown.
pub(super) const REDACTED: &str = "***";

/// A URL for messages: without user, password, query and fragment. If an unescaped character makes it ambiguous, more is
/// left out rather than less.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = split(url) else { return url.to_owned() };
    let after_user = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
    let end = after_user.find(['?', '#']).unwrap_or(after_user.len());
    if names_hosts(after_user) && !may_end_in_a_value(rest) {
        format!("{scheme}{}", &after_user[..end])
    } else {
        format!("{scheme}{REDACTED}")
    }
}

/// Any text for messages, such as the value of a setting or the name of a file: unchanged, unless it may be a URL; then its
/// password is [redacted](redacted_url).
pub fn redacted(text: &str) -> String {
    if may_be_url(text) { redacted_url(text) } else { text.to_owned() }
}

/// Whether a text may be a URL: it has a scheme, or the form `USER:PASSWORD@HOST`. Names of files, labels and columns do not.
pub fn may_be_url(text: &str) -> bool {
    let has_user = || text.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    text.contains("://") || text.trim_start().starts_with("sqlite:") || has_user() && !is_mail(text)
}

/// The URL with `***` for its password and for the values of its query, except those that are known not to be secret.
pub fn redacted_url(url: &str) -> String {
    let Some((scheme, rest)) = split(url) else { return url.to_owned() };
    if may_end_in_a_value(rest) {
        return format!("{scheme}{REDACTED}");
    }
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (hidden_user(scheme, user), rest),
        None => (String::new(), rest),
    };
    if !names_hosts(rest) {
        return format!("{scheme}{REDACTED}");
    }
    let (rest, fragment) = rest.split_once('#').map_or((rest, ""), |(rest, _)| (rest, "#***"));
    let Some((place, query)) = rest.split_once('?') else { return format!("{scheme}{user}{rest}{fragment}") };
    format!("{scheme}{user}{place}?{}{fragment}", hidden_values(query))
}

/// Whether the URL contains something that must not be shown.
pub fn has_password(url: &str) -> bool {
    redacted_url(url) != url || is_masked(url)
}

/// What to do about a URL whose user and password a parser would mistake for something else; `None` if it would not.
///
/// A host ends at the first `/`, `?` or `#`, wherever that is: if a password contains one, its beginning becomes the host that
/// is contacted, and the rest a path that is shown.
pub fn url_problem(url: &str) -> Option<String> {
    if url.starts_with("sqlite:") {
        let advice = "a file has no user, password, host or options: use sqlite:FILE, such as sqlite:spotifai.db";
        return split(url).map(|_| advice.to_owned());
    }
    let (_, user) = user_of(url)?;
    let is_ambiguous = |c: char| "/?#\\".contains(c) || c.is_whitespace() || c.is_control();
    user.contains(is_ambiguous).then(|| {
        format!(
            "its user or password cannot be told from its host: percent-encode {}, and use %40 for an `@` behind the host",
            unencoded_characters(url)
        )
    })
}

/// The characters in the user and the password of a URL that should be percent-encoded and are not, each with its code:
/// `: as %3A`; empty if there are none.
pub fn unencoded_characters(url: &str) -> String {
    let Some((_, user)) = user_of(url) else { return String::new() };
    let mut found: Vec<char> = Vec::new();
    let mut colons = 0;
    for (at, c) in user.char_indices() {
        colons += usize::from(c == ':');
        let is_bad = match c {
            ':' => colons > 1,
            '%' => !is_code(&user[at + 1..]),
            _ => "/?#[]@\\".contains(c) || c.is_whitespace() || c.is_control(),
        };
        if is_bad && !found.contains(&c) {
            found.push(c);
        }
    }
    found.iter().map(|c| format!("{} as {}", name(*c), code(*c))).collect::<Vec<_>>().join(", ")
}

/// Whether a password or another secret of the URL is nothing but asterisks, as it is printed.
pub(super) fn is_masked(url: &str) -> bool {
    let Some((_, rest)) = split(url) else { return false };
    let password = rest.rsplit_once('@').and_then(|(user, _)| Some(user.split_once(':')?.1));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    password.into_iter().chain(values).any(|secret| is_mask(&secret.replace("%2A", "*").replace("%2a", "*")))
}

/// Whether a secret is nothing but asterisks.
pub(super) fn is_mask(secret: &str) -> bool {
    let secret = secret.trim();
    !secret.is_empty() && secret.chars().all(|c| c == '*')
}

/// Scheme and rest of a URL that may contain credentials; `None` for files and single words.
fn split(url: &str) -> Option<(&str, &str)> {
    let may_have_credentials = match url.trim_start().strip_prefix("sqlite:") {
        Some(file) => names_more_than_a_file(file),
        None => url.contains("://") || url.contains('@'),
    };
    if !may_have_credentials {
        return None;
    }
    let at = url.find("://").filter(|at| is_scheme(&url[..*at])).map_or(0, |at| at + 3);
    Some(url.split_at(at))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// `mailto:NAME@HOST`, as a contact may be written.
fn is_mail(text: &str) -> bool {
    text.trim().strip_prefix("mailto:").is_some_and(|mail| !mail.contains([':', '/']))
}

/// Whether what follows `sqlite:` looks like a user with a password or a host, or like options with values.
fn names_more_than_a_file(file: &str) -> bool {
    let is_user = |user: &str| user.contains(':') || user.starts_with("//") && !user.starts_with("///");
    file.rsplit_once('@').is_some_and(|(user, _)| is_user(user))
        || file.split_once('?').is_some_and(|(_, options)| options.contains('='))
}

/// Scheme and everything before the last `@`.
fn user_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split(url)?;
    Some((scheme, rest.rsplit_once('@')?.0))
}

/// Whether the last `@` may be in a value of the query: then it is not followed by a host.
fn may_end_in_a_value(rest: &str) -> bool {
    let before = rest.rsplit_once('@').map_or("", |(before, _)| before);
    before.split_once('?').is_some_and(|(_, query)| query.contains('='))
}

/// Whether the beginning is hosts with ports, as in `a:1,b:2/path`, and no user and password without an end. The same goes
/// for an address within the path, as archives have it: `archive.org/web/https://HOST`; one in another place may be
/// anything.
fn names_hosts(rest: &str) -> bool {
    // What follows is never shown.
    let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let within = path.split_once("://").map(|(before, within)| (before.rsplit_once('/'), within));
    let is_harmless = within
        .is_none_or(|(before, within)| before.is_some_and(|(_, scheme)| is_scheme(scheme)) && names_hosts(within));
    let hosts = &path[..path.find('/').unwrap_or(path.len())];
    let is_host = |host: &str| match host.strip_prefix('[').map(|host| host.split_once(']')) {
        Some(Some((address, port))) => {
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            is_port && address.chars().all(|c| c.is_ascii_hexdigit() || ":.%".contains(c))
        }
        Some(None) => false,
        None => {
            let (name, port) = host.split_once(':').unwrap_or((host, ""));
            (port.is_empty() || is_port(port)) && name.chars().all(|c| c.is_alphanumeric() || "-._~%".contains(c))
        }
    };
    is_harmless && hosts.split(',').all(is_host)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// The user is shown where it is one beside a password, or the only thing that a server of ours is told; elsewhere a lone
/// one is a token.
fn hidden_user(scheme: &str, user: &str) -> String {
    let (name, has_password) = user.split_once(':').map_or((user, false), |(name, _)| (name, true));
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-._~%+".contains(c));
    match (is_plain, has_password) {
        (true, true) => format!("{name}:{REDACTED}@"),
        (true, false) if scheme.starts_with("amqp") || scheme.starts_with("mongodb") => format!("{name}@"),
        _ => format!("{REDACTED}@"),
    }
}

/// A query with `***` for its values, except those that are known not to be secret. What looks like a name after a secret may
/// be part of it, if the secret contains an unescaped `&`.
fn hidden_values(query: &str) -> String {
    let mut follows_secret = false;
    let hidden = query.split('&').map(|pair| {
        let hidden = if follows_secret && !is_plain(pair) { REDACTED.to_owned() } else { hidden_value(pair) };
        follows_secret |= hidden != pair;
        hidden
    });
    hidden.collect::<Vec<_>>().join("&")
}

/// Whether a pair of a query is a driver option that is not secret.
fn is_plain(pair: &str) -> bool {
    /// Names of such options.
    const NOT_SECRET: [&str; 24] = [
        "appname",
        "authmechanism",
        "authsource",
        "channel_max",
        "compressors",
        "connecttimeoutms",
        "connection_timeout",
        "directconnection",
        "frame_max",
        "heartbeat",
        "heartbeatfrequencyms",
        "journal",
        "loadbalanced",
        "maxpoolsize",
        "minpoolsize",
        "readpreference",
        "replicaset",
        "retryreads",
        "retrywrites",
        "serverselectiontimeoutms",
        "sockettimeoutms",
        "ssl",
        "tls",
        "w",
    ];
    pair.split_once('=').is_some_and(|(name, _)| NOT_SECRET.contains(&&*name.to_ascii_lowercase()))
}

fn hidden_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some(_) if is_plain(pair) => pair.to_owned(),
        Some((name, _)) => format!("{name}={REDACTED}"),
        None => REDACTED.to_owned(),
    }
}

/// Whether the text after a `%` is two hexadecimal digits.
fn is_code(after: &str) -> bool {
    let mut digits = after.chars();
    (0..2).all(|_| digits.next().is_some_and(|c| c.is_ascii_hexdigit()))
}

fn name(c: char) -> String {
    if c == ' ' { "a space".to_owned() } else { crate::terminal::escaped(&c.to_string()).into_owned() }
}

fn code(c: char) -> String {
    c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(super) fn serialize<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&redacted_url(url))
}

pub(super) fn serialize_if_any<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&redacted_url(url)),
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
            ("https://token@host/x#y", "https://host/x", "https://***@host/x#***"),
            ("amqps://me:p@s/s?w#d@host:1/v", "amqps://host:1/v", "amqps://me:***@host:1/v"),
            ("amqp://me:61234/pw@host/v", "amqp://host/v", "amqp://me:***@host/v"),
            ("amqp://me:pw", "amqp://***", "amqp://***"),
            ("amqp://m/e:pw@[::1]:5672/v", "amqp://[::1]:5672/v", "amqp://***@[::1]:5672/v"),
            (
                "mongodb+srv://me:pw@a,b/db?tlsCertificateKeyFilePassword=x&w=1",
                "mongodb+srv://a,b/db",
                "mongodb+srv://me:***@a,b/db?tlsCertificateKeyFilePassword=***&w=1",
            ),
            ("mongodb://host/db?tlsCertificateKeyFilePassword=x@y", "mongodb://***", "mongodb://***"),
            ("https://host/2.0/?key=a&b=c&w=1", "https://host/2.0/", "https://host/2.0/?key=***&***&w=1"),
            (
                "https://a.org/web/2/https://b.org:1/x",
                "https://a.org/web/2/https://b.org:1/x",
                "https://a.org/web/2/https://b.org:1/x",
            ),
            ("https://a.org/?to=https://b.org", "https://a.org/", "https://a.org/?to=***"),
            ("https://a.org/https://me:pw@b.org/x", "https://b.org/x", "https://***@b.org/x"),
            ("https://a.org/https://me:pw", "https://***", "https://***"),
            ("https://a.org/x amqp://b.org", "https://***", "https://***"),
            ("me:pw@host:5672", "host:5672", "me:***@host:5672"),
            ("ampq:/me:pw@host", "host", "ampq:***@host"),
            ("oracle:db", "oracle:db", "oracle:db"),
            ("spotifai.db", "spotifai.db", "spotifai.db"),
            ("sqlite:a@b:c.db", "sqlite:a@b:c.db", "sqlite:a@b:c.db"),
            ("sqlite:///home/me@work/a.db", "sqlite:///home/me@work/a.db", "sqlite:///home/me@work/a.db"),
            ("sqlite://me:pw@host/x", "sqlite://host/x", "sqlite://me:***@host/x"),
            ("sqlite://me:p/w@host/x", "sqlite://host/x", "sqlite://me:***@host/x"),
            ("sqlite://token@host/x", "sqlite://host/x", "sqlite://***@host/x"),
            ("sqlite:me:pw@host/x", "host/x", "sqlite:***@host/x"),
            ("sqlite:x.db?key=pw", "***", "***"),
        ] {
            assert_eq!((&*without_credentials(url), &*redacted_url(url)), (address, hidden), "{url}");
            assert_eq!(has_password(url), url != hidden, "{url}");
        }
    }

    #[test]
    fn a_text_is_shown_as_it_is_unless_it_may_be_an_address() {
        for text in ["me@example.org", "mailto:me@example.org", "/home/me@work/token.json", "rock", "a, b", "C:/x", ""]
        {
            assert_eq!(redacted(text), text);
        }
        for (text, harmless) in [
            ("amqp://me:pw@host/v", "amqp://me:***@host/v"),
            ("Me <https://me:pw@host/x>", "***@host/x>"),
            ("info,amqp://me:pw@host", "***@host"),
            ("me:pw@host", "me:***@host"),
            ("mailto://me:pw@host", "mailto://me:***@host"),
            ("mailto:me:pw@host", "mailto:***@host"),
            ("http://host/x amqp://me:pw", "http://***"),
            ("sqlite:x.db?key=pw", "***"),
            ("/a/amqp://me:pw@host/token.json", "***@host/token.json"),
        ] {
            assert_eq!(redacted(text), harmless);
        }
    }

    #[test]
    fn what_tears_a_url_is_named_with_its_code() {
        for (url, is_torn, codes) in [
            ("amqp://me:61234/p#w@host/v", true, "/ as %2F, # as %23"),
            ("amqp://me:p w\t@host", true, "a space as %20, \\t as %09"),
            ("mongodb://me:50%:é@h@host/db", false, "% as %25, : as %3A, @ as %40"),
            ("mongodb://me:p%2Fw@host/db?a=b", false, ""),
            ("amqp://host:5672/v", false, ""),
        ] {
            let advice = url_problem(url);
            assert_eq!((advice.is_some(), &*unencoded_characters(url)), (is_torn, codes), "{url}");
            assert!(advice.is_none_or(|advice| advice.contains(codes)));
        }
    }
}
