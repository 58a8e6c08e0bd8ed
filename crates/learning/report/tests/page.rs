//! The page from the outside: what it shows, and that it needs nothing but itself.

use std::collections::BTreeMap;

use model::Timestamp;
use model::audio::{SCALARS, pitch_columns};
use model::dataset::{Dataset, DatasetInfo, Split};
use model::run::{CollectionSummary, StandIn};
use model::search::{
    Assigned, Assignment, Averages, Candidate, Confusion, Evaluation, Importance, Importances, Loss, ModelInfo, Params,
    Ranked, Scores, Search, Tuned,
};
use model::tag::LabelSelection;
use model::track::{ArtistRef, Track};
use report::{Input, Verdict, render};

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
        label_selection: None,
        training: None,
        imputed: None,
        stand_in: None,
        created_at: Timestamp(0),
    }
}

fn scores(value: f64) -> Scores {
    let all = Averages { micro: value, macro_: value, weighted: value, samples: value };
    Scores { accuracy: value, precision: all, recall: all, f1: all }
}

fn setting() -> Candidate {
    Candidate { family: "knn".into(), params: Params::from([("n_neighbors".into(), 5.into())]) }
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
            assigned: Some(Assigned { rows: 9, by_label: vec![2, 7, 1], without: 1, truly_without: 0 }),
        },
        created_at: Timestamp(0),
    }
}

fn search() -> Search {
    Search {
        id: "s1".into(),
        dataset: "d1".into(),
        settings: vec![setting(), Candidate { params: Params::from([("n_neighbors".into(), 9.into())]), ..setting() }],
        blocks: Vec::new(),
        folds: 2,
        seed: 0,
        kernel: "2".into(),
        thresholds: false,
        created_at: Timestamp(0),
    }
}

/// The page of a collection, or of a file where there is none.
fn page(collection: Option<&CollectionSummary>, title: &str) -> String {
    page_of(collection, title, |info| {
        if collection.is_none() {
            (info.dropped, info.tags_before) = (BTreeMap::new(), Vec::new());
        }
    })
}

/// [`page`] of a dataset of which something else is known.
fn page_of(collection: Option<&CollectionSummary>, title: &str, change: impl FnOnce(&mut DatasetInfo)) -> String {
    let mut dataset = dataset();
    if collection.is_none() {
        dataset.feature_names = (0..dataset.feature_names.len()).map(|column| format!("x{column}")).collect();
    }
    let (mut info, mut model) = (info(&dataset), model_info(&dataset));
    match collection {
        Some(_) => info.label_selection = Some(LabelSelection::default()),
        // Nothing that only a collection has.
        None => model.evaluation.importances = None,
    }
    change(&mut info);
    let search = search();
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
        command: None,
    })
}

#[test]
fn it_shows_every_part() {
    let collection = CollectionSummary {
        rows: 5_000,
        tracks_collected: 4_321,
        rows_skipped: BTreeMap::from([("local".into(), 679)]),
        refused: BTreeMap::from([("spotify.audio-analysis".into(), "403 Forbidden".into())]),
        ..CollectionSummary::default()
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
        "1,234 other features were not evaluated",
        "average pitches of jazz",
        "danceability by genre",
        "confusion matrix of hip hop",
        "subset accuracy over the folds",
        "tracks by tag",
        "n_neighbors=5",
    ] {
        assert!(page.contains(shown), "the page lacks {shown:?}");
    }
    let chips: Vec<bool> =
        [r#"hit">jazz"#, r#"wrong">hip hop"#, r#"missed">misc"#].map(|chip| page.contains(chip)).to_vec();
    assert_eq!(chips, [true; 3]);
}

#[test]
fn a_table_of_anything_has_rows_and_labels_and_no_songs() {
    let page = visible(&page(None, "Blue in Green"));
    for word in
        ["song", "Song", "listener", "genre", "Genre", "track", "Track", "Spotify's", "last.fm", "hear", "invented"]
    {
        assert!(!page.contains(word), "it speaks of music: {word:?} in {:?}", around(&page, word));
    }
    assert!(
        page.contains("Held-out rows")
            && page.contains("Predictions for held-out rows")
            && page.contains("30 rows, 3 labels")
    );
}

#[test]
fn a_table_whose_labels_were_cut_from_genres_was_not_collected() {
    let films = |info: &mut DatasetInfo| {
        info.label_selection =
            Some(LabelSelection { excluded: vec!["noir".into(), "short".into()], ..LabelSelection::default() });
        info.stand_in = Some(StandIn::File);
    };
    let page = visible(&page_of(None, "Rififi", films));
    for word in ["song", "Song", "listener", "track", "Track", "Spotify's", "last.fm", "hear", "(rock)"] {
        assert!(!page.contains(word), "it speaks of music: {word:?} in {:?}", around(&page, word));
    }
    for words in
        ["Predictions for held-out rows", "30 rows, 3 genres", "tagged only with excluded genres (noir, short)"]
    {
        assert!(page.contains(words), "{words}");
    }
}

/// What a reader sees of a page.
fn visible(page: &str) -> String {
    let (head, body) = page.split_once("<style>").unwrap();
    let body = body.split_once("</style>").unwrap().1;
    let mut text = String::new();
    for part in format!("{head}{body}").split('<') {
        text += part.split_once('>').map_or(part, |(_, text)| text);
        text.push(' ');
    }
    text
}

fn around<'a>(page: &'a str, word: &str) -> &'a str {
    let at = page.find(word).unwrap_or(0);
    let edge = |at: usize| (0..=at).rev().find(|&at| page.is_char_boundary(at)).unwrap_or(0);
    &page[edge(at.saturating_sub(60))..edge((at + 60).min(page.len()))]
}

#[test]
fn what_is_wrong_with_a_model_stands_on_the_first_screen() {
    let (mut info, mut model) = (info(&dataset()), model_info(&dataset()));
    info.tags_after = [("misc", 500), ("jazz", 100), ("hip hop", 10)].map(|(name, rows)| (name.into(), rows)).to_vec();
    let search = search();
    assert_eq!(Verdict::of(&info, &search, &model, None).problems, [""; 0], "nothing is wrong with it");

    model.evaluation.tuned = None;
    (model.evaluation.heldout, model.evaluation.baseline) = (scores(0.561), scores(0.637));
    model.evaluation.assigned = Some(Assigned { rows: 9, by_label: vec![0, 2, 7], without: 0, truly_without: 0 });
    let verdict = Verdict::of(&info, &search, &model, None);
    assert!(!verdict.beats_baseline);
    assert_eq!(verdict.never_assigned, ["hip hop"]);
    let said = verdict.problems.join(" ");
    for words in [
        "worse than assigning the most frequent set of labels to every row",
        "56.1 % of the held-out rows, the most frequent set for 63.7 %",
        "1 of 3 labels is never assigned to a held-out row: hip hop",
        "78 % of the held-out rows are assigned `misc`",
    ] {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    let advice = verdict.advice.join(" ");
    assert!(["--thresholds", "--grid", "--labels", "more rows"].iter().all(|way| advice.contains(way)), "{advice}");

    model.evaluation.assigned = Some(Assigned { rows: 9, by_label: vec![1, 1, 1], without: 8, truly_without: 1 });
    let said = Verdict::of(&info, &search, &model, None).problems.join(" ");
    assert!(said.contains("89 % of the held-out rows are assigned no label; 11 % really have none"), "{said}");
    model.evaluation.baseline = model.evaluation.heldout;
    assert!(Verdict::of(&info, &search, &model, None).problems[0].contains("no better than"));
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
