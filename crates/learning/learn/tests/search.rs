//! A search from data to saved model.

mod common;

use common::searches::{dataset, planned, run, search, shape};
use learn::{Cancel, LearnError, SavedModel, grid, leaderboard, plan, prepare, refit, run_block};
use model::dataset::{Dataset, Split};
use model::search::{Block, Scores, Search, Trial};
use proptest::prelude::*;

const GRID: &str = "
[knn]
n_neighbors = [1, 4]
weights = ['uniform', 'distance']
metric = ['euclidean', 'cosine']
[[tree]]
max_depth = [3, 'none']
max_features = ['none', 'sqrt']
class_weight = ['none', 'balanced']
[[tree]]
splitter = 'random'
max_leaf_nodes = 8
ccp_alpha = 0.001
";

#[test]
fn scores_do_not_depend_on_the_number_of_threads() {
    let data = prepare(&dataset(150)).unwrap();
    let search = planned(GRID, 150);
    let with_threads = |threads| {
        let pool = learn_pool(threads);
        pool.install(|| run(&data, &search))
    };
    let one_thread = with_threads(1);
    assert_eq!(one_thread.len(), search.trials());
    assert_eq!(one_thread, with_threads(2));
    assert_eq!(one_thread, with_threads(4));
}

fn learn_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

const SELECTING_GRID: &str = "
[knn]
n_neighbors = [1, 4]
select = ['none', { method = 'anova', k = 3 }, { method = 'pca', n_components = 2 }, { method = 'pca', n_components = 0.6 }]
[extra_trees]
n_estimators = [3, 5]
select = [{ method = 'tree_importance', k = 4 }, { method = 'mutual_info', k = 2 }, { method = 'variance' }, 'none']
";

#[test]
fn candidates_that_select_features_score_the_same_together_and_alone() {
    let data = prepare(&dataset(80)).unwrap();
    let together = planned(SELECTING_GRID, 80);
    let all: Vec<u32> = (0..together.settings.len() as u32).rev().collect();
    let one_block = Search { blocks: vec![Block { settings: all.clone(), folds: vec![0, 1, 2] }], ..together.clone() };
    let alone = all.iter().map(|&candidate| Block { settings: vec![candidate], folds: vec![1, 2, 0] }).collect();
    let alone = Search { blocks: alone, ..together.clone() };
    let trials = run(&data, &together);
    assert!(trials.iter().all(|trial| trial.outcome.is_ok()));
    assert_eq!(trials, run(&data, &one_block));
    assert_eq!(trials, run(&data, &alone));
    // Without a selection a candidate is unchanged.
    assert_eq!(
        together.settings[0],
        learn::family::complete("knn", &[("n_neighbors".into(), 1.into())].into()).unwrap()
    );
    let outcome_of = |candidate: usize| &trials[candidate * 3].outcome;
    assert!(outcome_of(0) != outcome_of(1) || outcome_of(0) != outcome_of(2), "a selection changes scores");
}

