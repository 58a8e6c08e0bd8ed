//! Errors of a command line, which quote what was typed.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::ContextValue;
use model::settings::{has_password, without_credentials};
use model::terminal::escaped;

/// The text without the passwords of the URLs among this process's arguments, in whatever message they are quoted.
pub fn without_argument_secrets(text: &str) -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    without_secrets(text, arguments)
}

fn without_secrets(text: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        // `--flag=VALUE` is quoted as a whole, or its value.
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for secret in [&argument, value] {
            if may_be_url(secret) && has_password(secret) {
                for quoted in quotations(secret) {
                    text = text.replace(&quoted, &without_credentials(secret.trim()));
                }
            }
        }
    }
    text
}

/// The forms in which messages quote a text.
fn quotations(text: &str) -> Vec<String> {
    let forms = |text: &str| {
        let debug = format!("{text:?}");
        [text.to_owned(), debug[1..debug.len() - 1].to_owned(), escaped(text).into_owned(), text.replace('\n', " ")]
    };
    [text, text.trim()].into_iter().flat_map(forms).collect()
}

/// With a scheme, or `USER:PASSWORD@HOST`; no name of a label or column.
fn may_be_url(argument: &str) -> bool {
    argument.contains("://") || argument.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Prints a usage error, or the help that was asked for, and returns the exit code.
pub fn usage_error(mut error: clap::Error) -> ExitCode {
    // In its parts: its text leaves out what looks like a colour, so that a password may not be found in it any more.
    let harmless = |text: &str| escaped(&without_argument_secrets(text)).into_owned();
    let parts: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in parts {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(harmless(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| harmless(text)).collect()),
            // Advice that quotes what was typed.
            ContextValue::StyledStrs(advice) => {
                let is_harmless = |text: &StyledStr| without_argument_secrets(&text.to_string()) == text.to_string();
                ContextValue::StyledStrs(advice.into_iter().filter(is_harmless).collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    // What cannot be printed is no failure of the help.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_among_the_arguments_is_in_no_message_that_quotes_them() {
        let odd = "amqp://me:hu\n\"sh@odd ";
        let arguments = ["status", "--queue=amqp://me:h/sh@host", "me:hush@host", "spotify:track:3n3P", "a=b", odd];
        let text =
            format!("no `amqp://me:h/sh@host`, no me:hush@host, no spotify:track:3n3P, no a=b, no {:?}", odd.trim());
        let shown = without_secrets(&text, arguments.map(str::to_owned).into_iter());
        assert_eq!(shown, "no `amqp://host`, no host, no spotify:track:3n3P, no a=b, no \"amqp://odd\"");
    }
}
