//! Audio-analysis documents of every shape.

use serde_json::{Value, json};
use spotify::read_analysis;

fn segment() -> Value {
    json!({
        "start": 0.25, "duration": 0.5, "confidence": 1, "loudness_start": -60, "loudness_max": -6.25,
        "loudness_max_time": 0.125, "pitches": [1, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.001], "timbre": [1,2,3,4,5,6,7,8,9,10,11,12]
    })
}

fn read(document: &Value) -> Result<model::analysis::Analysis, String> {
    read_analysis(document.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_whole_document_is_read() {
    let track = json!({
        "tempo_confidence": 0.453, "key_confidence": 0.538, "mode_confidence": 0, "time_signature_confidence": 1,
        "key": -1, "codestring": "eJx"
    });
    let document = json!({"meta": {}, "track": track, "bars": [], "segments": [segment()]});
    let analysis = read(&document).unwrap();
    assert_eq!(analysis.confidences, Some([0.453, 0.538, 0.0, 1.0]));
    let read_segment = &analysis.segments[0];
    assert_eq!((read_segment.start, read_segment.duration, read_segment.confidence), (0.25, Some(0.5), Some(1.0)));
    assert_eq!((read_segment.loudness_start, read_segment.loudness_end), (Some(-60.0), None));
    assert_eq!((read_segment.pitches[0], read_segment.pitches[2], read_segment.pitches[11]), (1.0, 0.5, 0.001));
    assert_eq!(read_segment.timbre.unwrap()[11], 12.0);
    assert_eq!(read(&json!({ "audio_analysis": document })).unwrap(), analysis, "wrapped");
}

#[test]
fn what_a_document_may_lack_is_none() {
    let bare = json!({"segments": [{"start": 0, "pitches": vec![1; 12]}]});
    let analysis = read(&bare).unwrap();
    assert_eq!((analysis.confidences, analysis.segments[0].timbre), (None, None));
    let partial = json!({"track": {"tempo_confidence": 0.5}, "segments": []});
    assert_eq!(read(&partial).unwrap().confidences, None);
    assert!(read(&json!({"track": null, "segments": []})).unwrap().segments.is_empty());
}

#[test]
fn an_error_names_the_segment_and_the_field() {
    for (field, value, what) in [
        ("start", Value::Null, "no `start`"),
        ("start", json!("0.25"), "`start` is not a number"),
        ("duration", json!([]), "`duration` is not a number"),
        ("pitches", Value::Null, "no `pitches`"),
        ("pitches", json!(1), "`pitches` is not a list"),
        ("pitches", json!([1, 2]), "`pitches` holds 2 values instead of 12"),
        ("pitches", json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, null]), "`pitches` holds something that is not a number"),
        ("timbre", json!(vec![0; 13]), "`timbre` holds 13 values instead of 12"),
    ] {
        let mut broken = segment();
        broken[field] = value;
        let error = read(&json!({"segments": [segment(), segment(), broken]})).unwrap_err();
        assert!(error.contains("segment 2: ") && error.contains(what), "{error}");
    }
    assert!(read(&json!({"bars": []})).unwrap_err().contains("no `segments`"));
    assert!(read_analysis(b"<html>").is_err());
}