#[test]
fn a_search_over_selections_finds_nothing_in_pure_noise() {
    let (n, d) = (200, 1_500);
    let noise = common::dataset(71, n, d, 1);
    let noise = Dataset {
        feature_names: (0..d).map(|j| format!("f{j}")).collect(),
        features: noise.records.into_raw_vec_and_offset().0,
        // Labels of other rows.
        labels: common::dataset(72, n, 2, 1).targets.iter().map(|has| u8::from(*has)).collect(),
        label_names: vec!["label".into()],
        ..dataset(n)
    };
    let data = prepare(&noise).unwrap();
    let search = planned(
        "[knn]
select = [{ method = 'anova', k = 20 }, { method = 'mutual_info', k = 20 }, { method = 'tree_importance', k = 20 }]",
        n,
    );
    let majority = noise.labels.iter().filter(|has| **has == 0).count() as f64 / n as f64;
    for ranked in leaderboard(&search, &run(&data, &search)) {
        assert!(ranked.mean_accuracy < majority.max(1.0 - majority) + 0.05, "{ranked:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Candidates trained one by one, in any order, score what they score together.
    #[test]
    fn scores_do_not_depend_on_how_the_search_is_split(seed in any::<u64>()) {
        let data = prepare(&dataset(80)).unwrap();
        let together = planned(GRID, 80);
        let mut alone: Vec<Block> = Vec::new();
        for candidate in 0..together.settings.len() as u32 {
            let block = Block { settings: vec![candidate], folds: vec![2, 0, 1] };
            alone.insert((seed.rotate_left(candidate) % (alone.len() as u64 + 1)) as usize, block);
        }
        let alone = Search { blocks: alone, ..together.clone() };
        prop_assert_eq!(run(&data, &together), run(&data, &alone));
    }
}

#[test]
fn the_winner_is_refitted_looks_at_the_test_rows_once_and_can_be_saved() {
    let dataset = dataset(150);
    let data = prepare(&dataset).unwrap();
    for family in ["knn", "tree"] {
        let candidates = grid::read(GRID, &[family.into()]).unwrap();
        let blocks = plan::blocks(&candidates, 3, shape(150));
        let search = search(candidates, blocks);
        let trials = run(&data, &search);
        let best = &leaderboard(&search, &trials)[0];
        let (info, bytes) = refit(&data, &search, &trials, &Cancel::new()).unwrap();
        assert_eq!((info.setting, info.mean_accuracy), (best.setting, best.mean_accuracy));
        assert!(info.evaluation.heldout.accuracy > info.evaluation.baseline.accuracy);
        assert_eq!(info.evaluation.confusion.len(), 3);
        assert_eq!(info.evaluation.examples.len(), 5);

        let saved = SavedModel::load(&bytes).unwrap();
        assert_eq!(saved.feature_names, dataset.feature_names);
        for (example, row) in info.evaluation.examples.iter().zip(105..) {
            let assigned = saved.assign(&dataset.track_ids[row], dataset.feature_row(row)).unwrap();
            assert_eq!((&assigned.assigned, &assigned.probabilities), (&example.assigned, &example.probabilities));
            assert_eq!((&example.track_id, example.truth.clone()), (&assigned.track_id, Some(dataset.labels_of(row))));
        }
        assert!(matches!(saved.assign("t", &[0.0; 3]), Err(LearnError::Data(_))));
        assert!(matches!(saved.assign("t", &[f64::NAN; 7]), Err(LearnError::Data(_))));
        assert!(SavedModel::load(&bytes[..bytes.len() / 2]).is_err());
    }
    assert_eq!(SavedModel::load(b"{}").unwrap_err().to_string(), "not a saved model: unknown kind or version");
}

#[test]
fn ties_go_to_the_first_of_the_grid_and_failed_candidates_come_last() {
    let trial = |candidate, fold, outcome: Result<f64, &str>| Trial {
        search: "s".into(),
        setting: candidate,
        fold,
        outcome: outcome.map(|accuracy| Scores { accuracy, ..Scores::default() }).map_err(str::to_owned),
        fit_seconds: 2.0,
    };
    let mut trials = Vec::new();
    for (candidate, accuracies) in
        [(3, [0.2, 0.3, 0.4]), (2, [0.9, 0.9, 0.9]), (1, [0.4, 0.3, 0.2]), (4, [0.5, 0.5, 0.5])]
    {
        trials.extend(accuracies.into_iter().zip(0..).map(|(accuracy, fold)| trial(candidate, fold, Ok(accuracy))));
    }
    trials.extend([trial(0, 0, Ok(1.0)), trial(0, 1, Err("too few")), trial(0, 2, Ok(1.0)), trial(5, 0, Ok(1.0))]);
    let ranked = leaderboard(&search(Vec::new(), Vec::new()), &trials);
    let order: Vec<u32> = ranked.iter().map(|row| row.setting).collect();
    assert_eq!(order, [2, 4, 1, 3, 0], "candidate 5 has unfinished trials");
    assert_eq!((ranked[2].mean_accuracy, ranked[2].fit_seconds), (0.3, 2.0));
    assert!((ranked[2].std_accuracy - (0.02_f64 / 3.0).sqrt()).abs() < 1e-15);
    assert_eq!((ranked[4].error.as_deref(), ranked[4].fold_accuracies.len()), (Some("too few"), 0));
}

#[test]
fn candidates_that_the_data_does_not_allow_are_trials_that_say_why() {
    let data = prepare(&dataset(20)).unwrap();
    let text = "[[knn]]\nn_neighbors = [3, 12]\n[[knn]]\nmetric = 'cosine'\nalgorithm = ['brute', 'kd_tree']\n[tree]\nclass_weight = [[{}]]\n[ridge]\nselect = { method = 'variance', threshold = 99 }";
    let search = planned(text, 20);
    let trials = run(&data, &search);
    let reason = |candidate: usize| trials[candidate * 3].outcome.clone().err();
    assert_eq!((reason(0), reason(2)), (None, None));
    assert_eq!(reason(1).unwrap(), "n_neighbors is 12 and there are 9 rows to fit on");
    assert!(reason(3).unwrap().contains("cosine"));
    assert_eq!(reason(5).unwrap(), "no feature has a variance above 99");
    assert_eq!(reason(4).unwrap(), "class_weight is a list for 1 labels and there are 3");
    assert!(refit(&data, &search, &trials, &Cancel::new()).is_ok());

    let hopeless = planned("[knn]\nn_neighbors = 99", 20);
    let error = refit(&data, &hopeless, &run(&data, &hopeless), &Cancel::new()).unwrap_err().to_string();
    assert!(error.starts_with("no candidate of the grid can be fitted on this data: n_neighbors is 99"), "{error}");
    assert!(matches!(refit(&data, &hopeless, &[], &Cancel::new()), Err(LearnError::Search(_))));
    assert!(matches!(run_block(&data, &hopeless, 77, &Cancel::new()), Err(LearnError::Search(_))));
}

#[test]
fn odd_data_is_fitted() {
    let everything = |change: fn(&mut Dataset)| {
        let mut dataset = dataset(40);
        change(&mut dataset);
        let data = prepare(&dataset).unwrap();
        let search = planned(GRID, 40);
        let trials = run(&data, &search);
        assert!(trials.iter().all(|trial| trial.outcome.is_ok()));
        refit(&data, &search, &trials, &Cancel::new()).unwrap().0.evaluation
    };
    let constant = everything(|dataset| dataset.features.fill(0.1));
    assert!(constant.heldout.accuracy >= 0.0);
    let nothing = everything(|dataset| dataset.labels.fill(0));
    assert_eq!((nothing.heldout.accuracy, nothing.baseline.accuracy, nothing.heldout.f1.micro), (1.0, 1.0, 0.0));
    let all = everything(|dataset| dataset.labels.fill(1));
    assert_eq!((all.heldout.accuracy, all.heldout.f1.macro_), (1.0, 1.0));
    everything(|dataset| {
        dataset.labels = dataset.labels.chunks(3).map(|row| row[0]).collect();
        dataset.label_names.truncate(1);
    });
    everything(|dataset| {
        dataset.features = dataset.features.chunks(7).map(|row| row[0]).collect();
        dataset.feature_names.truncate(1);
    });
}

#[test]
fn data_that_nothing_can_be_learnt_from_is_an_error_that_says_why() {
    let error = |change: fn(&mut Dataset)| {
        let mut dataset = dataset(10);
        change(&mut dataset);
        prepare(&dataset).err().map(|error| error.to_string()).unwrap()
    };
    assert_eq!(
        error(|dataset| dataset.split.fill(Split::Train)),
        "the dataset has 10 training rows and 0 test rows: it needs both"
    );
    assert_eq!(
        error(|dataset| dataset.features[8] = f64::NAN),
        "feature f1 of track track1 is NaN: every value must be finite"
    );
    let huge = error(|dataset| dataset.features[8] = f64::MAX);
    assert!(
        huge.starts_with("feature f1 of track track1 is 17976") && huge.ends_with("must be within ±3.4e38"),
        "{huge}"
    );
    assert_eq!(
        error(|dataset| dataset.label_names.clear()),
        "the dataset has 7 features and 0 labels: it needs at least one of each"
    );
    assert!(error(|dataset| dataset.labels.truncate(4)).starts_with("the dataset is corrupt"));
    assert!(prepare(&Dataset::default()).is_err());

    let few = prepare(&dataset(3)).unwrap();
    let error = run_block(&few, &planned(GRID, 3), 0, &Cancel::new()).unwrap_err().to_string();
    assert_eq!(error, "2 training rows cannot be cut into 3 folds: use fewer folds or more tracks");
}
