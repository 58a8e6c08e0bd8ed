//! Responses of the API's `track.getTopTags`.

use model::tag::Tag;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a response says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiOutcome {
    /// At least one tag, strongest first.
    Tags(Vec<Tag>),
    /// The track has no tags, or is unknown: the API answers both in the same way.
    NoTags,
    /// The track is unknown (error 6).
    UnknownTrack,
    /// Too many requests (error 29, or by its status).
    Throttled,
    /// The service is temporarily out of order (errors 8, 11, 16, and statuses from 500).
    Unavailable(String),
    /// The key is unknown or may not be used (errors 10 and 26, and every other refusal).
    Refused(String),
    /// None of these: keep it for inspection, and try again.
    Unrecognised,
}

/// Reads a response. Errors come with status 200 as well, so the body decides before the status.
pub fn read_api(status: u16, body: &str) -> ApiOutcome {
    match serde_json::from_str(body) {
        Ok(Body::Error { error, message }) => read_error(error, message),
        Ok(Body::Tags { toptags }) if status == 200 => read_tags(toptags.tag),
        _ => match status {
            403 | 429 | 503 => ApiOutcome::Throttled,
            500.. => ApiOutcome::Unavailable(format!("status {status}")),
            _ => ApiOutcome::Unrecognised,
        },
    }
}

/// <https://www.last.fm/api/errorcodes>
fn read_error(code: u64, message: String) -> ApiOutcome {
    match code {
        6 => ApiOutcome::UnknownTrack,
        8 | 11 | 16 => ApiOutcome::Unavailable(format!("error {code}: {message}")),
        29 => ApiOutcome::Throttled,
        10 => ApiOutcome::Refused(format!("the key is invalid: {message}")),
        26 => ApiOutcome::Refused(format!("the key is banned: {message}")),
        _ => ApiOutcome::Refused(format!("error {code}: {message}")),
    }
}

fn read_tags(tags: Vec<ApiTag>) -> ApiOutcome {
    let tags = tags.into_iter().map(|tag| Tag { name: tag.name.trim().to_owned(), count: tag.count });
    let tags: Vec<Tag> = tags.filter(|tag| !tag.name.is_empty()).collect();
    if tags.is_empty() { ApiOutcome::NoTags } else { ApiOutcome::Tags(tags) }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Error {
        #[serde(deserialize_with = "number")]
        error: u64,
        #[serde(default)]
        message: String,
    },
    Tags {
        toptags: TopTags,
    },
}

#[derive(Deserialize)]
struct TopTags {
    #[serde(default, deserialize_with = "one_or_many")]
    tag: Vec<ApiTag>,
}

#[derive(Deserialize)]
struct ApiTag {
    name: String,
    #[serde(default, deserialize_with = "count")]
    count: Option<u32>,
}

/// The API's JSON is converted from XML: a list with one element is that element.
fn one_or_many<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<ApiTag>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<ApiTag>),
        One(ApiTag),
    }
    Ok(match OneOrMany::deserialize(json)? {
        OneOrMany::Many(tags) => tags,
        OneOrMany::One(tag) => vec![tag],
    })
}

/// Older responses have numbers as strings.
fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn number<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    as_number(&Value::deserialize(json)?).ok_or_else(|| serde::de::Error::custom("not a number"))
}

fn count<'de, D: Deserializer<'de>>(json: D) -> Result<Option<u32>, D::Error> {
    Ok(as_number(&Value::deserialize(json)?).and_then(|count| count.try_into().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[(&str, Option<u32>)]) -> ApiOutcome {
        ApiOutcome::Tags(tags.iter().map(|(name, count)| Tag { name: (*name).into(), count: *count }).collect())
    }

    #[test]
    fn counts_and_lists_come_in_several_forms() {
        let list = r#"{"toptags":{"tag":[{"count":100,"name":"rock"},{"count":"7","name":" pop "},{"name":"x"}]}}"#;
        assert_eq!(read_api(200, list), tags(&[("rock", Some(100)), ("pop", Some(7)), ("x", None)]));
        let one = r#"{"toptags":{"tag":{"count":"3","name":"rock"},"@attr":{"artist":"A"}}}"#;
        assert_eq!(read_api(200, one), tags(&[("rock", Some(3))]));
        for none in [r#"{"toptags":{"tag":[]}}"#, r#"{"toptags":{"@attr":{"artist":"A","track":"T"}}}"#] {
            assert_eq!(read_api(200, none), ApiOutcome::NoTags);
        }
    }

    #[test]
    fn errors_are_read_whatever_the_status() {
        for status in [200, 400, 403, 500] {
            let read = |code: &str| read_api(status, &format!(r#"{{"error":{code},"message":"m","links":[]}}"#));
            assert_eq!(read("6"), ApiOutcome::UnknownTrack);
            assert_eq!(read("\"29\""), ApiOutcome::Throttled);
            for busy in ["8", "11", "16"] {
                assert!(matches!(read(busy), ApiOutcome::Unavailable(_)), "{busy}");
            }
            assert_eq!(read("10"), ApiOutcome::Refused("the key is invalid: m".into()));
            assert_eq!(read("26"), ApiOutcome::Refused("the key is banned: m".into()));
        }
    }

    #[test]
    fn what_is_no_answer_is_told_by_its_status() {
        assert_eq!(read_api(429, "slow down"), ApiOutcome::Throttled);
        assert!(matches!(read_api(502, "<html>"), ApiOutcome::Unavailable(_)));
        for body in ["", "<html></html>", "{}", "[]", r#"{"toptags":{"tag":"none"}}"#] {
            assert_eq!(read_api(200, body), ApiOutcome::Unrecognised, "{body}");
        }
    }

    #[test]
    fn real_answers_are_read() {
        let Some(folder) = testkit::real_data("real_answers_are_read") else { return };
        let read = |name: &str| read_api(200, &std::fs::read_to_string(folder.join("lastfm").join(name)).unwrap());
        let ApiOutcome::Tags(tags) = read("track_gettoptags_0.json") else { panic!("these are tags") };
        assert_eq!((tags.len(), tags[0].name.as_str(), tags[0].count), (36, "hard rock", Some(100)));
        assert_eq!(read("track_gettoptags_1.json"), ApiOutcome::NoTags);
        assert_eq!(read("artist_gettoptags_1.json"), ApiOutcome::UnknownTrack);
    }
}
