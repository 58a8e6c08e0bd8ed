//! Which errors of the driver are transient, and what the messages of the others say.

use model::explain;
use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};

use crate::StoreError;

/// Another upsert of the same key was first.
const DUPLICATE_KEY_CODE: i32 = 11000;
/// Transient errors: elections, shutdown, network inside the cluster, locks, time limits.
const TRANSIENT_CODES: [i32; 22] =
    [6, 7, 24, 46, 50, 63, 64, 89, 91, 112, 133, 134, 189, 202, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436];
const UNAUTHORIZED_CODE: i32 = 13;
const AUTHENTICATION_FAILED_CODE: i32 = 18;
/// The command, operator or stage does not exist, or not on this kind of server.
const MISSING_FEATURE_CODES: [i32; 7] = [59, 115, 168, 238, 303, 15999, 40324];
/// An index or view of the same name has another definition.
const CONFLICT_CODES: [i32; 2] = [85, 86];

/// What a failed operation means for the caller.
pub(super) fn store_error(at: &str, error: &Error) -> StoreError {
    let cause = cause(error);
    let code = code(error);
    let has_code = |codes: &[i32]| code.is_some_and(|code| codes.contains(&code));
    if is_transient(error) {
        return StoreError::Unavailable { at: at.to_owned(), cause };
    }
    StoreError::Unusable(match error.kind.as_ref() {
        _ if has_code(&MISSING_FEATURE_CODES) => {
            format!("the server at {at} lacks a feature that MongoDB 6.0 has, use MongoDB 6.0 or newer: {cause}")
        }
        ErrorKind::Authentication { .. } => sign_in_refused(at, &cause),
        _ if has_code(&[AUTHENTICATION_FAILED_CODE]) => sign_in_refused(at, &cause),
        _ if has_code(&[UNAUTHORIZED_CODE]) => {
            format!(
                "the store at {at} does not allow this user to read and write: give it the role readWrite on the database: {cause}"
            )
        }
        _ if has_code(&CONFLICT_CODES) => {
            format!("the database at {at} has an index that is not this program's: drop it: {cause}")
        }
        _ => format!("the store at {at} cannot be used: {cause}"),
    })
}

/// Whether the only problem is that another process inserted the same document first.
pub(super) fn is_duplicate_key(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY_CODE)
}

/// The error of an unordered insert of many, unless its only problem is that some of the documents exist.
pub(super) fn ignore_duplicates(error: Error) -> Result<(), Error> {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(many) if not_inserted(many).is_none() => Ok(()),
        _ => Err(error),
    }
}

/// Code and message of the first problem of an insert of many, duplicates aside.
fn not_inserted(many: &InsertManyError) -> Option<(i32, &str)> {
    let writes = many.write_errors.iter().flatten();
    let first = writes.map(|error| (error.code, error.message.as_str())).find(|(code, _)| *code != DUPLICATE_KEY_CODE);
    first.or_else(|| many.write_concern_error.as_ref().map(|error| (error.code, error.message.as_str())))
}

/// What the server or the driver said, in one line.
pub(super) fn cause(error: &Error) -> String {
    let text = match error.kind.as_ref() {
        ErrorKind::Command(error) => error.message.clone(),
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.message.clone(),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => error.message.clone(),
        ErrorKind::InsertMany(many) => not_inserted(many).map(|(_, message)| message.to_owned()).unwrap_or_default(),
        ErrorKind::BulkWrite(bulk) => bulk_cause(bulk).or_else(|| source(error).map(cause)).unwrap_or_default(),
        ErrorKind::ServerSelection { message, .. } => selection(message),
        ErrorKind::Io(error) => explain::io(error),
        other => explain::message(&other.to_string()),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why no server was found, taken from the dump of everything that the driver knows of the servers.
fn selection(message: &str) -> String {
    let Some((summary, servers)) = message.split_once(" Topology: ") else { return message.to_owned() };
    let reason = |error: &str| {
        let message = error.split_once(", labels: ").map_or(error, |(message, _)| message);
        explain::message(message.trim_start_matches("I/O error: "))
    };
    let mut reasons: Vec<String> = servers.split("Error: Kind: ").skip(1).map(reason).collect();
    reasons.sort();
    reasons.dedup();
    match reasons.is_empty() {
        false => format!("no server answers: {}", reasons.join("; ")),
        true if summary.contains("criteria") => "none of its servers accepts writes at the moment".to_owned(),
        true => "no server answers".to_owned(),
    }
}

fn sign_in_refused(at: &str, cause: &str) -> String {
    format!("the store at {at} refused the sign-in: check user, password and authSource in its URL: {cause}")
}

fn is_transient(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. } => true,
        _ if code(error).is_some_and(|code| TRANSIENT_CODES.contains(&code)) => true,
        ErrorKind::BulkWrite(_) => source(error).is_some_and(is_transient),
        _ => ["RetryableWriteError", "TransientTransactionError", "SystemOverloadedError"]
            .iter()
            .any(|label| error.contains_label(label)),
    }
}

fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(many) => not_inserted(many).map(|(code, _)| code),
        ErrorKind::BulkWrite(bulk) => {
            let first = bulk.write_errors.values().next().map(|error| error.code);
            first.or_else(|| bulk.write_concern_errors.first().map(|error| error.code))
        }
        _ => None,
    }
}

fn bulk_cause(bulk: &mongodb::error::BulkWriteError) -> Option<String> {
    let first = bulk.write_errors.values().next().map(|error| error.message.clone());
    first.or_else(|| bulk.write_concern_errors.first().map(|error| error.message.clone()))
}

fn source(error: &Error) -> Option<&Error> {
    std::error::Error::source(error)?.downcast_ref()
}
