//! The page from the outside: what it shows, and that it needs nothing but itself.

use std::collections::BTreeMap;

use model::Timestamp;
use model::audio::{SCALARS, pitch_columns};
use model::dataset::{Dataset, DatasetInfo, Split};
use model::run::Collection;
use model::search::{
    Assignment, Averages, Confusion, Evaluation, Importance, Importances, Loss, ModelInfo, Params, Ranked, Scores,
    Search, Setting, Tuned,
};
use model::track::{ArtistRef, Track};
use report::{Input, render};

const LABELS: [&str; 3] = ["hip hop", "jazz", "misc"];

fn dataset() -> Dataset {
    let rows = 30;
    let mut feature_names = pitch_columns();
    feature_names.extend(SCALARS.iter().map(ToString::to_string));
    let columns = feature_names.len();
    Dataset {
        track_ids: (0..rows).map(|i| format!("t{i}")).collect(),
        artists: vec!["a".into(); rows],
        feature_names,
        features: (0..rows * columns).map(|i| (i % 97) as f64 / 97.0).collect(),
        label_names: LABELS.map(str::to_owned).to_vec(),
        labels: (0..rows * 3).map(|i| u8::from(i % 3 == (i / 3) % 3)).collect(),
        split: (0..rows).map(|i| if i < 21 { Split::Train } else { Split::Test }).collect(),
    }
}

fn info(dataset: &Dataset) -> DatasetInfo {
    DatasetInfo {
        id: "d1".into(),
        rows: dataset.rows(),
        features: dataset.feature_names.len(),
        labels: dataset.label_names.clone(),
        dropped: BTreeMap::from([("only_excluded_tags".into(), 1_207)]),
        tags_before: vec![("rock".into(), 900), ("hip hop".into(), 10)],
        tags_after: LABELS.map(|label| (label.to_owned(), 10)).to_vec(),
        cut: None,
        training: None,
        imputed: None,
        created_at: Timestamp(0),
    }
}

fn scores(value: f64) -> Scores {
    let all = Averages { micro: value, macro_: value, weighted: value, samples: value };
    Scores { accuracy: value, precision: all, recall: all, f1: all }
}

fn setting() -> Setting {
    Setting { family: "knn".into(), params: Params::from([("n_neighbors".into(), 5.into())]) }
}

fn model_info(dataset: &Dataset) -> ModelInfo {
    let example = Assignment {
        track_id: "t29".into(),
        truth: Some(vec!["jazz".into(), "misc".into()]),
        assigned: vec!["jazz".into(), "hip hop".into()],
        probabilities: vec![0.6, 0.9, 0.2],
    };
    let confusion = Confusion { true_negative: 5, false_positive: 1, false_negative: 1, true_positive: 2 };
    let loss = |mean| Loss { mean, std: 0.004 };
    let importance =
        Importance { group: "pitch C#".into(), features: 100, f1_micro: loss(0.031), accuracy: loss(0.02) };
    ModelInfo {
        search: "s1".into(),
        setting: 0,
        winner: setting(),
        mean_accuracy: 0.71,
        feature_names: dataset.feature_names.clone(),
        label_names: dataset.label_names.clone(),
        evaluation: Evaluation {
            heldout: scores(0.643),
            baseline: scores(0.125),
            confusion: vec![confusion; 3],
            examples: vec![example],
            tuned: Some(Tuned {
                thresholds: vec![0.3, 0.4, 0.5],
                heldout: scores(0.689),
                out_of_fold: scores(0.7),
                out_of_fold_at_half: scores(0.6),
            }),
            importances: Some(Importances {
                rows: 40,
                repeats: 5,
                scores: scores(0.643),
                baseline: scores(0.125),
                groups: vec![importance],
                features_left_out: 1_234,
            }),
        },
        created_at: Timestamp(0),
    }
}

fn page(collection: Option<&Collection>, title: &str) -> String {
    let dataset = dataset();
    let (info, model) = (info(&dataset), model_info(&dataset));
    let search = Search {
        id: "s1".into(),
        dataset: "d1".into(),
        settings: vec![setting(), Setting { params: Params::from([("n_neighbors".into(), 9.into())]), ..setting() }],
        blocks: Vec::new(),
        folds: 2,
        seed: 0,
        kernel: "2".into(),
        thresholds: false,
        created_at: Timestamp(0),
    };
    let ranked = Ranked {
        setting: 0,
        fold_accuracies: vec![0.7, 0.72],
        mean_accuracy: 0.71,
        std_accuracy: 0.01,
        mean_f1_micro: 0.8,
        mean_f1_macro: 0.7,
        fit_seconds: 0.1,
        error: None,
    };
    let track = Track {
        id: "t29".into(),
        name: title.into(),
        artists: vec![ArtistRef { id: None, name: "Someone".into() }],
        album: None,
        duration_ms: None,
        isrc: None,
    };
    let leaderboard = [ranked];
    render(&Input {
        collection,
        info: &info,
        dataset: &dataset,
        search: &search,
        leaderboard: &leaderboard,
        model: &model,
        tracks: &[track],
    })
}

#[test]
fn it_shows_every_part() {
    let collection = Collection {
        rows: 5_000,
        tracks_collected: 4_321,
        rows_skipped: BTreeMap::from([("local".into(), 679)]),
        refused: BTreeMap::from([("spotify.audio-analysis".into(), "403 Forbidden".into())]),
        ..Collection::default()
    };
    let page = page(Some(&collection), "Blue in Green");
    for shown in [
        "4,321",
        "679",
        "a local file",
        "1,207",
        "403 Forbidden",
        "Blue in Green",
        "0.643",
        "0.125",
        "0.689",
        "with thresholds",
        "pitch C#: 0.031 ± 0.004",
        "1,234 more features were not looked at",
        "average pitches of jazz",
        "danceability by genre",
        "confusion matrix of hip hop",
        "subset accuracy of the folds",
        "tracks by tag",
        "n_neighbors 5",
    ] {
        assert!(page.contains(shown), "the page lacks {shown:?}");
    }
    let chips: Vec<bool> =
        [r#"hit">jazz"#, r#"wrong">hip hop"#, r#"missed">misc"#].map(|chip| page.contains(chip)).to_vec();
    assert_eq!(chips, [true; 3]);
}

#[test]
fn it_is_one_file_and_trusts_no_title() {
    let page = page(None, "<script>alert(1)</script> & more");
    assert!(page.contains("alert(1)") && !page.contains("<script"), "titles are text");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page reaches outside: {outside}");
    }
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}
