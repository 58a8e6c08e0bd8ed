//! Real documents, where `SPOTIFAI_REAL_DATA` names their folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use spotify::{read_analysis, read_playlist_page};

/// The documents of a folder of real data; `None` where there is no real data.
fn documents(test: &str, folder: &str) -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let data = testkit::real_data(test)?;
    let files = fs::read_dir(Path::new(&data).join(folder)).unwrap().map(|file| file.unwrap().path());
    Some(files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect())
}

#[test]
fn no_row_of_a_real_page_is_lost() {
    let Some(pages) = documents("no_row_of_a_real_page_is_lost", "playlists") else { return };
    assert!(!pages.is_empty());
    for (path, bytes) in pages {
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let lists = [&json["items"], &json["items"]["items"], &json["tracks"]["items"]];
        let rows = lists.into_iter().find_map(Value::as_array).unwrap().len();
        let page = read_playlist_page(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let skipped: u32 = page.skipped.values().sum();
        assert_eq!((page.rows as usize, page.tracks.len() + skipped as usize), (rows, rows), "{}", path.display());
        assert!(!page.skipped.contains_key(&model::track::SkipReason::Unreadable), "{}", path.display());
    }
}

#[test]
fn every_number_of_a_real_analysis_is_kept() {
    let Some(analyses) = documents("every_number_of_a_real_analysis_is_kept", "audio-analysis") else { return };
    assert!(!analyses.is_empty());
    for (path, bytes) in analyses {
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let json = json.get("audio_analysis").unwrap_or(&json);
        let analysis = read_analysis(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let segments = json["segments"].as_array().unwrap();
        assert_eq!(analysis.segments.len(), segments.len(), "{}", path.display());
        for (read, raw) in analysis.segments.iter().zip(segments) {
            let pitches: Vec<f64> = raw["pitches"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
            assert_eq!(read.pitches.as_slice(), pitches, "{}", path.display());
            assert_eq!((Some(read.start), read.loudness_end), (raw["start"].as_f64(), raw["loudness_end"].as_f64()));
        }
        assert_eq!(analysis.confidences.is_some(), json.get("track").is_some(), "{}", path.display());
    }
}
