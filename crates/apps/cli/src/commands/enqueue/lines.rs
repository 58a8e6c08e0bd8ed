//! A line of a file as a job, or what is wrong with it.

use model::job::{
    ArtistsGenres, Body, Envelope, PlaylistPageJob, SearchBlock, SearchRefit, TrackAnalysisJob, TrackMetadata,
    TrackPitchesJob, TrackTags, TracksAudio,
};
use model::plain;
use model::track::PAGE_ROWS;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The job that a line says; `line` is not empty.
pub fn job(kind: &str, line: &str) -> Result<Envelope, String> {
    match kind {
        PlaylistPageJob::KIND => body(line).and_then(page),
        TracksAudio::KIND => {
            let job: TracksAudio = body(line)?;
            some_ids("track_ids", &job.track_ids, 100)?;
            job.track_ids.iter().try_for_each(|id| is_id(id, "track"))?;
            Ok(Envelope::new(&job))
        }
        ArtistsGenres::KIND => {
            let job: ArtistsGenres = body(line)?;
            some_ids("artist_ids", &job.artist_ids, 50)?;
            job.artist_ids.iter().try_for_each(|id| is_id(id, "artist"))?;
            Ok(Envelope::new(&job))
        }
        TrackMetadata::KIND => {
            of_track(line, |job: &TrackMetadata| &job.track_id, |track_id| TrackMetadata { track_id })
        }
        TrackAnalysisJob::KIND => {
            of_track(line, |job: &TrackAnalysisJob| &job.track_id, |track_id| TrackAnalysisJob { track_id })
        }
        TrackTags::KIND => of_track(line, |job: &TrackTags| &job.track_id, |track_id| TrackTags { track_id }),
        TrackPitchesJob::KIND => {
            of_track(line, |job: &TrackPitchesJob| &job.track_id, |track_id| TrackPitchesJob { track_id })
        }
        SearchBlock::KIND => {
            let job: SearchBlock = body(line)?;
            named("search", &job.search)?;
            Ok(Envelope::new(&job))
        }
        SearchRefit::KIND => {
            let job = if is_bare(line) { SearchRefit { search: line.to_owned() } } else { body(line)? };
            named("search", &job.search)?;
            Ok(Envelope::new(&job))
        }
        other => Err(format!("jobs of kind {other} cannot be read from a file")),
    }
}

/// Whether the line is an id and not a document.
fn is_bare(line: &str) -> bool {
    !line.starts_with(['{', '[', '"'])
}

/// A body from a JSON object that has its fields and no others.
fn body<B: Body + Default>(line: &str) -> Result<B, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| plain::json(&error))?;
    let Value::Object(fields) = &value else { return Err("it is no JSON object".into()) };
    let known = serde_json::to_value(B::default()).unwrap_or_default();
    if let Some(field) = fields.keys().find(|field| known.get(field.as_str()).is_none()) {
        return Err(format!("unknown field `{field}`"));
    }
    <B as Deserialize>::deserialize(&value).map_err(|_| misfit(fields, &known))
}

/// The first field that is missing or of another kind than the one of an example.
fn misfit(fields: &Map<String, Value>, example: &Value) -> String {
    let kind = |value: &Value| match value {
        Value::String(_) => "a text",
        Value::Array(_) => "a list of texts",
        Value::Number(_) => "a whole number from 0 to 4294967295",
        _ => "true or false",
    };
    let fits = |found: &Value, like: &Value| match found {
        Value::Number(number) => like.is_number() && number.as_u64().is_some_and(|n| u32::try_from(n).is_ok()),
        Value::Array(items) => like.is_array() && items.iter().all(Value::is_string),
        found => std::mem::discriminant(found) == std::mem::discriminant(like),
    };
    let misfit = example.as_object().into_iter().flatten().find_map(|(name, like)| match fields.get(name) {
        None if !like.is_boolean() => Some(format!("the field `{name}` is missing")),
        Some(found) if !fits(found, like) => Some(format!("the field `{name}` is not {}", kind(like))),
        _ => None,
    });
    misfit.unwrap_or_else(|| "its fields are not those of such a job".to_owned())
}

/// A job about one track, from its body or from the track's id, URI or address.
fn of_track<B: Body + Default>(line: &str, id: fn(&B) -> &String, job: fn(String) -> B) -> Result<Envelope, String> {
    if is_bare(line) {
        return spotify::parse_track(line).map(|id| Envelope::new(&job(id))).map_err(|error| error.to_string());
    }
    let body: B = body(line)?;
    is_id(id(&body), "track")?;
    Ok(Envelope::new(&body))
}

