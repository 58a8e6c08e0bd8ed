//! Grids as people write them.

use learn::grid::{QUICK, STUDY, built_in, read};
use serde_json::json;

#[test]
fn candidates_come_in_the_order_of_the_file_the_last_parameter_fastest() {
    let text = "[tree]\nsplitter = ['random', 'best']\nmax_depth = [3, 'none']\n[knn]\nn_neighbors = 7\n";
    let candidates = read(text, &[]).unwrap();
    let order: Vec<_> = candidates.iter().map(|s| (s.family.as_str(), &s.params)).collect();
    assert_eq!(order.len(), 5);
    for (candidate, expected) in order.iter().zip([("random", json!(3)), ("random", json!(null)), ("best", json!(3))]) {
        assert_eq!((&candidate.1["splitter"], &candidate.1["max_depth"]), (&json!(expected.0), &expected.1));
    }
    assert_eq!((order[4].0, &order[4].1["n_neighbors"]), ("knn", &json!(7)));
}

#[test]
fn parameters_that_are_left_out_are_scikit_learns_defaults() {
    let candidates = read("[knn]\n[tree]\n", &[]).unwrap();
    let params: Vec<_> = candidates.iter().map(|s| serde_json::to_value(&s.params).unwrap()).collect();
    let knn = json!({"n_neighbors": 5, "weights": "uniform", "algorithm": "auto", "leaf_size": 30, "p": 2,
        "metric": "minkowski"});
    let tree = json!({"criterion": "gini", "splitter": "best", "max_depth": null, "min_samples_split": 2,
        "min_samples_leaf": 1, "min_weight_fraction_leaf": 0.0, "max_features": null, "max_leaf_nodes": null,
        "min_impurity_decrease": 0.0, "class_weight": null, "ccp_alpha": 0.0});
    assert_eq!(params, [knn, tree]);
}

