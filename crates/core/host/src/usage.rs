//! Usage errors. They quote what was typed, so passwords have to be taken out of them.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::ContextValue;
use model::explain;
use model::settings::{has_password, may_be_url, without_credentials};
use model::terminal::escaped;

use crate::complain;

/// Messages that shorten an address quote at least this much of it.
const MIN_QUOTED_BYTES: usize = 60;

/// The text without the passwords of addresses that were given to this process in arguments or environment variables.
pub fn without_given_secrets(text: &str) -> String {
    let arguments = std::env::args_os().skip(1);
    let variables = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPOTIFAI_"));
    let given = arguments.chain(variables.map(|(_, value)| value));
    without_secrets(text, given.map(|given| given.to_string_lossy().into_owned()))
}

fn without_secrets(text: &str, given: impl Iterator<Item = String>) -> String {
    let given: Vec<String> = given.filter(|given| may_be_url(given)).collect();
    let secrets = given.iter().flat_map(|given| parts(given)).filter(|part| may_be_url(part) && has_password(part));
    let quoted: Vec<Quoted> = secrets.flat_map(Quoted::forms_of).collect();
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        // The longest match; of equally long ones, a complete form.
        let found = quoted.iter().filter_map(|quoted| Some((quoted.found_in(rest)?, quoted)));
        let length = match found.max_by_key(|(length, quoted)| (*length, *length == quoted.form.len())) {
            Some((length, quoted)) => {
                out.push_str(&quoted.shown(length));
                length
            }
            None => {
                out.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

/// The parts of an argument that messages may quote: all of it, the value of `--flag=VALUE`, or one item of a list. An item
/// that is an address may contain commas; it begins at its scheme.
fn parts(argument: &str) -> impl Iterator<Item = &str> {
    let value = argument.split_once('=').map_or("", |(_, value)| value);
    let schemes = argument.match_indices("://").map(|(at, _)| {
        let letters = argument[..at].chars().rev().take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c));
        &argument[at - letters.count()..]
    });
    let names = argument.split(',').chain(value.split(',')).chain(schemes);
    [argument, value].into_iter().chain(names.map(|name| name.trim().trim_matches(['"', '\'']).trim()))
}

/// An address in one of the forms in which messages quote it, and what is shown instead.
struct Quoted {
    form: String,
    /// Length of the shortest prefix with a part of the secret, in bytes.
    secret_prefix: usize,
    harmless: String,
}

impl Quoted {
    fn forms_of(address: &str) -> Vec<Self> {
        let forms = |text: &str| {
            let debug = format!("{text:?}");
            // Items of a list, whose quotes are removed when it is read.
            let from_list = [text.replace('"', ""), text.replace("\"\"", "\"")];
            [text.to_owned(), debug[1..debug.len() - 1].to_owned(), escaped(text).into_owned(), text.replace('\n', " ")]
                .into_iter()
                .chain(from_list)
        };
        let harmless = without_credentials(address.trim());
        let quoted = |form: String| Self { secret_prefix: secret_prefix(&form), form, harmless: harmless.clone() };
        [address, address.trim()].into_iter().flat_map(forms).map(quoted).collect()
    }

    /// What is shown instead of its first `length` bytes.
    fn shown(&self, length: usize) -> String {
        match self.form.rfind('@') {
            // The whole secret, and a part of what follows.
            Some(at) if length > at + 1 => without_credentials(self.form[..length].trim()),
            _ => self.harmless.clone(),
        }
    }

    /// How many bytes of it the text begins with, if they contain a part of the secret: messages shorten long arguments, and
    /// clap splits them at `=`.
    fn found_in(&self, text: &str) -> Option<usize> {
        let same = text.chars().zip(self.form.chars()).take_while(|(found, quoted)| found == quoted);
        let length: usize = same.map(|(found, _)| found.len_utf8()).sum();
        (length >= self.secret_prefix).then_some(length)
    }
}

/// Length of the prefix of an address that ends with the first character of its password, token or option value. Without a
/// scheme, any text could begin like the address, so a longer prefix is required.
fn secret_prefix(address: &str) -> usize {
    let Some(scheme) = address.find("://") else {
        let flag = address.starts_with("--").then(|| address.find('=')).flatten();
        return flag.unwrap_or_else(|| address.floor_char_boundary(MIN_QUOTED_BYTES));
    };
    let host = scheme + "://".len();
    // A user without a password is a token.
    let first = match address[host..].find([':', '=', '@']) {
        Some(at) if address[host + at..].starts_with('@') => Some(host),
        at => at.map(|at| host + at + 1),
    };
    let letter = first.and_then(|at| Some(at + address[at..].chars().next()?.len_utf8()));
    letter.unwrap_or(address.len())
}

/// Prints a usage error, or the help that was asked for, and returns the exit code of the program `name`.
pub fn usage_error(name: &str, mut error: clap::Error) -> ExitCode {
    // Part by part: clap removes from the text what looks like a colour code, and a password with such a part would no longer
    // be found.
    let harmless = |text: &str| escaped(&without_given_secrets(text)).into_owned();
    let parts: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in parts {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(harmless(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| harmless(text)).collect()),
            // Suggestions, which quote what was typed.
            ContextValue::StyledStrs(advice) => {
                let is_harmless = |text: &StyledStr| without_given_secrets(&text.to_string()) == text.to_string();
                ContextValue::StyledStrs(advice.into_iter().filter(is_harmless).collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    match printed {
        // Help was requested and could not be printed.
        Err(failure) if !error.use_stderr() && failure.kind() != ErrorKind::BrokenPipe => {
            complain(&format!("{name}: cannot write to standard output: {}", explain::io(&failure)));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, given: &[&str]) -> String {
        without_secrets(text, given.iter().map(|given| (*given).to_owned()))
    }

    #[test]
    fn a_password_among_the_arguments_is_in_no_message_that_quotes_them() {
        let odd = "amqp://me:hu\n\"sh@odd ";
        let arguments = ["status", "--queue=amqp://me:h/sh@host", "me:hush@host", "spotify:track:3n3P", "a=b", odd];
        let text =
            format!("no `amqp://me:h/sh@host`, no me:hush@host, no spotify:track:3n3P, no a=b, no {:?}", odd.trim());
        assert_eq!(
            shown(&text, &arguments),
            "no `amqp://host`, no host, no spotify:track:3n3P, no a=b, no \"amqp://odd\""
        );
    }

    #[test]
    fn nor_is_a_part_of_one_in_a_message_that_quotes_a_part_of_them() {
        for (text, given, harmless) in [
            (
                "unexpected argument '--amqp://me:hu' found",
                "--amqp://me:hu=sh@host",
                "unexpected argument 'host' found",
            ),
            ("no family `amqp://me:hush@host`", "knn,amqp://me:hush@host", "no family `amqp://host`"),
            ("no family `amqp://me:hu`", "--families=amqp://me:hu,sh@host", "no family `amqp://***`"),
            ("no column amqp://me:h,sh@host", "--labels=a,\"amqp://me:h,sh@host \"", "no column amqp://host"),
            ("no column amqp://me:hush@host", "--labels=\"amqp://me:hu\"sh@host\"", "no column amqp://host"),
            ("no column amqp://me:hush@host", "--labels=a,\"amqp://me:hush@host\"", "no column amqp://host"),
            ("\"amqp://me:hush\" names no track", "amqp://me:hush@host/x", "\"amqp://host/x\" names no track"),
            ("amqp://mehr and amqp://other:x@y", "amqp://me:hush@host", "amqp://mehr and amqp://other:x@y"),
            ("there is no folder amqp://me:hush@host:", "amqp://me:hush@host/x", "there is no folder amqp://host:"),
            ("no family `amqp://me:hush@host`", "amqp://me:hush@host,knn", "no family `amqp://host`"),
            ("--https://hush@host/?k", "--https://hush@host/?k=v", "host/"),
            ("https://hush@host/a/lo…", "https://hush@host/a/long/path", "https://host/a/lo…"),
            ("https://host/x?key=hu…", "https://host/x?key=hush", "https://host/x…"),
        ] {
            assert_eq!(shown(text, &[given]), harmless);
        }
    }
}
