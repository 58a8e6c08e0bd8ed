//! Parses a line of a file into a job.

use serde_json::{Map, Value};

use super::{Envelope, JobBody};
use crate::explain;

/// The job of a line: its body as a JSON object with exactly the kind's fields, or its key.
pub(super) fn parse_line<B: JobBody>(line: &str) -> Result<Envelope, String> {
    let body: B = match line.starts_with(['{', '[', '"']) {
        true => parse_document(line)?,
        false => B::from_key(line).ok_or_else(|| format!("`{line}` is not a {} job: {}", B::KIND, B::EXAMPLE))?,
    };
    body.validate()?;
    Ok(Envelope::new(&body))
}

fn parse_document<B: JobBody>(line: &str) -> Result<B, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| explain::json(&error))?;
    let Value::Object(fields) = &value else { return Err("it is not a JSON object".into()) };
    let known = serde_json::to_value(B::default()).unwrap_or_default();
    if let Some(field) = fields.keys().find(|field| known.get(field.as_str()).is_none()) {
        return Err(format!("unknown field `{field}`"));
    }
    B::deserialize(&value).map_err(|_| mismatch(fields, &known))
}

/// The first field that is missing, or whose type differs from that of `example`.
fn mismatch(fields: &Map<String, Value>, example: &Value) -> String {
    let kind = |value: &Value| match value {
        Value::String(_) => "a string",
        Value::Array(_) => "a list of strings",
        Value::Number(_) => "a whole number from 0 to 4294967295",
        _ => "true or false",
    };
    let fits = |found: &Value, like: &Value| match found {
        Value::Number(number) => like.is_number() && number.as_u64().is_some_and(|n| u32::try_from(n).is_ok()),
        Value::Array(items) => like.is_array() && items.iter().all(Value::is_string),
        found => std::mem::discriminant(found) == std::mem::discriminant(like),
    };
    let mismatch = example.as_object().into_iter().flatten().find_map(|(name, like)| match fields.get(name) {
        None if !like.is_boolean() => Some(format!("the field `{name}` is missing")),
        Some(found) if !fits(found, like) => Some(format!("the field `{name}` is not {}", kind(like))),
        _ => None,
    });
    mismatch.unwrap_or_else(|| "its fields are not those of this kind of job".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::*;

    const ID: &str = "3n3Ppam7vgaVa1iaRUc9Lp";

    /// A body can be parsed from its key and from its document.
    fn round_trips<B: JobBody + PartialEq + std::fmt::Debug>(body: B) {
        assert_eq!(B::from_key(&body.key()).as_ref(), Some(&body));
        let document = serde_json::to_string(&body).unwrap();
        for line in [body.key(), document] {
            let job = parse_line::<B>(&line).unwrap();
            assert_eq!((job.kind.as_str(), job.key), (B::KIND, body.key()));
            assert_eq!(job.body, serde_json::to_value(&body).unwrap());
            assert_eq!(job.run.as_deref(), body.run());
        }
    }

    #[test]
    fn every_kind_comes_back_from_its_key() {
        let track_id = ID.to_owned();
        round_trips(PlaylistPageJob { run: "r1".into(), playlist: ID.into(), offset: 50, labels_only: false });
        round_trips(TrackMetadataJob { track_id: track_id.clone() });
        round_trips(TracksAudioJob { track_ids: vec![ID.into(), ID.to_lowercase()] });
        round_trips(TrackAnalysisJob { track_id: track_id.clone() });
        round_trips(ArtistsGenresJob { artist_ids: vec![ID.into()] });
        round_trips(TrackTagsJob { track_id: track_id.clone() });
        round_trips(TrackPitchesJob { track_id });
        round_trips(SearchBlockJob { search: "s/1".into(), block: 3 });
        round_trips(SearchRefitJob { search: "s".into() });
    }

    #[test]
    fn a_track_is_named_by_its_id_its_uri_or_its_address() {
        for line in [ID, &format!("spotify:track:{ID}"), &format!("https://open.spotify.com/track/{ID}?si=1")] {
            assert_eq!(parse_line::<TrackTagsJob>(line).unwrap().key, ID, "{line}");
        }
        refused::<TrackTagsJob>(&format!("spotify:artist:{ID}"), "is not a valid track id");
        refused::<ArtistsGenresJob>(&format!("spotify:track:{ID}"), "is not a valid artist id");
        let addresses = format!(r#"{{"track_ids":["https://open.spotify.com/track/{ID}?si=1"]}}"#);
        refused::<TracksAudioJob>(&addresses, "is not a valid track id");
    }

    fn refused<B: JobBody>(line: &str, said: &str) {
        let error = parse_line::<B>(line).unwrap_err();
        assert!(error.contains(said), "{} {line}: {error}", B::KIND);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let many = format!(r#"{{"track_ids":[{}]}}"#, vec![format!("\"{ID}\""); 101].join(","));
        let page = |offset: &str, playlist: &str| format!(r#"{{"run":"r","playlist":"{playlist}","offset":{offset}}}"#);
        refused::<TrackTagsJob>("half-pasted", "`half-pasted` is not a valid track id");
        refused::<TrackTagsJob>("{\"track_id\":\"x\"}", "`x` is not a valid track id");
        refused::<TrackTagsJob>("{\"track_id\":7}", "the field `track_id` is not a string");
        refused::<TrackTagsJob>("{\"track_id\"", "breaks off at line 1, column 11");
        refused::<TrackTagsJob>(&format!("{{\"track_id\":\"{ID}\",\"prio\":1}}"), "unknown field `prio`");
        refused::<TrackTagsJob>("{}", "the field `track_id` is missing");
        refused::<TracksAudioJob>("{\"track_ids\":[7]}", "is not a list of strings");
        refused::<TracksAudioJob>("[]", "not a JSON object");
        refused::<TracksAudioJob>("{\"track_ids\":[]}", "is empty");
        refused::<TracksAudioJob>(&many, "at most 100");
        refused::<PlaylistPageJob>(ID, "is not a playlist.page job: {\"run\"");
        refused::<PlaylistPageJob>(&page("7", ID), "not a multiple of 50");
        refused::<PlaylistPageJob>(&page("-50", ID), "is not a whole number from 0");
        refused::<PlaylistPageJob>(&page("0", "x"), "not a valid playlist id");
        refused::<PlaylistPageJob>(&page("0", "../../me/player/dev"), "not a valid playlist id");
        refused::<ArtistsGenresJob>(
            &format!(r#"{{"artist_ids":["{ID}","../me"]}}"#),
            "`../me` is not a valid artist id",
        );
        refused::<SearchRefitJob>("{\"search\":\" \"}", "search is empty");
        refused::<SearchBlockJob>("s/x", "is not a search.block job");
    }
}
