//! Pitches against numbers that pandas computed (`tests/pandas`).

use std::path::{Path, PathBuf};

use features::{PitchError, pitches};
use model::analysis::Segment;
use model::audio::pitch_columns;
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

#[test]
fn generated_documents_equal_pandas() {
    let cases = expected("generated.json");
    assert!(cases.len() > 40, "{} cases", cases.len());
    for case in cases.iter().filter(|case| case.get("starts").is_some()) {
        compare(case, &pitches(&document(case)).unwrap());
    }
}

#[test]
fn every_column_equals_pandas_in_its_place() {
    let cases = expected("generated.json");
    let all = floats(&cases.last().unwrap()["all"]);
    assert_eq!(all.len(), pitch_columns().len());
    let values = pitches(&document(&cases[0])).unwrap();
    for ((name, expected), value) in pitch_columns().iter().zip(all).zip(values) {
        assert!((value - expected).abs() <= TOLERANCE, "{name}: {value}, pandas has {expected}");
    }
}

#[test]
fn real_documents_equal_pandas() {
    let Some(folder) = testkit::real_data("real_documents_equal_pandas") else { return };
    for case in expected("real.json") {
        let file = Path::new(&folder).join("audio-analysis").join(case["name"].as_str().unwrap());
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        compare(&case, &pitches(&segments_of(&bytes)).unwrap());
    }
}

#[test]
fn bins_count_from_the_first_start_and_are_closed_on_the_left() {
    // Bins of 200 ms from 0.05 s: 0.25 s opens the second one, 0.2499 s still belongs to the first.
    let values = pitches(&segments(&[0.05, 0.2499, 0.25, 20.0], |i| [1.0, 3.0, 8.0, 0.0][i])).unwrap();
    assert_eq!(values[..2], [2.0, 8.0]);
}

#[test]
fn empty_bins_lie_on_the_line_to_the_next_segment_even_beyond_the_last_step() {
    // 101 bins: only the first and the one after the last that is kept have a segment.
    let values = pitches(&segments(&[0.0, 10.0], |i| i as f64)).unwrap();
    for (step, value) in values[..100].iter().enumerate() {
        assert!((value - step as f64 / 100.0).abs() < 1e-12, "step {step}: {value}");
    }
    assert_eq!(values[1200..1202], [1.0, 0.0]);
}

#[test]
fn segments_that_make_no_row_are_rejected_with_their_reason() {
    let good: Vec<f64> = (0..300).map(|i| f64::from(i) * 0.5).collect();
    assert!(pitches(&segments(&good, |_| 0.5)).is_ok());
    let with = |i: usize, start: f64| {
        let mut starts = good.clone();
        starts[i] = start;
        pitches(&segments(&starts, |_| 0.5)).unwrap_err()
    };
    assert_eq!(pitches(&[]), Err(PitchError::Empty));
    assert_eq!(pitches(&segments(&[0.0], |_| 0.5)), Err(PitchError::TooShort));
    assert_eq!(pitches(&segments(&[0.0, 0.09], |_| 0.5)), Err(PitchError::TooShort), "bins of 0 ms");
    assert_eq!(pitches(&segments(&[5.0, 10.0], |_| 0.5)), Err(PitchError::TooShort), "51 bins");
    assert_eq!(with(7, f64::NAN), PitchError::NotFinite { segment: 7 });
    assert_eq!(with(299, f64::INFINITY), PitchError::NotFinite { segment: 299 });
    assert_eq!(with(0, -0.5), PitchError::StartOutOfRange { segment: 0 });
    assert_eq!(with(299, 1e300), PitchError::StartOutOfRange { segment: 299 });
    assert_eq!(with(9, 3.9), PitchError::NotAscending { segment: 9 });
    let pitch = pitches(&segments(&good, |i| if i == 4 { f64::NAN } else { 0.5 }));
    assert_eq!(pitch, Err(PitchError::NotFinite { segment: 4 }));
    assert_eq!(pitch.unwrap_err().as_str(), "not_finite");
}

fn expected(file: &str) -> Vec<Value> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "pandas", file].iter().collect();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Some columns, and two sums that all columns take part in.
fn compare(case: &Value, values: &[f64]) {
    let name = &case["name"];
    assert_eq!(values.len(), 1_224, "{name}");
    let close = |what: &str, value: f64, expected: &Value| {
        let expected = expected.as_f64().unwrap();
        assert!((value - expected).abs() <= TOLERANCE, "{name}, {what}: {value}, pandas has {expected}");
    };
    for column in case["selected"].as_array().unwrap() {
        let i = column[0].as_u64().unwrap() as usize;
        close(&pitch_columns()[i], values[i], &column[1]);
    }
    close("sum", values.iter().sum(), &case["sum"]);
    let weighted = values.iter().enumerate().map(|(i, value)| (i * 37 % 101) as f64 / 101.0 * value).sum();
    close("weighted sum", weighted, &case["weighted_sum"]);
}

/// The document of a generated case; pitches by the formula of `tests/pandas/expected.py`.
fn document(case: &Value) -> Vec<Segment> {
    let starts = floats(&case["starts"]);
    let mut document = segments(&starts, |_| 0.0);
    for (i, segment) in document.iter_mut().enumerate() {
        segment.pitches = std::array::from_fn(|class| ((i * i * 7 + i * 131 + class * 389) % 1001) as f64 / 1000.0);
    }
    document
}

/// Segments of twelve equal pitches.
fn segments(starts: &[f64], pitch: impl Fn(usize) -> f64) -> Vec<Segment> {
    starts.iter().enumerate().map(|(i, start)| segment(*start, [pitch(i); 12])).collect()
}

fn segments_of(document: &[u8]) -> Vec<Segment> {
    let document: Value = serde_json::from_slice(document).unwrap();
    let document = document.get("audio_analysis").unwrap_or(&document);
    let read = |value: &Value| {
        segment(value["start"].as_f64().unwrap(), floats(&value["pitches"]).try_into().expect("twelve pitches"))
    };
    document["segments"].as_array().unwrap().iter().map(read).collect()
}

fn segment(start: f64, pitches: [f64; 12]) -> Segment {
    Segment {
        start,
        duration: None,
        confidence: None,
        loudness_start: None,
        loudness_max: None,
        loudness_max_time: None,
        loudness_end: None,
        pitches,
        timbre: None,
    }
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}