#[test]
fn several_tables_of_a_family_are_products_of_their_own() {
    let text = "[[knn]]\nmetric = 'minkowski'\np = [1, 2, 4]\n[[knn]]\nmetric = 'cosine'\n";
    let candidates = read(text, &[]).unwrap();
    let metrics: Vec<_> = candidates.iter().map(|s| s.params["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["minkowski", "minkowski", "minkowski", "cosine"]);
}

#[test]
fn class_weights_may_be_listed_for_each_label() {
    let text = "[tree]\nclass_weight = ['None', 'balanced', [{0 = 1, 1 = 2.5}, {1 = 3}]]\n";
    let weights: Vec<_> = read(text, &[]).unwrap().into_iter().map(|s| s.params["class_weight"].clone()).collect();
    assert_eq!(weights, [json!(null), json!("balanced"), json!([{"0": 1, "1": 2.5}, {"1": 3}])]);
}

#[test]
fn families_are_chosen_in_the_order_asked_for() {
    let candidates = read(QUICK, &["tree".into(), "knn".into()]).unwrap();
    let families: Vec<_> = candidates.iter().map(|s| s.family.as_str()).collect();
    assert_eq!((families.len(), families[0], families[59]), (60, "tree", "knn"));
    assert_eq!(read(QUICK, &["knn".into()]).unwrap().len(), 24);
    let error = read(QUICK, &["mlp".into()]).unwrap_err().to_string();
    assert_eq!(error, "the grid has no family `mlp`: it has knn, tree");
}

#[test]
fn the_study_is_its_five_tables() {
    let candidates = read(STUDY, &[]).unwrap();
    let count = |family: &str| candidates.iter().filter(|candidate| candidate.family == family).count();
    let counts = ["knn", "tree", "extra_trees", "random_forest", "mlp"].map(count);
    assert_eq!((counts, candidates.len()), ([72, 9_720, 1_350, 96, 36], 11_274));
    assert!(built_in("study").is_some() && built_in("small").is_some() && built_in("other").is_none());
}

#[test]
fn mistakes_are_one_line_that_says_where_what_and_what_instead() {
    let cases = [
        ("[knn]\n\nn_neighbors = [5, 0]", "line 3: knn: n_neighbors cannot be 0: it is an integer from 1"),
        ("[knn]\nn_neighbors = 2.5", "line 2: knn: n_neighbors cannot be 2.5: it is an integer from 1"),
        ("[knn]\nweights = 'far'", "line 2: knn: weights cannot be \"far\": it is uniform or distance"),
        ("[knn]\np = -1", "line 2: knn: p cannot be -1: it is a number above 0"),
        (
            "[tree]\nmax_dept = 3",
            "line 2: tree has no parameter `max_dept`: it has criterion, splitter, max_depth, \
          min_samples_split, min_samples_leaf, min_weight_fraction_leaf, max_features, max_leaf_nodes, \
          min_impurity_decrease, class_weight, ccp_alpha",
        ),
        (
            "[tree]\nmin_samples_leaf = [1, 1.0]",
            "line 2: tree: min_samples_leaf cannot be 1.0: it is an integer from 1, \
          or a share of the rows between 0.0 and 1.0",
        ),
        (
            "[tree]\nmax_features = ['all']",
            "line 2: tree: max_features cannot be \"all\": it is none, sqrt, log2, an \
          integer from 1, or a share of the features above 0.0 and up to 1.0",
        ),
        ("[tree]\nmax_leaf_nodes = 1", "line 2: tree: max_leaf_nodes cannot be 1: it is none or an integer from 2"),
        (
            "[tree]\n[bayes]\n",
            "line 2: there is no family `bayes`: the families are knn, tree, extra_trees, random_forest, mlp, \
          extra_tree, radius, ridge",
        ),
        ("[knn]\np = []", "line 2: knn: p has no values: leave it out for its default"),
        ("knn = 3", "line 1: found integer `3`, expected a table of a family, such as [knn]"),
        ("", "the grid is empty: it needs a table for a family, such as [knn]"),
    ];
    for (text, message) in cases {
        assert_eq!(read(text, &[]).unwrap_err().to_string(), message);
    }
    let torn = read("[knn]\nweights = [", &[]).unwrap_err().to_string();
    assert!(torn.starts_with("line 2: ") && !torn.contains('\n'), "{torn}");
}

#[test]
fn slips_of_somebody_who_knows_python_are_one_plain_line() {
    let cases = [
        ("[tree]\nmax_depth = [8, none]\n", "line 2: none needs quotes: \"none\""),
        ("[tree]\nmax_depth = [\n  8,\n  None,\n]\n", "line 4: None needs quotes: \"none\""),
        ("[tree]\n\nmax_depth = null", "line 3: null needs quotes: \"none\""),
        ("[ridge]\nfit_intercept = True\n", "line 2: write true instead of True"),
        ("[knn]\nweights = uniform\n", "line 2: uniform needs quotes: \"uniform\""),
        ("[ridge]\nselect = { method = anova, k = 2 }\n", "line 2: anova needs quotes: \"anova\""),
        ("[knn]\nweights = “uniform”\n", "line 2: text needs plain quotes: \"…\""),
        ("[knn]\nweights = \"uniform\n", "line 2: a closing quote is missing"),
        ("[knn]\nn_neighbors: [3]\n", "line 2: `=` is missing between a name and its value"),
        ("[knn]\nn_neighbors = (3, 5)\n", "line 2: a list needs square brackets: [3, 5]"),
        ("[knn]\nn_neighbors = [3 5]\n", "line 2: a comma or `]` is missing before `5]`"),
        ("[knn]\nn_neighbors = [3, 5\np = 2\n", "line 3: the list is not closed: `]` is missing"),
        ("[knn]\nn_neighbors =\n", "line 2: a value is missing"),
        (
            "[knn]\nn_neighbors = 3, 5\n",
            "line 2: `, 5` cannot follow a value: a list needs brackets, a comment starts with #",
        ),
        ("[knn]\np = .5\n", "line 2: a number needs digits on both sides of its point, as in 0.5 or 5.0"),
        ("[knn\np = 2\n", "line 1: a header is a name in brackets, such as [knn]"),
        ("// mine\n[knn]\n", "line 1: `// mine` is not a name: a comment starts with #"),
        ("[knn]\np = 1\np = 2\n", "line 3: p is set twice"),
        (
            "[knn]\np = 1\n[knn]\np = 2\n",
            "line 3: [knn] appears twice: write [[knn]] each time to search several products of one family",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(read(text, &[]).unwrap_err().to_string(), message, "{text}");
    }
}
