//! Values to save.

use std::collections::BTreeMap;

use model::Timestamp;
use model::analysis::Segment;
use model::dataset::{DatasetInfo, Impute, Imputed, Training};
use model::search::{
    Assigned, Averages, Block, Candidate, Confusion, Evaluation, Importance, Importances, Loss, ModelInfo, Scores,
    Search, Trial, Tuned,
};
use model::tag::{LabelSelection, Tag, TagsOutcome};
use model::track::{ArtistRef, PlaylistPage, SkipReason, Track};

pub fn track(id: &str) -> Track {
    Track {
        id: id.to_owned(),
        name: format!("Title “{id}” — ça va"),
        artists: vec![ArtistRef { id: None, name: "Sigur Rós".into() }],
        album: None,
        duration_ms: Some(222_075.5),
        isrc: Some("USIR20400274".into()),
    }
}

pub fn page(run: &str, offset: u32, track_ids: &[&str]) -> PlaylistPage {
    PlaylistPage {
        run: run.to_owned(),
        playlist: "mix".into(),
        offset,
        total: None,
        has_next: true,
        rows: track_ids.len() as u32 + 2,
        track_ids: super::ids(track_ids),
        skipped: BTreeMap::from([(SkipReason::Local, 1), (SkipReason::Removed, 1)]),
        fetched_at: Timestamp(1_700_000_000_000),
    }
}

/// Tags as last.fm gives them, strongest first.
pub fn tags(names: &[&str]) -> TagsOutcome {
    TagsOutcome::Tags(names.iter().map(|name| Tag { name: (*name).to_owned(), count: None }).collect())
}

pub fn segment(start: f64) -> Segment {
    Segment {
        start,
        duration: Some(0.251_93),
        confidence: Some(1.0),
        loudness_start: Some(-60.0),
        loudness_max: Some(-23.412),
        loudness_max_time: None,
        loudness_end: None,
        pitches: [0.1, 0.171_89, 1.0, 0.0, 1.0 / 3.0, 0.709, 0.5, 0.25, 0.92, 0.011, 0.3, 0.999],
        timbre: Some([23.312, -7.374, 0.1, 1.0, 2.0, 3.0, -4.0, 5.5, 6.25, 7.125, -171.13, 9.0]),
    }
}

pub fn dataset(id: &str, created_at: i64) -> DatasetInfo {
    DatasetInfo {
        id: id.to_owned(),
        rows: 2,
        features: 1241,
        labels: super::ids(&["jazz", "pop"]),
        dropped: BTreeMap::from([("only_excluded".into(), 1)]),
        tags_before: vec![("rock".into(), 3), ("pop".into(), 2)],
        tags_after: vec![("pop".into(), 2)],
        label_selection: Some(LabelSelection::default()),
        training: Some(Training { rows: 1, tracks: Some(1), baseline: 1.0 / 3.0 }),
        imputed: Some(Imputed {
            how: Impute::MostFrequent,
            columns: BTreeMap::from([("energy".into(), 3)]),
            fills: BTreeMap::from([("energy".into(), 0.1 + 0.2)]),
        }),
        stand_in: None,
        created_at: Timestamp(created_at),
    }
}

pub fn setting() -> Candidate {
    let params = [("n_neighbors".to_owned(), 5.into()), ("max_depth".to_owned(), serde_json::Value::Null)];
    Candidate { family: "knn".into(), params: params.into() }
}

pub fn search(id: &str, created_at: i64) -> Search {
    Search {
        id: id.to_owned(),
        dataset: "d".into(),
        settings: vec![setting()],
        blocks: vec![Block { settings: vec![0], folds: vec![0, 1] }],
        folds: 2,
        seed: u64::MAX,
        kernel: "2".into(),
        thresholds: true,
        created_at: Timestamp(created_at),
    }
}

pub fn scores(accuracy: f64) -> Scores {
    let f1 = Averages { micro: 0.1, macro_: 0.2, weighted: 1.0 / 3.0, samples: f64::MIN_POSITIVE };
    Scores { accuracy, f1, ..Scores::default() }
}

pub fn trial(search: &str, setting: u32, fold: u32, accuracy: f64) -> Trial {
    Trial { search: search.to_owned(), setting, fold, outcome: Ok(scores(accuracy)), fit_seconds: 0.1 + 0.2 }
}

pub fn model(search: &str, created_at: i64) -> ModelInfo {
    let loss = Loss { mean: 0.1 + 0.2, std: -0.0 };
    ModelInfo {
        search: search.to_owned(),
        setting: 0,
        winner: setting(),
        mean_accuracy: 2.0 / 3.0,
        feature_names: super::ids(&["energy"]),
        label_names: super::ids(&["jazz", "pop"]),
        evaluation: Evaluation {
            heldout: scores(0.7),
            baseline: scores(0.2),
            confusion: vec![Confusion { true_negative: 1, false_positive: 2, false_negative: 3, true_positive: 4 }],
            examples: vec![],
            tuned: Some(Tuned {
                thresholds: vec![0.25, 1.0 / 3.0],
                heldout: scores(0.75),
                out_of_fold: scores(0.7),
                out_of_fold_at_half: scores(0.6),
            }),
            importances: Some(Importances {
                rows: 40,
                repeats: 5,
                scores: scores(0.7),
                baseline: scores(0.2),
                groups: vec![Importance { group: "energy".into(), features: 1, f1_micro: loss, accuracy: loss }],
                features_left_out: 7,
            }),
            assigned: Some(Assigned { rows: 9, by_label: vec![2, 7, 1], without: 1, truly_without: 0 }),
        },
        created_at: Timestamp(created_at),
    }
}