fn page(job: PlaylistPageJob) -> Result<Envelope, String> {
    named("run", &job.run)?;
    is_id(&job.playlist, "playlist")?;
    if !job.offset.is_multiple_of(PAGE_ROWS) {
        return Err(format!("the offset {} is no multiple of {PAGE_ROWS}", job.offset));
    }
    Ok(Envelope::new(&job).of_run(&job.run))
}

fn is_id(id: &str, kind: &str) -> Result<(), String> {
    if spotify::is_id(id) { Ok(()) } else { Err(format!("`{id}` is no {kind} id (22 letters and digits)")) }
}

fn some_ids(field: &str, ids: &[String], most: usize) -> Result<(), String> {
    match ids.len() {
        n if (1..=most).contains(&n) && ids.iter().all(|id| !id.is_empty()) => Ok(()),
        n if n > most => Err(format!("{field} has {n} ids, at most {most} fit into a job")),
        _ => Err(format!("{field} names nothing")),
    }
}

fn named(field: &str, value: &str) -> Result<(), String> {
    if value.trim().is_empty() { Err(format!("{field} is empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3n3Ppam7vgaVa1iaRUc9Lp";

    #[test]
    fn an_id_and_its_document_are_the_same_job() {
        for kind in ["track.tags", "track.pitches", "track.analysis", "track.metadata"] {
            let [bare, uri, document] =
                [ID.to_owned(), format!("spotify:track:{ID}"), format!("{{\"track_id\":\"{ID}\"}}")]
                    .map(|line| job(kind, &line).unwrap());
            assert_eq!((&bare.kind, &bare.key, &bare.body), (&document.kind, &document.key, &document.body));
            assert_eq!(uri.body, document.body);
        }
    }

    #[test]
    fn every_kind_is_read() {
        let line = |kind: &str| match kind {
            "playlist.page" => format!(r#"{{"run":"r1","playlist":"{ID}","offset":50}}"#),
            "tracks.audio" => format!(r#"{{"track_ids":["{ID}"]}}"#),
            "artists.genres" => format!(r#"{{"artist_ids":["{ID}"]}}"#),
            "search.block" => r#"{"search":"s","block":3}"#.to_owned(),
            "search.refit" => "s".to_owned(),
            _ => ID.to_owned(),
        };
        for kind in model::job::KINDS {
            let job = job(kind, &line(kind)).unwrap();
            assert_eq!(job.kind, **kind);
            assert_eq!(job.run.is_some(), *kind == "playlist.page", "a page belongs to its run");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let many = format!(r#"{{"track_ids":[{}]}}"#, vec![format!("\"{ID}\""); 101].join(","));
        let page = |offset: &str, playlist: &str| format!(r#"{{"run":"r","playlist":"{playlist}","offset":{offset}}}"#);
        for (kind, line, said) in [
            ("track.tags", "half-pasted".to_owned(), "names no track"),
            ("track.tags", "{\"track_id\":\"x\"}".to_owned(), "`x` is no track id"),
            ("track.tags", "{\"track_id\":7}".to_owned(), "the field `track_id` is not a text"),
            ("track.tags", "{\"track_id\"".to_owned(), "breaks off at line 1, column 11"),
            ("track.tags", format!("{{\"track_id\":\"{ID}\",\"prio\":1}}"), "unknown field `prio`"),
            ("tracks.audio", ID.to_owned(), "it is no JSON: it cannot be read from line 1, column"),
            ("tracks.audio", "{\"track_ids\":[7]}".to_owned(), "is not a list of texts"),
            ("track.tags", "{}".to_owned(), "the field `track_id` is missing"),
            ("tracks.audio", "[]".to_owned(), "no JSON object"),
            ("tracks.audio", "{\"track_ids\":[]}".to_owned(), "names nothing"),
            ("tracks.audio", many, "at most 100"),
            ("playlist.page", page("7", ID), "no multiple of 50"),
            ("playlist.page", page("-50", ID), "is not a whole number from 0"),
            ("playlist.page", page("0", "x"), "no playlist id"),
            ("artists.genres", format!(r#"{{"artist_ids":["{ID}","../me"]}}"#), "`../me` is no artist id"),
            ("playlist.page", page("0", "../../me/player/dev"), "no playlist id"),
            ("search.refit", "{\"search\":\" \"}".to_owned(), "search is empty"),
        ] {
            let error = job(kind, &line).unwrap_err();
            assert!(error.contains(said), "{kind} {line}: {error}");
        }
    }
}
